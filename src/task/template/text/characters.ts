const space = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;
const letter = /^\p{L}$/u;
const upper = /^\p{Lu}$/u;
const lower = /^\p{Ll}$/u;
const titleCase = /^\p{Lt}$/u;

/** The characters of a text (Go's runes): code points, which is what Go counts too. */
export function runes(text: string): string[] {
  return Array.from(text);
}

export function isSpace(char: string): boolean {
  return space.test(char);
}

export function isLetter(char: string): boolean {
  return letter.test(char);
}

export function isUpper(char: string): boolean {
  return upper.test(char);
}

export function isLower(char: string): boolean {
  return lower.test(char);
}

export function isTitle(char: string): boolean {
  return titleCase.test(char);
}

/** One character in upper case; Go maps one to one, so `ß` stays. */
export function upperChar(char: string): string {
  return single(char.toUpperCase(), char);
}

/** One character in lower case. */
export function lowerChar(char: string): string {
  return char === 'İ' ? 'i' : single(char.toLowerCase(), char);
}

function single(changed: string, char: string): string {
  return runes(changed).length === 1 ? changed : char;
}

/** `strings.ToUpper`. */
export function toUpper(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text.toUpperCase() : runes(text).map(upperChar).join('');
}

/** `strings.ToLower`. */
export function toLower(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text.toLowerCase() : runes(text).map(lowerChar).join('');
}
