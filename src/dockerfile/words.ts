/** Words as they stand, quotes and escapes in them, and whether all their quotes are closed. */
export interface Words {
  readonly words: readonly string[];
  readonly isClosed: boolean;
}

const space = /\s/;

/** The place behind the word that begins at `start`, and whether its quotes are closed. */
function endOfWord(line: string, start: number, escape: string): readonly [number, boolean] {
  let quote: string | undefined;
  let at = start;
  for (; at < line.length; at += 1) {
    const one = line.charAt(at);
    if (one === escape && quote !== "'") at += 1;
    else if (quote !== undefined) quote = one === quote ? undefined : quote;
    else if (one === '"' || one === "'") quote = one;
    else if (space.test(one)) break;
  }
  return [Math.min(at, line.length), quote === undefined];
}

function skipSpaces(line: string, from: number): number {
  let at = from;
  while (at < line.length && space.test(line.charAt(at))) at += 1;
  return at;
}

/** Splits a line at its spaces, but for those in quotes and behind the escape character. */
export function splitWords(line: string, escape: string): Words {
  const words: string[] = [];
  let isClosed = true;
  for (let at = skipSpaces(line, 0); at < line.length; at = skipSpaces(line, at)) {
    const start = at;
    [at, isClosed] = endOfWord(line, start, escape);
    words.push(line.slice(start, at));
  }
  return { words, isClosed };
}

/** Takes quotes and backslashes off a word: a heredoc's name. */
export function unquote(word: string): string {
  return word.replace(/'([^']*)'|\\(.)|"/gs, (_, quoted: string | undefined, escaped: string | undefined) => {
    return quoted ?? escaped ?? '';
  });
}

/** The flags in front of an instruction's arguments, without quotes and escapes, and what follows them. */
export interface Flagged {
  readonly flags: readonly string[];
  readonly rest: string;
}

/** Reads one flag from `start` on; returns it with the place behind it. Backslashes escape, whatever the file's escape character is. */
function readFlag(line: string, start: number): readonly [string, number] {
  const parts: string[] = [];
  let quote: string | undefined;
  let at = start;
  for (; at < line.length; at += 1) {
    const one = line.charAt(at);
    if (quote === undefined && space.test(one)) break;
    if (one === '\\') parts.push(line.charAt((at += 1)));
    else if (one === quote) quote = undefined;
    else if (quote === undefined && (one === '"' || one === "'")) quote = one;
    else parts.push(one);
  }
  return [parts.join(''), at];
}

/** Takes the words that begin with `--` off the front of a line; a bare `--` ends them. */
export function takeFlags(line: string): Flagged {
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    at = skipSpaces(line, at);
    if (!line.startsWith('--', at)) break;
    const [flag, end] = readFlag(line, at);
    at = end;
    if (flag === '--') break;
    flags.push(flag);
  }
  return { flags, rest: line.slice(at).trim() };
}

/** The value of a flag, `--name=value`; of the last one where there are several. */
export function flagValue(flags: readonly string[], name: string): string | undefined {
  const start = `--${name}=`;
  return flags.findLast((flag) => flag.startsWith(start))?.slice(start.length);
}

/** Splits at the commas outside of double quotes: one record of CSV (RFC 4180). */
export function splitFields(record: string): readonly string[] {
  const fields = [...record.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)];
  return fields.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}
