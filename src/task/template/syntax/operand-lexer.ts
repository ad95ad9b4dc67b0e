import { TemplateFault } from '../faults.ts';
import { describeChar, quoteString } from '../text/quote.ts';
import { keywords, type Token, type TokenKind } from './tokens.ts';

const word = /[\p{L}\p{Nd}_]+/uy;
/** The usual names, which are found faster; a name that goes on beyond ASCII is not one of them. */
const asciiWord = /[A-Za-z0-9_]+(?![^\x00-\x7f])/y;
const number =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;
const quoted = /"(?:\\[^\n]|[^"\\\n])*"/suy;
const character = /'(?:\\[^\n]|[^'\\\n])*'/suy;
const rawString = /`[^`]*`/y;

/** Reads the token that starts at `at`, which is neither white space, a parenthesis nor a delimiter. */
export function lexOperand(text: string, at: number): Token {
  const char = text[at] ?? '';
  switch (char) {
    case '=':
      return { kind: 'assign', text: char, at };
    case ':':
      if (text[at + 1] !== '=') throw new TemplateFault('expected :=', { offset: at });
      return { kind: 'declare', text: ':=', at };
    case '|':
      return { kind: 'pipe', text: char, at };
    case '"':
      return lexDelimited(text, at, { pattern: quoted, kind: 'string', name: 'quoted string' });
    case '`':
      return lexDelimited(text, at, { pattern: rawString, kind: 'raw-string', name: 'raw quoted string' });
    case "'":
      return lexDelimited(text, at, { pattern: character, kind: 'character', name: 'character constant' });
    case '$':
      return lexName(text, at, 'variable');
    default:
      return lexPlain(text, at, char);
  }
}

function lexPlain(text: string, at: number, char: string): Token {
  if (char === '.' && !/[0-9]/.test(text[at + 1] ?? '')) return lexName(text, at, 'field');
  if (/[.+\-0-9]/.test(char)) return lexNumber(text, at);
  const name = matchWord(text, at);
  if (name !== undefined) return lexWord(text, at, name);
  if (char >= ' ' && char <= '~') return { kind: 'comma-or-other', text: char, at };
  const whole = String.fromCodePoint(text.codePointAt(at) ?? 0);
  throw new TemplateFault(`unrecognized character in action: ${describeChar(whole)}`, { offset: at });
}

interface Delimited {
  readonly pattern: RegExp;
  readonly kind: TokenKind;
  readonly name: string;
}

function lexDelimited(text: string, at: number, { pattern, kind, name }: Delimited): Token {
  const found = match(pattern, text, at);
  if (found === undefined) throw new TemplateFault(`unterminated ${name}`, { offset: at });
  return { kind, text: found, at };
}

function lexWord(text: string, at: number, name: string): Token {
  checkTerminator(text, at + name.length);
  if (keywords.has(name)) return { kind: 'keyword', text: name, at };
  if (name === 'true' || name === 'false') return { kind: 'boolean', text: name, at };
  return { kind: 'identifier', text: name, at };
}

/** `.name` or `$name`; a bare `.` or `$` is the dot or the root variable. */
function lexName(text: string, at: number, kind: 'field' | 'variable'): Token {
  const name = matchWord(text, at + 1) ?? '';
  checkTerminator(text, at + 1 + name.length);
  if (name === '' && kind === 'field') return { kind: 'dot', text: '.', at };
  return { kind, text: (text[at] ?? '') + name, at };
}

function lexNumber(text: string, at: number): Token {
  const found = match(number, text, at) ?? '';
  const end = at + found.length;
  const next = matchWord(text, end);
  if (found === '' || next !== undefined) {
    throw new TemplateFault(`bad number syntax: ${quoteString(found + (next ?? '').slice(0, 1))}`, { offset: at });
  }
  if (found.endsWith('i') || /[+-]/.test(text[end] ?? '')) {
    const hint = 'Numbers stand apart from + and -, and complex ones are not supported.';
    throw new TemplateFault(`bad number syntax: ${quoteString(found)}`, { offset: at, hint });
  }
  return { kind: 'number', text: found, at };
}

/** A name must be followed by something that can follow one, so that `.a=1` or `foo"x"` is caught where it stands. */
function checkTerminator(text: string, at: number): void {
  const char = text[at];
  if (char === undefined || ' \t\r\n.,|:()'.includes(char) || text.startsWith('}}', at)) return;
  const whole = String.fromCodePoint(text.codePointAt(at) ?? 0);
  const hint = char === '=' ? 'Put a space before =.' : char === '-' ? 'A name cannot hold -: use index.' : undefined;
  throw new TemplateFault(`bad character ${describeChar(whole)}`, { offset: at, hint });
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function matchWord(text: string, at: number): string | undefined {
  return match(asciiWord, text, at) ?? match(word, text, at);
}
