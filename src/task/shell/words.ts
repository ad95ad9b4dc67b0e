import { readBackticks, readDollar } from './expansion.ts';
import { ShellFaultError, type Lookup, type Scan, type ShellResult } from './tokens.ts';

const operators = ['<<-', '&&', '||', ';;', '<<', '>>', '<&', '>&', '<>', '>|', '&', '|', ';', '<', '>', '(', ')'];
const isBlank = (char: string): boolean => char === ' ' || char === '\t' || char === '\r';

const plainRun = /[^\s'"\\$`&|;<>()#]+/y;
const quotedRun = /[^"\\$`]+/y;

/** The longest run of characters without a meaning that begins at the scan's place. */
function readRun(pattern: RegExp, { text, at }: Scan): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function openWord(scan: Scan, start: number, isQuoted: boolean): { text: string; isQuoted: boolean } {
  scan.word ??= { start, text: '', isQuoted: false };
  if (isQuoted) scan.word.isQuoted = true;
  return scan.word;
}

function closeWord(scan: Scan, end: number): void {
  if (scan.word === undefined) return;
  scan.tokens.push({ kind: 'word', end, ...scan.word });
  scan.word = undefined;
}

function addOperator(scan: Scan, text: string): void {
  // Digits right before < or > are the number of a file descriptor, and part of the operator.
  const { word } = scan;
  const hasNumber = word !== undefined && !word.isQuoted && /^\d+$/.test(word.text) && /^[<>]/.test(text);
  if (hasNumber) scan.word = undefined;
  else closeWord(scan, scan.at);
  const start = hasNumber ? word.start : scan.at;
  scan.at += text.length;
  scan.tokens.push({ kind: 'operator', text, start, end: scan.at, isQuoted: false });
}

function readSingleQuotes(scan: Scan): void {
  const end = scan.text.indexOf("'", scan.at + 1);
  if (end < 0) throw new ShellFaultError('a single quote is not closed', scan.at);
  openWord(scan, scan.at, true).text += scan.text.slice(scan.at + 1, end);
  scan.at = end + 1;
}

/** What stands at the scan's place inside double quotes; the scan moves behind it. */
function readInDoubleQuotes(scan: Scan): string {
  const [char = '', next = ''] = [scan.text[scan.at], scan.text[scan.at + 1]];
  if (char === '$') return readDollar(scan).text;
  if (char === '`') return readBackticks(scan);
  const run = readRun(quotedRun, scan);
  if (run !== '') {
    scan.at += run.length;
    return run;
  }
  const isEscape = char === '\\' && /[$`"\\\n]/.test(next);
  scan.at += isEscape ? 2 : 1;
  if (!isEscape) return char;
  return next === '\n' ? '' : next;
}

function readDoubleQuotes(scan: Scan): void {
  const { text, at: start } = scan;
  const word = openWord(scan, start, true);
  scan.at += 1;
  while (scan.at < text.length) {
    if (text[scan.at] === '"') {
      scan.at += 1;
      return;
    }
    word.text += readInDoubleQuotes(scan);
  }
  throw new ShellFaultError('a double quote is not closed', start);
}

function readBackslash(scan: Scan): void {
  const next = scan.text[scan.at + 1];
  // A backslash at the end of a line joins it with the next one.
  if (next !== '\n') openWord(scan, scan.at, true).text += next ?? '\\';
  scan.at += 2;
}

/** A variable outside quotes: its value is split into words at blanks, and an empty one leaves no word behind. */
function readVariable(scan: Scan): void {
  const start = scan.at;
  const { text, isLiteral } = readDollar(scan);
  if (isLiteral) {
    openWord(scan, start, false).text += text;
    return;
  }
  const parts = text.split(/[ \t\n]+/);
  parts.forEach((part, index) => {
    if (index > 0) closeWord(scan, scan.at);
    if (part !== '') openWord(scan, start, false).text += part;
  });
}

function skipComment(scan: Scan): void {
  const end = scan.text.indexOf('\n', scan.at);
  scan.at = end < 0 ? scan.text.length : end;
}

function readPlain(scan: Scan, char: string): void {
  const operator = /[&|;<>()]/.test(char) ? operators.find((one) => scan.text.startsWith(one, scan.at)) : undefined;
  if (operator !== undefined) addOperator(scan, operator);
  else if (char === '\n') addOperator(scan, '\n');
  else if (isBlank(char)) {
    closeWord(scan, scan.at);
    scan.at += 1;
  } else if (char === '#' && scan.word === undefined) skipComment(scan);
  else {
    const run = readRun(plainRun, scan) || char;
    openWord(scan, scan.at, false).text += run;
    scan.at += run.length;
  }
}

function readBackticksInWord(scan: Scan): void {
  const word = openWord(scan, scan.at, false);
  word.text += readBackticks(scan);
}

const readers: Readonly<Record<string, (scan: Scan) => void>> = {
  "'": readSingleQuotes,
  '"': readDoubleQuotes,
  '\\': readBackslash,
  $: readVariable,
  '`': readBackticksInWord,
};

function readNext(scan: Scan): void {
  const char = scan.text[scan.at] ?? '';
  const reader = readers[char];
  if (reader === undefined) readPlain(scan, char);
  else reader(scan);
}

/**
 * Takes a command line apart as a POSIX shell would, without running anything: quotes, backslashes, comments, variables (from `lookup`;
 * what it does not know is empty), operators. File name patterns and `~` stay as they are.
 */
export function readShellLine(text: string, lookup: Lookup): ShellResult {
  const scan: Scan = { text, lookup, at: 0, tokens: [], substitutions: [], variables: [], word: undefined };
  try {
    while (scan.at < text.length) readNext(scan);
    closeWord(scan, text.length);
  } catch (error) {
    if (error instanceof ShellFaultError) return { ok: false, fault: error.fault };
    throw error;
  }
  const { tokens, substitutions, variables } = scan;
  return { ok: true, line: { tokens, substitutions, variables } };
}

/** Writes a word so that a POSIX shell reads it back as it is. */
export function quoteWord(word: string): string {
  return word !== '' && !/[^\w@%+=:,./-]/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
