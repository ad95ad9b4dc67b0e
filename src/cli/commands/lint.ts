import type { Command } from 'commander';
import type { Diagnostic } from '../../task/diagnostic.ts';
import type { Values } from '../../task/render-data.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { addValueOptions } from '../options.ts';
import { formatDiagnostics, hideValues, planFile, readTaskInputs, readTaskText, type TaskFlags } from '../task-file.ts';

const examples = `
Examples:
  slipway lint task.yaml
  slipway lint tasks/*.yaml --strict            warnings count as errors
  slipway lint task.yaml --json                 faults with file, line and column

Values that are not given have a word of their own put in their place. Exit code 1: a file has errors.`;

interface LintFlags extends TaskFlags {
  readonly strict?: boolean;
}

/** What was found in one file. */
interface LintResult {
  readonly file: string;
  readonly ok: boolean;
  readonly errors: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

/** Words in the place of values that nobody gave, so that image names and the like are whole. */
function standIns(text: string, given: Values): Values {
  const names = [...text.matchAll(/\.Values\.([A-Za-z_]\w*)/g)].map(([, name = '']) => name);
  return { ...Object.fromEntries(names.map((name) => [name, 'value'])), ...given };
}

async function lintFile(cli: Cli, name: string, flags: TaskFlags): Promise<LintResult> {
  const file = await readTaskText(cli.io, name);
  const filled = { registry: 'registry.example.com', runId: 'run1', commit: 'commit', branch: 'branch', ...flags };
  const { run, values, hidden } = await readTaskInputs(cli.io, filled);
  const whole = await planFile(cli, file, { run, values: standIns(file.text, values) });
  // A list or a map that nobody gave is no word: a file that is right without any value is right.
  const bare = whole.ok ? whole : await planFile(cli, file, { run, values });
  const result = bare.ok ? bare : whole;
  const errors = result.ok ? [] : result.errors;
  return hideValues({ file: file.name, ok: result.ok, errors, warnings: result.warnings }, hidden);
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

async function lint(cli: Cli, names: readonly string[], flags: LintFlags): Promise<ExitCode> {
  const { screen } = cli;
  const results: LintResult[] = [];
  for (const name of names) results.push(await lintFile(cli, name, flags));
  const errors = results.flatMap((one) => one.errors);
  const warnings = results.flatMap((one) => one.warnings);
  await screen.result(results);
  const isBad = errors.length > 0 || (flags.strict === true && warnings.length > 0);
  if (screen.json) return isBad ? 1 : 0;
  for (const one of results)
    for (const text of formatDiagnostics([...one.errors, ...one.warnings], screen.hasColors)) await screen.print(text);
  const what =
    errors.length + warnings.length === 0
      ? 'nothing to say'
      : `${count(errors.length, 'error')}, ${count(warnings.length, 'warning')}`;
  await screen.print(`${count(results.length, 'file')}: ${what}`);
  return isBad ? 1 : 0;
}

/** Adds `slipway lint`. */
export function addLint(program: Command, start: Start): void {
  const command = program
    .command('lint')
    .summary('check task files')
    .description(
      'Checks task files: errors that keep them from running, and warnings about what does nothing or is not as it seems.',
    )
    .argument('<files...>', 'the task files; - is stdin');
  addValueOptions(command, 'not shown')
    .option('-r, --registry <host>', 'host of the registry: {{.Run.Registry}}')
    .option('--strict', 'fail on warnings too')
    .addHelpText('after', examples)
    .action((files: readonly string[], flags: LintFlags, called: Command) =>
      start(called, (cli) => lint(cli, files, flags)),
    );
}
