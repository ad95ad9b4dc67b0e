import { Option, type Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import { isRunId } from '../../domain/run.ts';
import type { ApiClient, RunView, TaskRunBody } from '../api-types.ts';
import { isLoopback } from '../client-config.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { collect } from '../options.ts';
import { runToEnd } from '../run-to-end.ts';
import { followToEnd, printLog } from '../show-log.ts';
import { submitRun, type RunWish } from '../submit-run.ts';
import { findRunContext } from '../task-context.ts';
import { addTaskName, readTaskName, type TaskFlags } from '../task-options.ts';
import { readTaskArguments } from '../task-step.ts';

const runExamples = `
Examples:
  slipway task run web-app                              now, as it is
  slipway task run web-app --set version=1.3            with another value; build arguments: --arg
  slipway task run web-app -c . --no-wait               of this folder in place of its repository

Ctrl-C stops following, and the run goes on.`;

const logExamples = `
Examples:
  slipway task logs web-app               the log of its newest run
  slipway task logs web-app -f            of the newest run, to its end
  slipway task logs web-app --image app:v1
  slipway task logs --run-id ca1`;

type RunFlags = Pick<
  TaskFlags,
  'name' | 'context' | 'file' | 'arg' | 'secretArg' | 'set' | 'setSecret' | 'target' | 'agentPool'
> & { readonly logs: boolean; readonly wait: boolean; readonly updateTriggerToken?: string };

interface LogFlags {
  readonly name?: string;
  readonly runId?: string;
  readonly image?: string;
  readonly follow?: true;
}

type Overrides = NonNullable<TaskRunBody['overrideTaskStepProperties']>;

/** What the flags say of this one run, besides where it reads from. */
function readOverrides(cli: Cli, flags: RunFlags): Overrides {
  const { args, values } = readTaskArguments(flags, cli.io);
  return {
    ...(flags.file !== undefined && { file: flags.file }),
    ...(flags.target !== undefined && { target: flags.target }),
    ...(args.length > 0 && { arguments: args }),
    ...(values.length > 0 && { values }),
    ...(flags.updateTriggerToken !== undefined && {
      updateTriggerToken: Buffer.from(flags.updateTriggerToken).toString('base64'),
    }),
  };
}

function makeBody(name: string, flags: RunFlags, overrides: Overrides): TaskRunBody {
  return {
    type: 'TaskRunRequest',
    taskId: name,
    ...(Object.keys(overrides).length > 0 && { overrideTaskStepProperties: overrides }),
    ...(flags.agentPool !== undefined && { agentPoolName: flags.agentPool }),
  };
}

/** The run, and its context where that is another than the task's. */
async function readWish(cli: Cli, client: ApiClient, name: string, flags: RunFlags): Promise<RunWish> {
  const overrides = readOverrides(cli, flags);
  if (flags.context === undefined) return { context: undefined, body: () => makeBody(name, flags, overrides) };
  const { step } = (await client.task(name)).properties;
  const compress = !isLoopback(cli.server());
  const { context, file } = await findRunContext(cli.io, flags.context, { step, file: flags.file, compress });
  const more = { ...overrides, ...(file !== undefined && { file }) };
  return { context, body: (contextPath) => makeBody(name, flags, { ...more, contextPath }) };
}

async function run(cli: Cli, word: string | undefined, flags: RunFlags): Promise<ExitCode> {
  const name = readTaskName(word, flags);
  const client = await cli.client();
  const wish = await readWish(cli, client, name, flags);
  const submit = (signal: AbortSignal): Promise<RunView> => submitRun(cli, client, wish, signal);
  return runToEnd(cli, client, { submit, wait: flags.wait, logs: flags.logs, showSteps: true });
}

/** How many runs are looked through for the one that made an image. */
const maxRuns = 200;

function makes(run: RunView, image: string): boolean {
  const name = image.replace(/^[^/]*[.:][^/]*\//, '');
  return (run.outputImages ?? []).some(({ repository, tag, digest }) =>
    [`${repository}@${digest}`, `${repository}:${tag ?? ''}`, ...(tag === 'latest' ? [repository] : [])].includes(name),
  );
}

/** The newest run of a task, or of all; with `image` the newest that made it. */
async function findRun(client: ApiClient, name: string | undefined, image: string | undefined): Promise<RunView> {
  const filter = name === undefined ? {} : { filter: `taskName eq '${name}'` };
  const runs = await client.runs({ top: image === undefined ? 1 : maxRuns, ...filter });
  const found = image === undefined ? runs[0] : runs.find((one) => makes(one, image));
  if (found !== undefined) return found;
  if (name !== undefined && image === undefined) await client.task(name);
  const which = image === undefined ? 'yet' : `that made ${image}`;
  const whose = name === undefined ? 'no run' : `no run of task ${name}`;
  throw fail('not-found', `there is ${whose} ${which}`, {
    hint: name === undefined ? 'slipway runs list shows the runs' : `slipway task run ${name} starts one`,
  });
}

async function logs(cli: Cli, word: string | undefined, flags: LogFlags): Promise<ExitCode> {
  const { runId, image, follow } = flags;
  if (runId !== undefined && !isRunId(runId))
    throw fail('invalid-request', `"${runId.slice(0, 60)}" is no run's id`, { field: '--run-id' });
  const isAny = word === undefined && flags.name === undefined;
  const name = isAny ? undefined : readTaskName(word, flags);
  const id = runId ?? (await findRun(await cli.client(), name, image)).runId;
  if (runId === undefined) cli.screen.note(`Run ${id}:`);
  return follow === true ? followToEnd(cli, id) : printLog(cli, id);
}

/** Adds `slipway task run` and `slipway task logs`. */
export function addTaskRun(task: Command, start: Start): void {
  const command = task
    .command('run')
    .summary('run a task now')
    .description('Runs a task now, also one that is disabled, and shows what its steps print while they go on.');
  addTaskName(command)
    .option('-c, --context <context>', 'a folder, an archive or a URL, in place of the task’s own context')
    .option('-f, --file <path>', 'another Dockerfile or task file in the context')
    .option('--arg <name=value>', 'a build argument, over the task’s own; may be repeated', collect)
    .option('--secret-arg <name=value>', 'a build argument that is masked in all logs', collect)
    .option('--set <name=value>', 'a value, over the task’s own; may be repeated', collect)
    .option('--set-secret <name=value>', 'a value that is masked in all logs', collect)
    .option('--target <stage>', 'another stage of the Dockerfile to stop at')
    .option('--agent-pool <name>', 'other workers than the task’s own')
    .option('--update-trigger-token <text>', 'what the endpoint of the base-image trigger is told by from now on')
    .option('--no-logs', 'wait for the end without showing the log')
    .option('--no-wait', 'print the run’s id and end')
    .addOption(new Option('--no-format').hideHelp())
    .addHelpText('after', runExamples)
    .action((name: string | undefined, flags: RunFlags, called: Command) =>
      start(called, (cli) => run(cli, name, flags)),
    );
  addTaskName(task.command('logs'))
    .description('Prints the log of a task’s newest run, or of another.')
    .option('--run-id <id>', 'this run')
    .option('--image <name>', 'the run that made this image: name:tag or name@digest')
    .option('-f, --follow', 'go on until the run has ended')
    .addOption(new Option('--no-format').hideHelp())
    .addHelpText('after', logExamples)
    .action((name: string | undefined, flags: LogFlags, called: Command) =>
      start(called, (cli) => logs(cli, name, flags)),
    );
}
