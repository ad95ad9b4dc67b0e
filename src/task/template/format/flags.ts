/** What stands between `%` and the verb. */
export interface Flags {
  plus: boolean;
  minus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  /** Least number of characters. */
  width: number | undefined;
  precision: number | undefined;
  /** `%#v`: Go syntax. */
  goSyntax: boolean;
}

/** No flag at all; a fresh object, since the parser of formats fills it in. */
export function noFlags(): Flags {
  return {
    plus: false,
    minus: false,
    sharp: false,
    space: false,
    zero: false,
    width: undefined,
    precision: undefined,
    goSyntax: false,
  };
}

/** Pads to the width, which counts characters; zeros only on the left. */
export function pad(text: string, flags: Flags): string {
  const { width } = flags;
  if (width === undefined || width <= text.length - surrogatePairs(text)) return text;
  const filler = (flags.zero ? '0' : ' ').repeat(width - text.length + surrogatePairs(text));
  return flags.minus ? text + filler : filler + text;
}

function surrogatePairs(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) if ((text.codePointAt(at) ?? 0) > 0xffff) count++;
  return count;
}
