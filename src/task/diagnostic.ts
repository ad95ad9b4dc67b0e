/** An error keeps a task from being planned; a warning says what will not do what it seems to. */
export type Severity = 'error' | 'warning';

/** One thing that is wrong with a task file, and where. */
export interface Diagnostic {
  readonly severity: Severity;
  /** What kind of fault it is, for programs: `unknown-key`, `type`, `yaml`, `template`, … */
  readonly code: string;
  /** One sentence for people. */
  readonly message: string;
  /** The file's name as it was handed in. */
  readonly file: string;
  /** Line in the file, from 1. */
  readonly line: number;
  /** Column in that line, from 1, in UTF-16 units. */
  readonly column: number;
  /** The text of that line. */
  readonly source: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** A fault found at a place of some stage's text; it becomes a {@link Diagnostic} once that place is found in the file. */
export interface Fault {
  readonly severity: Severity;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** Offset into the text of the stage, in UTF-16 units. */
  readonly at: number;
}

/** Collects the faults of one stage, in any order. */
export interface Report {
  readonly faults: readonly Fault[];
  error(at: number, code: string, message: string, hint?: string): void;
  warn(at: number, code: string, message: string, hint?: string): void;
  hasErrors(): boolean;
}

/** The most faults that are kept of one file; what comes after them is more of the same. */
const maxFaults = 200;

/** Makes an empty report. */
export function createReport(): Report {
  const faults: Fault[] = [];
  let errors = 0;
  const add = (fault: Fault): void => {
    if (faults.length < maxFaults || (fault.severity === 'error' && errors === 0)) faults.push(fault);
    if (fault.severity === 'error') errors += 1;
  };
  const rest = (hint: string | undefined): { readonly hint?: string } => (hint === undefined ? {} : { hint });
  return {
    faults,
    error: (at, code, message, hint) => add({ severity: 'error', code, message, at, ...rest(hint) }),
    warn: (at, code, message, hint) => add({ severity: 'warning', code, message, at, ...rest(hint) }),
    hasErrors: () => errors > 0,
  };
}

const paint = { red: '\u001b[31m', yellow: '\u001b[33m', bold: '\u001b[1m', dim: '\u001b[2m', off: '\u001b[0m' };

/** The most of a source line that is shown, around the place that is meant. */
const shownWidth = 160;

/** The part of the line that is shown, and the caret below it; tabs stay tabs so that the caret stands right. */
function quoteLine({ source, column }: Diagnostic): readonly [string, string] {
  const start = Math.max(0, Math.min(column - 1, source.length) - shownWidth / 2);
  const shown = source.slice(start, start + shownWidth).replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '·');
  const before = source.slice(start, Math.min(column - 1, source.length)).replace(/[^\t]/g, ' ');
  return [shown, `${before}^`];
}

/** Writes a diagnostic as compilers do: `file:line:column: error: message`, the source line, a caret below it, a hint. */
export function formatDiagnostic(diagnostic: Diagnostic, { color }: { readonly color: boolean }): string {
  const { severity, message, file, line, column, hint } = diagnostic;
  const style = (code: keyof typeof paint, text: string): string => (color ? paint[code] + text + paint.off : text);
  const label = style(severity === 'error' ? 'red' : 'yellow', `${severity}:`);
  const [shown, caret] = quoteLine(diagnostic);
  const number = String(line);
  const margin = ' '.repeat(number.length);
  const lines = [`${style('bold', `${file}:${number}:${column}:`)} ${label} ${message}`];
  if (diagnostic.source.trim() !== '')
    lines.push(style('dim', `  ${number} | `) + shown, style('dim', `  ${margin} | `) + style('red', caret));
  if (hint !== undefined) lines.push(`  ${margin} ${style('dim', 'hint:')} ${hint}`);
  return lines.join('\n');
}
