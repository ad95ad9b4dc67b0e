import { mayHaveOutputs, replaceOutputs } from '../../domain/output-reference.ts';
import type { EnvVariable } from '../../domain/step.ts';

/** A script that names outputs as variables, and the variables. */
export interface SecuredScript {
  readonly script: string;
  /** Values are placeholders. */
  readonly env: readonly EnvVariable[];
}

export type SecureResult =
  { readonly ok: true; readonly secured: SecuredScript } | { readonly ok: false; readonly message: string };

/** A command by its name, as a word of its own. */
const command = (names: string): RegExp => new RegExp(`(?:^|[^\\w.-])(?:${names})(?=\\s)`);

/** What would make code of a variable's value after all: evaluators, shells in the shell, arithmetic, the comparison of numbers in `[[`. */
const evaluators: readonly (readonly [RegExp, string])[] = [
  [command('eval'), 'eval'],
  [command('trap'), 'trap'],
  [command('(?:(?:ba|da|a|k|z)?sh|su)\\s+(?:\\S{1,99}\\s{1,9}){0,5}?-\\w*c'), 'a shell of its own'],
  [command('let|declare|typeset'), 'arithmetic'],
  [/\(\(|\$\[|\[\[[^\]]{0,500}\s-(?:eq|ne|lt|le|gt|ge)\s/, 'arithmetic'],
  [/<</, 'a here-document'],
];

type Quote = 'none' | 'single' | 'double';

/** Where in a script a place is: what quotes are open, innermost last; `$(` opens a fresh part. */
interface Reading {
  readonly text: string;
  at: number;
  readonly quotes: Quote[];
  isInBackticks: boolean;
  /** True after `$'…'`, which shells read in different ways: nothing is known of what follows. */
  isLost: boolean;
}

function isInside({ quotes }: Reading, quote: Quote): boolean {
  return quotes.at(-1) === quote;
}

/** A quote mark closes what it has opened; single ones mean nothing in double ones, and the other way round. */
function readQuote(reading: Reading, quote: Quote, other: Quote): void {
  if (isInside(reading, other)) return;
  if (isInside(reading, quote)) reading.quotes.pop();
  else reading.quotes.push(quote);
}

/** Parentheses count outside quotes; `$(` inside double quotes opens a part without them. */
function readParenthesis(reading: Reading, char: string): void {
  const { text, at, quotes } = reading;
  if (isInside(reading, 'single')) return;
  if (char === '(' && (isInside(reading, 'none') || text[at - 1] === '$')) quotes.push('none');
  else if (char === ')' && isInside(reading, 'none') && quotes.length > 1) quotes.pop();
}

function skipComment(reading: Reading): void {
  const isWord = reading.at > 0 && !/[\s;&|(]/.test(reading.text[reading.at - 1] ?? '');
  if (isWord || !isInside(reading, 'none')) return;
  const end = reading.text.indexOf('\n', reading.at);
  reading.at = end < 0 ? reading.text.length : end - 1;
}

const readers: Readonly<Record<string, (reading: Reading, char: string) => void>> = {
  "'": (reading) => {
    reading.isLost ||= isInside(reading, 'none') && reading.text[reading.at - 1] === '$';
    readQuote(reading, 'single', 'double');
  },
  '"': (reading) => readQuote(reading, 'double', 'single'),
  '\\': (reading) => {
    if (!isInside(reading, 'single')) reading.at += 1;
  },
  '`': (reading) => {
    if (!isInside(reading, 'single')) reading.isInBackticks = !reading.isInBackticks;
  },
  '(': readParenthesis,
  ')': readParenthesis,
  '#': skipComment,
};

/** Moves the reading to a place further on; false when that lies in the middle of something that was skipped: a comment, an escape. */
function readTo(reading: Reading, to: number): boolean {
  for (; reading.at < to; reading.at++) {
    const char = reading.text[reading.at] ?? '';
    readers[char]?.(reading, char);
  }
  return reading.at === to;
}

/** How a variable is written at a place so that a shell puts its value there, whole and unread; undefined where no way is known. */
function writeVariable(reading: Reading, start: number, name: string): string | undefined {
  if (!readTo(reading, start)) return undefined;
  const before = reading.text.slice(Math.max(0, start - 2), start);
  if (reading.isLost || reading.isInBackticks || before.endsWith('$') || before.endsWith('${')) return undefined;
  switch (reading.quotes.at(-1)) {
    case 'single':
      return `'"\${${name}}"'`;
    case 'double':
      return `\${${name}}`;
    default:
      return `"\${${name}}"`;
  }
}

/**
 * Puts variables into a shell script where outputs stand, so that the value of one is never read as a part of the script: a value is data,
 * whatever characters it has. Where that cannot be done (an output in backticks, in a comment, behind a backslash; scripts that evaluate
 * texts) the result says so.
 */
export function secureScript(text: string): SecureResult {
  if (!mayHaveOutputs(text)) return { ok: true, secured: { script: text, env: [] } };
  const evaluator = evaluators.find(([pattern]) => pattern.test(text));
  if (evaluator !== undefined) return { ok: false, message: `an output cannot stand in a script with ${evaluator[1]}` };
  const reading: Reading = { text, at: 0, quotes: ['none'], isInBackticks: false, isLost: false };
  const names = new Map<string, EnvVariable>();
  const lost: string[] = [];
  const script = replaceOutputs(text, (_, placeholder, start) => {
    const name = names.get(placeholder)?.name ?? `SLIPWAY_VALUE_${names.size + 1}`;
    names.set(placeholder, { name, value: placeholder });
    const written = writeVariable(reading, start, name);
    reading.at = start + placeholder.length;
    if (written === undefined) lost.push(placeholder);
    return written ?? '';
  });
  if (lost.length > 0) return { ok: false, message: 'an output cannot stand in this place of a script' };
  return { ok: true, secured: { script, env: [...names.values()] } };
}
