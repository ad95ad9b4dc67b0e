import type { Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import { drawDot, drawMermaid, drawText } from '../../task/draw-plan.ts';
import { planDocument } from '../../task/plan-document.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { addValueOptions } from '../options.ts';
import { formatDiagnostics, hideValues, planFile, readTaskInputs, readTaskText, type TaskFlags } from '../task-file.ts';

const examples = `
Examples:
  slipway plan -f task.yaml --registry localhost:5080 --set version=1.2
  slipway plan task.yaml --json                 the plan for programs
  slipway plan task.yaml --dot | dot -Tsvg > task.svg
  slipway plan - < task.yaml

FILE is acb.yaml when not given. Nothing is run. Exit code 1: the file has faults, which are shown with their places.`;

interface PlanFlags extends TaskFlags {
  readonly file?: string;
  readonly dot?: boolean;
  readonly mermaid?: boolean;
}

function fileOf(word: string | undefined, { file }: PlanFlags): string {
  if (word !== undefined && file !== undefined && word !== file)
    throw fail('invalid-request', 'name the task file once, with -f or without', { field: 'FILE' });
  return word ?? file ?? 'acb.yaml';
}

async function plan(cli: Cli, word: string | undefined, flags: PlanFlags): Promise<ExitCode> {
  const { io, screen } = cli;
  if (flags.dot === true && flags.mermaid === true)
    throw fail('invalid-request', '--dot and --mermaid are two ways to draw; choose one', { field: '--dot' });
  const file = await readTaskText(io, fileOf(word, flags));
  const inputs = await readTaskInputs(io, flags);
  const result = await planFile(cli, file, inputs);
  await screen.result(hideValues(planDocument(result), inputs.hidden));
  const found = result.ok ? result.warnings : [...result.errors, ...result.warnings];
  for (const text of formatDiagnostics(hideValues(found, inputs.hidden), screen.hasColors)) screen.note(text);
  if (!result.ok) return 1;
  if (screen.json) return 0;
  const shown = hideValues(result.plan, inputs.hidden);
  const draw = flags.dot === true ? drawDot : flags.mermaid === true ? drawMermaid : drawText;
  await screen.print(draw(shown, io.stdout.columns ?? 120).trimEnd());
  return 0;
}

/** Adds `slipway plan`. */
export function addPlan(program: Command, start: Start): void {
  const command = program
    .command('plan')
    .summary('show what a task file would do, without doing it')
    .description('Renders and checks a task file and shows the steps that it comes to, and in which order they run.')
    .argument('[file]', 'the task file; - is stdin')
    .option('-f, --file <path>', 'the task file');
  addValueOptions(command, 'not shown')
    .option('-r, --registry <host>', 'host of the registry: {{.Run.Registry}}')
    .option('--run-id <id>', 'id of the run: {{.Run.ID}}')
    .option('--task <name>', 'name of the task: {{.Run.TaskName}}')
    .option('--commit <sha>', 'commit: {{.Run.Commit}}')
    .option('--branch <name>', 'branch: {{.Run.Branch}}')
    .option('--dot', 'draw the graph for Graphviz')
    .option('--mermaid', 'draw the graph for Mermaid')
    .addHelpText('after', examples)
    .action((file: string | undefined, flags: PlanFlags, called: Command) =>
      start(called, (cli) => plan(cli, file, flags)),
    );
}
