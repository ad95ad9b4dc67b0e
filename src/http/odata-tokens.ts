import { fail } from '../domain/failure.ts';

/** A piece of a `$filter`: a name, operator or bare value; a quoted text; a bracket or comma; the end. */
export interface Token {
  readonly kind: 'word' | 'text' | 'mark' | 'end';
  readonly text: string;
  /** Place of the first character, counted from 1. */
  readonly at: number;
}

/** A place in a list of tokens. */
export interface Cursor {
  peek(): Token;
  /** The token here; the cursor moves on, but not beyond the end. */
  next(): Token;
  is(kind: Token['kind'], lowerCaseText: string): boolean;
  /** Moves over a bracket or comma; throws when something else is here. */
  expect(mark: string): void;
}

/** The failure of a filter that cannot be read; `at` counts characters from 1. */
export function wrongFilter(why: string, at: number, hint?: string): Error {
  return fail('invalid-request', `$filter: ${why} (at character ${at})`, { field: '$filter', ...(hint && { hint }) });
}

const pattern = /\s*(?:'((?:[^']|'')*)'|([(),])|([^\s'(),]+))/y;

function tokenize(text: string): readonly Token[] {
  const trimmed = text.trimEnd();
  const tokens: Token[] = [];
  let from = 0;
  while (from < trimmed.length) {
    pattern.lastIndex = from;
    const match = pattern.exec(trimmed);
    const at = from + trimmed.slice(from).search(/\S/) + 1;
    if (match === null) throw wrongFilter("a text that begins with ' has no end", at);
    const [, quoted, mark, word = ''] = match;
    if (quoted !== undefined) tokens.push({ kind: 'text', text: quoted.replaceAll("''", "'"), at });
    else tokens.push(mark === undefined ? { kind: 'word', text: word, at } : { kind: 'mark', text: mark, at });
    from = pattern.lastIndex;
  }
  return tokens;
}

/** A cursor at the first token of `text`. Throws `invalid-request` for a quoted text without an end. */
export function createCursor(text: string): Cursor {
  const tokens = tokenize(text);
  const end: Token = { kind: 'end', text: 'the end', at: text.length + 1 };
  let index = 0;
  const peek = (): Token => tokens[index] ?? end;
  const next = (): Token => tokens[index++] ?? end;
  return {
    peek,
    next,
    is: (kind, text) => peek().kind === kind && peek().text.toLowerCase() === text,
    expect(mark) {
      const token = next();
      if (token.kind === 'mark' && token.text === mark) return;
      throw wrongFilter(`"${mark}" was expected, not "${token.text.slice(0, 60)}"`, token.at);
    },
  };
}
