/** A piece of a command line: a word, or something that only a shell can do. */
export interface ShellToken {
  readonly kind: 'word' | 'operator';
  /** A word with quotes removed and variables filled in; an operator as written. */
  readonly text: string;
  /** Where it stands in the line. */
  readonly start: number;
  readonly end: number;
  /** The word as written has quotes or backslashes. */
  readonly isQuoted: boolean;
}

/** A variable that the line uses outside single quotes. */
export interface UsedVariable {
  readonly name: string;
  readonly at: number;
  /** False when it has no value here, and so is empty. */
  readonly isSet: boolean;
}

/** A command line taken apart by the rules of POSIX (Shell Command Language, 2.2 to 2.6). */
export interface ShellLine {
  readonly tokens: readonly ShellToken[];
  /** The commands inside `$(…)` and backticks outside single quotes, and where they stand. */
  readonly substitutions: readonly { readonly text: string; readonly at: number }[];
  readonly variables: readonly UsedVariable[];
}

/** Why a line is none, and where. */
export interface ShellFault {
  readonly message: string;
  readonly at: number;
}

export type ShellResult =
  { readonly ok: true; readonly line: ShellLine } | { readonly ok: false; readonly fault: ShellFault };

/** The values of variables. */
export type Lookup = (name: string) => string | undefined;

/** Reading state over one line. */
export interface Scan {
  readonly text: string;
  readonly lookup: Lookup;
  at: number;
  readonly tokens: ShellToken[];
  readonly substitutions: { readonly text: string; readonly at: number }[];
  readonly variables: UsedVariable[];
  /** The word being read; undefined between words. */
  word: { start: number; text: string; isQuoted: boolean } | undefined;
}

/** Thrown inside this folder only; {@link readShellLine} turns it into a result. */
export class ShellFaultError extends Error {
  readonly fault: ShellFault;

  constructor(message: string, at: number) {
    super(message);
    this.fault = { message, at };
  }
}
