import { isLetter, isSpace, isUpper, lowerChar, runes, toLower, upperChar } from './characters.ts';

type WordKind = 'upper' | 'letters' | 'number' | 'connector' | 'punctuation' | 'other' | 'end';

interface Word {
  readonly kind: WordKind;
  readonly text: string;
}

function isConnector(char: string): boolean {
  return char === '-' || char === '_' || isSpace(char);
}

function kindOf(char: string): WordKind {
  if (isConnector(char)) return 'connector';
  if (/\p{P}/u.test(char)) return 'punctuation';
  if (isUpper(char)) return 'upper';
  if (isLetter(char)) return 'letters';
  return /\p{N}/u.test(char) ? 'number' : 'other';
}

/** Cuts a text into runs of one kind; `HTTPStatus` is HTTP and Status. */
function cutWords(text: string): Word[] {
  const chars = runes(text);
  const words: Word[] = [];
  for (let at = 0; at < chars.length;) {
    const kind = kindOf(chars[at] ?? '');
    const end = kind === 'upper' ? capitalsEnd(chars, at) : runEnd(chars, at, kind);
    words.push({ kind, text: chars.slice(at, end).join('') });
    at = end;
  }
  return words;
}

function runEnd(chars: readonly string[], start: number, kind: WordKind): number {
  let end = start + 1;
  while (end < chars.length && kindOf(chars[end] ?? '') === kind) end++;
  return end;
}

/** A capital with the small letters after it, or a run of capitals without the one that begins the next word. */
function capitalsEnd(chars: readonly string[], start: number): number {
  const next = kindOf(chars[start + 1] ?? '');
  if (start + 1 < chars.length && next === 'letters') return runEnd(chars, start + 1, 'letters');
  const end = runEnd(chars, start, 'upper');
  return end < chars.length && end > start + 1 && kindOf(chars[end] ?? '') === 'letters' ? end - 1 : end;
}

/** Words in lower case with `connector` between them: `FirstName` becomes `first_name`. */
export function joinWords(text: string, connector: string): string {
  return new WordJoiner(cutWords(text), connector).join();
}

const end: Word = { kind: 'end', text: '' };

class WordJoiner {
  readonly #words: readonly Word[];
  readonly #connector: string;
  #at = 0;
  #result = '';

  constructor(words: readonly Word[], connector: string) {
    this.#words = words;
    this.#connector = connector;
  }

  join(): string {
    while (this.#at < this.#words.length - 1) {
      const word = this.#take();
      if (word.kind !== 'punctuation' || this.#at < this.#words.length) this.#write(word);
      if (word.kind === 'number') this.#afterNumber();
      else if (word.kind !== 'connector' && word.kind !== 'punctuation') this.#afterWord();
    }
    if (this.#at < this.#words.length) this.#write(this.#take());
    return this.#result;
  }

  #peek(): Word {
    return this.#words[this.#at] ?? end;
  }

  #take(): Word {
    const word = this.#peek();
    this.#at++;
    return word;
  }

  #write({ kind, text }: Word): void {
    if (kind === 'connector')
      this.#result += runes(text)
        .map(() => this.#connector)
        .join('');
    else this.#result += kind === 'upper' ? toLower(text) : text;
  }

  /** Small letters and numbers after a number belong to it. */
  #afterNumber(): void {
    while (['letters', 'number'].includes(this.#peek().kind)) this.#write(this.#take());
    this.#connect();
  }

  /** A number belongs to the word before it, unless small letters follow: `Bld4Floor` is bld4_floor, `HTTP2xx` http_2xx. */
  #afterWord(): void {
    if (this.#peek().kind !== 'number') {
      this.#connect();
      return;
    }
    if (this.#at === this.#words.length - 1) return;
    const number = this.#take();
    if (this.#peek().kind === 'letters') {
      this.#result += this.#connector;
      this.#write(number);
      this.#afterNumber();
    } else {
      this.#write(number);
      this.#connect();
    }
  }

  #connect(): void {
    if (!['connector', 'punctuation', 'end'].includes(this.#peek().kind)) this.#result += this.#connector;
  }
}

/** `some_words` becomes `SomeWords`; connectors at the ends stay. */
export function toCamelCase(text: string): string {
  const chars = runes(text);
  const start = chars.findIndex((char) => !isConnector(char));
  if (start < 0) return text + (chars.at(-1) ?? '');
  const first = upperChar(chars[start] ?? '');
  if (start === chars.length - 1) return chars.slice(0, start).join('') + first;
  let result = chars.slice(0, start).join('');
  let current = first;
  for (const char of chars.slice(start + 1)) {
    const previous = current;
    current = char;
    if (isConnector(current) && isConnector(previous)) result += previous;
    else if (isConnector(previous)) current = upperChar(current);
    else {
      current = lowerChar(current);
      result += previous;
    }
  }
  return result + current;
}
