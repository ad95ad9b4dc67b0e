/**
 * Why a signature does not count. Thrown inside this room while one candidate is looked at, and turned into a refusal of
 * that candidate in one place (verify.ts): no candidate can stop the others from being heard.
 */
export class RefusedSignature extends Error {
  override readonly name = 'RefusedSignature';
}

/** Makes a {@link RefusedSignature}; `because` reads as the end of "it was refused: …". */
export function refuse(because: string): RefusedSignature {
  return new RefusedSignature(because);
}

/** A stranger's text as it may stand in a message or log: one short line of printable characters. */
export function quote(text: string): string {
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ').trim();
  return line.length <= 160 ? line : `${line.slice(0, 159)}…`;
}
