import { TemplateFault } from '../faults.ts';
import { lexOperand } from './operand-lexer.ts';
import type { Token, TokenKind } from './tokens.ts';

const spaces = ' \t\r\n';

/**
 * Splits a template into tokens; the last is `end-of-text`, or `error` where the text stops making sense.
 * The rules are those of Go's `text/template`: `{{- ` and ` -}}` trim white space, comments fill a whole action.
 */
export function tokenize(text: string): Token[] {
  const lexer = new Lexer(text);
  try {
    lexer.run();
  } catch (error) {
    if (!(error instanceof TemplateFault)) throw error;
    lexer.tokens.push({ kind: 'error', text: error.message, at: error.offset ?? lexer.at, hint: error.hint });
  }
  return lexer.tokens;
}

class Lexer {
  readonly text: string;
  readonly tokens: Token[] = [];
  at = 0;
  #depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  run(): void {
    while (this.at < this.text.length) {
      const open = this.text.indexOf('{{', this.at);
      const end = open < 0 ? this.text.length : open;
      const trims = open >= 0 && this.#hasLeftTrim(open + 2);
      this.#emitText(trims ? this.#trimmedEnd(end) : end);
      this.at = end;
      if (open >= 0) this.#action(trims ? 2 : 0);
    }
    this.#push('end-of-text', '', this.at);
  }

  #action(marker: number): void {
    const open = this.at;
    if (this.text.startsWith('/*', open + 2 + marker)) {
      this.#comment(open, open + 2 + marker);
      return;
    }
    this.#push('left-delimiter', '{{', open);
    this.at = open + 2 + marker;
    this.#depth = 0;
    while (!this.#closed()) this.#word(open);
  }

  #comment(open: number, start: number): void {
    const end = this.text.indexOf('*/', start + 2);
    if (end < 0) throw new TemplateFault('unclosed comment', { offset: open });
    this.at = end + 2;
    if (!this.#close()) throw new TemplateFault('comment ends before closing delimiter', { offset: open });
  }

  /** Consumes the right delimiter if it stands here; pushes it as a token. */
  #closed(): boolean {
    const at = this.at;
    if (!this.text.startsWith('}}', at) && !this.#atTrimmedClose(at)) return false;
    if (this.#depth > 0) throw new TemplateFault('unclosed left paren', { offset: at });
    this.#close();
    this.#push('right-delimiter', '}}', at);
    return true;
  }

  #close(): boolean {
    if (this.#atTrimmedClose(this.at)) {
      this.at += 4;
      while (this.#isSpace(this.at)) this.at++;
      return true;
    }
    if (!this.text.startsWith('}}', this.at)) return false;
    this.at += 2;
    return true;
  }

  #word(open: number): void {
    const { text, at } = this;
    const char = text[at];
    if (char === undefined) throw new TemplateFault('unclosed action', { offset: open });
    if (this.#isSpace(at)) this.#space();
    else if (char === '(' || char === ')') this.#parenthesis(char);
    else this.#operand();
  }

  #space(): void {
    const start = this.at;
    while (this.#isSpace(this.at)) this.at++;
    // The last space belongs to a " -}}" that follows.
    if (this.text.startsWith('-}}', this.at)) this.at--;
    if (this.at > start) this.#push('space', ' ', start);
  }

  #parenthesis(char: '(' | ')'): void {
    this.#depth += char === '(' ? 1 : -1;
    if (this.#depth < 0) throw new TemplateFault('unexpected right paren', { offset: this.at });
    this.#push(char === '(' ? 'left-parenthesis' : 'right-parenthesis', char, this.at);
    this.at++;
  }

  #operand(): void {
    const token = lexOperand(this.text, this.at);
    this.tokens.push(token);
    this.at += token.text.length;
  }

  #emitText(end: number): void {
    if (end > this.at) this.#push('text', this.text.slice(this.at, end), this.at);
  }

  #push(kind: TokenKind, text: string, at: number): void {
    this.tokens.push({ kind, text, at });
  }

  #trimmedEnd(end: number): number {
    while (end > this.at && this.#isSpace(end - 1)) end--;
    return end;
  }

  #hasLeftTrim(at: number): boolean {
    return this.text[at] === '-' && this.#isSpace(at + 1);
  }

  #atTrimmedClose(at: number): boolean {
    return this.#isSpace(at) && this.text.startsWith('-}}', at + 1);
  }

  #isSpace(at: number): boolean {
    const char = this.text[at];
    return char !== undefined && spaces.includes(char);
  }
}
