const marks = /\[(?:skip ci|ci skip|no ci|skip slipway|slipway skip)\]/i;
const trailer = /^slipway-skip:[ \t]*true[ \t]*$/im;

/**
 * The mark by which a commit message asks that nothing be run: `[skip ci]` and its kin anywhere, or a line `slipway-skip: true`, as it is
 * written. Undefined when there is none.
 */
export function findSkipMark(message: string | undefined): string | undefined {
  if (message === undefined) return undefined;
  return marks.exec(message)?.[0] ?? trailer.exec(message)?.[0].trim();
}
