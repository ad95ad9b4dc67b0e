/** Sequences that set colours and weights and nothing else (ECMA-48, SGR). */
const graphic = /^\u001b\[[0-9;:]*m$/;
/** Any escape sequence: control sequences, strings (titles, links) with their end, and the short ones. */
const escapes =
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]|\u009b[0-?]*[ -/]*[@-~]/g;
const controls = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g;

/**
 * A line of a build's output as it may be shown: without what moves the cursor, sets titles or rings, and without colours too unless
 * they are wanted. What a container prints must not be able to write over what was printed before it.
 */
export function cleanLine(text: string, keepsColors: boolean): string {
  const coloured = text.replace(escapes, (sequence) => (keepsColors && graphic.test(sequence) ? sequence : ''));
  const plain = coloured.replace(controls, '');
  if (!keepsColors) return plain.replaceAll('\u001b', '');
  const lone = plain.replace(/\u001b(?!\[[0-9;:]*m)/g, '');
  return lone.includes('\u001b') ? `${lone}\u001b[0m` : lone;
}
