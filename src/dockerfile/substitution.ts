import { fail, type FailureError } from '../domain/failure.ts';
import type { Budget } from './budget.ts';
import { replaceByPattern, trimByPattern } from './pattern.ts';

/** Where a word stands: what its variables mean, and by what character the file escapes. */
export interface Scope {
  /** The value of a variable, undefined when it has none. @throws why it cannot be had */
  readonly valueOf: (name: string) => string | undefined;
  readonly escape: string;
  readonly budget: Budget;
}

/** Braces inside braces, beyond which nobody means what he writes. */
const maxDepth = 32;

function faulty(why: string): FailureError {
  return fail('invalid-request', why);
}

/** Reads one word from left to right. The rules are those of BuildKit's own shell words, not of any shell. */
class Expander {
  private readonly text: string;
  private readonly scope: Scope;
  private at = 0;
  private depth = 0;
  /** In patterns an escape stays, for the pattern to read. */
  private keepsEscapes = false;

  constructor(text: string, scope: Scope) {
    this.text = text;
    this.scope = scope;
  }

  /** Everything up to `stop`, which is passed over; to the end of the word when there is none. */
  until(stop?: string): string {
    this.scope.budget.spend(1);
    const parts: string[] = [];
    for (;;) {
      const next = this.text[this.at];
      if (next === undefined || next === stop) break;
      parts.push(this.part(next));
    }
    if (stop !== undefined && this.take() === undefined) throw faulty(`a closing ${stop} is missing`);
    const value = parts.join('');
    this.scope.budget.spend(value.length);
    return value;
  }

  private part(next: string): string {
    if (next === '$') return this.variable();
    if (next === "'") return this.singleQuoted();
    if (next === '"') return this.doubleQuoted();
    this.at += 1;
    if (next !== this.scope.escape) return next;
    return `${this.keepsEscapes ? next : ''}${this.take() ?? ''}`;
  }

  private valueOf(name: string): string | undefined {
    const value = this.scope.valueOf(name);
    this.scope.budget.spend(value?.length ?? 0);
    return value;
  }

  private take(): string | undefined {
    const one = this.text[this.at];
    this.at += 1;
    return one;
  }

  private singleQuoted(): string {
    const end = this.text.indexOf("'", this.at + 1);
    if (end < 0) throw faulty("a closing ' is missing");
    const value = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return value;
  }

  private doubleQuoted(): string {
    this.at += 1;
    const parts: string[] = [];
    for (;;) {
      const next = this.text[this.at];
      if (next === '$') {
        parts.push(this.variable());
        continue;
      }
      this.at += 1;
      if (next === undefined) throw faulty('a closing " is missing');
      if (next === '"') return parts.join('');
      parts.push(next === this.scope.escape ? this.escapedInQuotes(next) : next);
    }
  }

  /** Inside double quotes only a quote, a dollar and the escape itself are escaped. */
  private escapedInQuotes(escape: string): string {
    const next = this.text[this.at];
    if (next === undefined) return '';
    if (next !== '"' && next !== '$' && next !== escape) return escape;
    this.at += 1;
    return `${this.keepsEscapes ? escape : ''}${next}`;
  }

  private variable(): string {
    this.at += 1;
    if (this.text[this.at] === '{') return this.braced();
    const name = this.name();
    return name === '' ? '$' : (this.valueOf(name) ?? '');
  }

  /** Letters, digits and `_`; only digits when it begins with one; or one of the special names of a shell. */
  private name(): string {
    const pattern = /[0-9]+|[@*#?$!-]|[\p{L}_][\p{L}0-9_]*/uy;
    pattern.lastIndex = this.at;
    const name = pattern.exec(this.text)?.[0] ?? '';
    this.at += name.length;
    return name;
  }

  private braced(): string {
    this.at += 1;
    this.depth += 1;
    if (this.depth > maxDepth) throw faulty('variables are nested too deeply');
    const name = this.name();
    if (name === '') throw faulty('a variable in braces has no name');
    const operator = this.take();
    const value = this.substitute(name, operator);
    this.depth -= 1;
    return value;
  }

  private substitute(name: string, operator: string | undefined): string {
    switch (operator) {
      case '}':
        return this.valueOf(name) ?? '';
      case ':':
        return this.choose(name, this.take(), true);
      case '#':
      case '%':
        return this.trim(name, operator);
      case '/':
        return this.replace(name);
      default:
        return this.choose(name, operator, false);
    }
  }

  /** `-`, `+` and `?`; after a colon an empty value counts as none. */
  private choose(name: string, operator: string | undefined, isEmptyNone: boolean): string {
    if (operator !== '-' && operator !== '+' && operator !== '?') throw faulty(`\${${name}… is not closed by }`);
    const word = this.until('}');
    const value = this.valueOf(name);
    const isThere = value !== undefined && !(isEmptyNone && value === '');
    if (operator === '+') return isThere ? word : '';
    if (isThere) return value;
    if (operator === '-') return word;
    throw faulty(`the variable ${name} must have a value`);
  }

  private pattern(stop: string): string {
    const before = this.keepsEscapes;
    this.keepsEscapes = true;
    const pattern = this.until(stop);
    this.keepsEscapes = before;
    return pattern;
  }

  private trim(name: string, operator: '#' | '%'): string {
    const word = this.pattern('}');
    const isGreedy = word.startsWith(operator);
    const side = operator === '#' ? 'start' : 'end';
    const value = this.valueOf(name) ?? '';
    return trimByPattern(value, isGreedy ? word.slice(1) : word, { side, isGreedy }, this.scope.budget);
  }

  private replace(name: string): string {
    const isAll = this.text[this.at] === '/';
    if (isAll) this.at += 1;
    const pattern = this.pattern('/');
    const by = this.pattern('}');
    return replaceByPattern(this.valueOf(name) ?? '', pattern, { by, isAll }, this.scope.budget);
  }
}

/**
 * Fills in the variables of a word and takes its quotes and escapes away: `$A`, `${A}`, `${A:-x}`, `${A-x}`, `${A:+x}`, `${A+x}`,
 * `${A:?why}`, `${A#x}`, `${A##x}`, `${A%x}`, `${A%%x}`, `${A/x/y}`, `${A//x/y}` (Dockerfile reference, "Environment replacement").
 * @throws `invalid-request` where the word makes no sense.
 */
export function substitute(word: string, scope: Scope): string {
  return new Expander(word, scope).until();
}
