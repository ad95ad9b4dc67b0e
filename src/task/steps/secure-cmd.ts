import { mayHaveOutputs } from '../../domain/output-reference.ts';
import type { CmdStep, EnvVariable } from '../../domain/step.ts';
import type { Report } from '../diagnostic.ts';
import { secureScript } from '../shell/secure-script.ts';

/** The parts of a cmd step that outputs may stand in as a program. */
export type Commands = Pick<CmdStep, 'image' | 'arguments' | 'shell' | 'entryPoint'>;

/** The same, with variables where outputs stood in scripts, and these variables. */
export interface SecuredCommands {
  readonly commands: Commands;
  readonly env: readonly EnvVariable[];
}

const shells = new Set(['sh', 'bash', 'ash', 'dash', 'zsh', 'ksh']);

function isShell(word: string): boolean {
  const name = word.split('/').at(-1)?.split(/[:@]/)[0] ?? '';
  return shells.has(name);
}

const hint = 'give it to the step in env (NAME={{.Outputs.STEP.NAME}}), and use "$NAME" in single quotes';

/** A script with its outputs as variables; after an error as it stands. */
function secure(
  script: string,
  at: number,
  report: Report,
): { readonly script: string; readonly env: readonly EnvVariable[] } {
  const result = secureScript(script);
  if (result.ok) return result.secured;
  report.error(at, 'output', result.message, hint);
  return { script, env: [] };
}

/** Where the script stands that a shell is given with `-c`; -1 for other commands. */
function findScript({ image, arguments: words, entryPoint }: Commands): number {
  const option = words.findIndex((word) => /^-[a-zA-Z]*c$/.test(word));
  if (option < 0) return -1;
  const before = words.slice(0, option).filter((word) => !word.startsWith('-'));
  const program = before.length > 0 ? before : [entryPoint ?? image];
  return program.some(isShell) ? option + 1 : -1;
}

/** An argument that looks like a program in some language, in which the value would be read as a part of it. */
function warnOfCode({ arguments: words }: Commands, script: number, at: number, report: Report): void {
  const isCode = words.some(
    (word, index) =>
      index !== script &&
      mayHaveOutputs(word) &&
      /^(?:-c|-e|--eval|--execute|--command)$/.test(words[index - 1] ?? '') &&
      /[\s()"';]/.test(word),
  );
  if (isCode)
    report.warn(at, 'output', 'the value of an output becomes a part of this program, whatever is in it', hint);
}

/**
 * Keeps the values of outputs from being read as shell scripts: in a line that a shell runs in the container, and in what a shell is given with
 * `-c`, outputs become variables of the step's environment. Where that cannot be done it is an error; other programs' code is warned of.
 */
export function secureCommands(commands: Commands, at: number, report: Report): SecuredCommands {
  const { shell } = commands;
  if (shell !== undefined) {
    const { script, env } = secure(shell.script, at, report);
    return { commands: { ...commands, shell: { ...shell, script } }, env };
  }
  const place = findScript(commands);
  warnOfCode(commands, place, at, report);
  const text = commands.arguments[place];
  if (text === undefined || !mayHaveOutputs(text)) return { commands, env: [] };
  const { script, env } = secure(text, at, report);
  return { commands: { ...commands, arguments: commands.arguments.with(place, script) }, env };
}
