import { LimitFault, TemplateFault } from '../faults.ts';
import { quoteString } from '../text/quote.ts';
import { Scope } from '../scope.ts';
import { findNearest } from '../../../domain/nearest.ts';
import type { Token, TokenKind } from './tokens.ts';

const end: Token = { kind: 'end-of-text', text: '', at: 0 };

/** The scope that a template starts with: `$` alone. */
export function rootScope(): Scope<true> {
  const scope = new Scope<true>();
  scope.push('$', true);
  return scope;
}

/** A place in the tokens of a template, with what the parser must remember on its way. */
export class Cursor {
  readonly #tokens: readonly Token[];
  readonly #maxDepth: number;
  readonly #functions: ReadonlySet<string>;
  /** Offset in `tokens`; set back to look again. */
  place = 0;
  /** Variables in scope, innermost last. */
  variables = rootScope();
  rangeDepth = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], maxDepth: number, functions: ReadonlySet<string>) {
    this.#tokens = tokens;
    this.#maxDepth = maxDepth;
    this.#functions = functions;
  }

  /** The next token, white space included. */
  peek(): Token {
    return this.#tokens[Math.min(this.place, this.#tokens.length - 1)] ?? end;
  }

  next(): Token {
    const token = this.peek();
    this.place++;
    return token;
  }

  /** The next token that is no white space; white space is left behind. */
  peekWord(): Token {
    while (this.peek().kind === 'space') this.place++;
    return this.peek();
  }

  nextWord(): Token {
    const token = this.peekWord();
    this.place++;
    return token;
  }

  isKeyword(name: string): boolean {
    const token = this.peekWord();
    return token.kind === 'keyword' && token.text === name;
  }

  expect(kind: TokenKind, context: string): Token {
    const token = this.nextWord();
    if (token.kind !== kind) throw unexpected(token, context);
    return token;
  }

  hasFunction(name: string): boolean {
    return this.#functions.has(name);
  }

  /** What may have been meant by the name of a function that does not exist. */
  hintForFunction(name: string): string {
    if (/^\p{Lu}/u.test(name)) return `A value is written with a dot: .${name}`;
    const near = findNearest(name, this.#functions);
    return near === undefined ? `A value is written with a dot: .Values.${name}` : `Did you mean ${near}?`;
  }

  nested<T>(work: () => T): T {
    if (++this.#depth > this.#maxDepth) {
      throw new LimitFault(`nesting is deeper than ${this.#maxDepth} levels`, { offset: this.peek().at });
    }
    const result = work();
    this.#depth--;
    return result;
  }
}

/** Does `work`, and lets a fault in it that has no place point at the token. */
export function blame<T>(token: Token, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof TemplateFault) error.offset ??= token.at;
    throw error;
  }
}

/** The fault of a token that cannot stand where it stands. */
export function unexpected(token: Token, context: string): TemplateFault {
  if (token.kind === 'error') return new TemplateFault(token.text, { offset: token.at, hint: token.hint });
  if (token.kind === 'end-of-text') return new TemplateFault('unexpected EOF', { offset: token.at });
  const name = token.kind === 'keyword' ? `<${token.text}>` : quoteString(token.text.slice(0, 40));
  return new TemplateFault(`unexpected ${name} in ${context}`, { offset: token.at });
}
