import { carriedByte, toBytes } from './bytes.ts';
import { isPrintable } from './quote.ts';

const htmlEscapes: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
};

/** Text for HTML (`template.HTMLEscapeString`). */
export function escapeHtml(text: string): string {
  return text.replaceAll(/["'&<>\0]/g, (char) => htmlEscapes[char] ?? char);
}

const scriptEscapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

/** Text for a JavaScript string (`template.JSEscapeString`). */
export function escapeJavaScript(text: string): string {
  return text.replaceAll(/[\\'"<>&=\x00-\x1f]|[^\x00-\x7f]/gu, (char) => {
    const known = scriptEscapes[char];
    if (known !== undefined) return known;
    const code = carriedByte(char) === undefined ? (char.codePointAt(0) ?? 0) : 0xfffd;
    if (code >= 0x80 && isPrintable(char)) return char;
    return code === 0xfffd ? '\ufffd' : `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

/** Text for the query of a URL (`url.QueryEscape`): a space becomes `+`. */
export function escapeQuery(text: string): string {
  return percentEncode(text, /[A-Za-z0-9\-_.~]/).replaceAll('%20', '+');
}

/** Writes every byte that is no character of `safe` as `%XX`. */
export function percentEncode(text: string, safe: RegExp): string {
  const shown = Array.from({ length: 256 }, (_, byte) => {
    const char = String.fromCharCode(byte);
    return byte < 0x80 && safe.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  let result = '';
  for (const byte of toBytes(text)) result += shown[byte] ?? '';
  return result;
}
