import { ShellFaultError, type Scan } from './tokens.ts';

/** How deep `$(…)` may be nested. */
const maxNesting = 16;

function skipQuoted(text: string, from: number, depth: number): number {
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '"') return at + 1;
    if (char === '\\') at += 1;
    else if (char === '$' && text[at + 1] === '(') at = skipParentheses(text, at + 2, depth + 1) - 1;
  }
  throw new ShellFaultError('a double quote is not closed', from - 1);
}

function skipSingle(text: string, from: number): number {
  const end = text.indexOf("'", from);
  if (end < 0) throw new ShellFaultError('a single quote is not closed', from - 1);
  return end + 1;
}

/** The offset after the parenthesis that closes the one before `from`; quotes inside are honoured. */
export function skipParentheses(text: string, from: number, depth = 0): number {
  if (depth > maxNesting) throw new ShellFaultError('$(…) is nested too deeply', from);
  let open = 1;
  let at = from;
  while (at < text.length) {
    const char = text[at];
    at += 1;
    if (char === '\\') at += 1;
    else if (char === "'") at = skipSingle(text, at);
    else if (char === '"') at = skipQuoted(text, at, depth);
    else if (char === '(') open += 1;
    else if (char === ')' && --open === 0) return at;
  }
  throw new ShellFaultError('$( is not closed', from - 2);
}

const plainName = /[A-Za-z_][A-Za-z0-9_]*/y;
const braced = /\{([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])(?:(:?[-+=?])([^{}"'`$\\]*))?\}/y;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** `${NAME-word}` and its like; `word` is taken as it stands. */
function applyOperator(value: string | undefined, operator: string | undefined, word: string): string {
  if (operator === undefined) return value ?? '';
  const isMissing = value === undefined || (operator.startsWith(':') && value === '');
  if (operator.endsWith('+')) return isMissing ? '' : word;
  return isMissing && !operator.endsWith('?') ? word : (value ?? '');
}

/** A parameter that only a running shell has: `$1`, `$?`, `$#`. A fresh shell would find it empty or zero. */
function specialValue(name: string): string | undefined {
  return name === '?' || name === '#' ? '0' : undefined;
}

function useVariable(scan: Scan, name: string, at: number): string | undefined {
  const value = /^[A-Za-z_]/.test(name) ? scan.lookup(name) : specialValue(name);
  scan.variables.push({ name, at, isSet: value !== undefined });
  return value;
}

function expandBraces(scan: Scan, at: number): string {
  const found = matchAt(braced, scan.text, at + 1);
  if (found === null) throw new ShellFaultError('this form of ${…} is not supported', at);
  const [whole, name = '', operator, word = ''] = found;
  scan.at = at + 1 + whole.length;
  return applyOperator(useVariable(scan, name, at), operator, word);
}

/** Notes a command substitution and keeps it as written: only a shell can fill it in. */
function keepSubstitution(scan: Scan, at: number, end: number, open: number): string {
  scan.at = end;
  scan.substitutions.push({ text: scan.text.slice(at + open, end - 1), at });
  return scan.text.slice(at, end);
}

/**
 * Reads what a `$` at the scan's place begins, leaves the scan after it, and returns what stands in its place; `isLiteral` when that must
 * not be split into words.
 */
export function readDollar(scan: Scan): { readonly text: string; readonly isLiteral: boolean } {
  const { at, text } = scan;
  const next = text[at + 1] ?? '';
  if (next === '(') return { text: keepSubstitution(scan, at, skipParentheses(text, at + 2), 2), isLiteral: true };
  if (next === '{') return { text: expandBraces(scan, at), isLiteral: false };
  const name = matchAt(plainName, text, at + 1)?.[0] ?? (/[0-9@*#?!-]/.test(next) ? next : '');
  if (name === '') {
    scan.at = at + 1;
    return { text: '$', isLiteral: true };
  }
  scan.at = at + 1 + name.length;
  return { text: useVariable(scan, name, at) ?? '', isLiteral: false };
}

/** Reads a substitution in backticks at the scan's place. */
export function readBackticks(scan: Scan): string {
  const { at, text } = scan;
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === '\\') end += 1;
    else if (text[end] === '`') return keepSubstitution(scan, at, end + 1, 1);
  }
  throw new ShellFaultError('a backtick is not closed', at);
}
