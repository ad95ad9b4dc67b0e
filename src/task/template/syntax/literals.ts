import { TemplateFault } from '../faults.ts';
import { fromBytes } from '../text/bytes.ts';

const simple: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92 };
const escape = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([abfnrtv\\'"]))/y;

/**
 * The value of a Go string literal, interpreted ("…") or raw (`…`), as `strconv.Unquote` gives it.
 * @throws TemplateFault "invalid syntax" for an escape that Go does not know.
 */
export function unquoteString(literal: string): string {
  const body = literal.slice(1, -1);
  if (literal.startsWith('`')) return body.replaceAll('\r', '');
  if (!body.includes('\\')) return body;
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const next = body.indexOf('\\', at);
    const end = next < 0 ? body.length : next;
    parts.push(Buffer.from(body.slice(at, end), 'utf8'));
    at = end;
    if (next >= 0) {
      const { value, isByte, length } = readEscape(body, at, '"');
      parts.push(isByte ? Buffer.from([value]) : Buffer.from(String.fromCodePoint(value), 'utf8'));
      at += length;
    }
  }
  return fromBytes(Buffer.concat(parts));
}

/** The code point of a Go character literal. */
export function unquoteCharacter(literal: string): number {
  const body = literal.slice(1, -1);
  const { value, length } = body.startsWith('\\')
    ? readEscape(body, 0, "'")
    : { value: body.codePointAt(0) ?? 0, length: (body.codePointAt(0) ?? 0) > 0xffff ? 2 : 1 };
  if (body === '' || length !== body.length) throw new TemplateFault(`malformed character constant: ${literal}`);
  return value;
}

function readEscape(text: string, at: number, quote: string): { value: number; isByte: boolean; length: number } {
  escape.lastIndex = at;
  const found = escape.exec(text);
  if (found === null) throw new TemplateFault('invalid syntax', { hint: 'This escape is not one of Go’s.' });
  const [whole, byte, short, long, octal, name] = found;
  const length = whole.length;
  if (byte !== undefined) return { value: parseInt(byte, 16), isByte: true, length };
  if (octal !== undefined) return { value: checked(parseInt(octal, 8), 0xff), isByte: true, length };
  const point = short ?? long;
  const value = point === undefined ? namedEscape(name ?? '', quote) : codePoint(parseInt(point, 16));
  return { value, isByte: false, length };
}

/** A quote may be escaped only in a literal with these quotes. */
function namedEscape(name: string, quote: string): number {
  if (name !== '"' && name !== "'") return simple[name] ?? 0;
  if (name !== quote) throw new TemplateFault('invalid syntax');
  return name.charCodeAt(0);
}

function codePoint(value: number): number {
  if (value >= 0xd800 && value <= 0xdfff) throw new TemplateFault('invalid syntax');
  return checked(value, 0x10ffff);
}

function checked(value: number, max: number): number {
  if (value > max) throw new TemplateFault('invalid syntax');
  return value;
}
