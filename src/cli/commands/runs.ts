import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import { isFinal, isRunId, runStatuses } from '../../domain/run.ts';
import { isTaskName } from '../../domain/task.ts';
import type { RunView } from '../api-types.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseTop } from '../options.ts';
import { runToEnd } from '../run-to-end.ts';
import { formatRun, formatRuns, runResult } from '../run-view.ts';
import { followToEnd, printLog } from '../show-log.ts';

const examples = `
Examples:
  slipway runs list --top 5
  slipway runs list --status failed --filter "createTime ge 2026-01-01T00:00:00Z"
  slipway runs list --task web-app --pool arm
  slipway runs show ca1 --json
  slipway runs logs ca1 -f
  slipway runs cancel ca1
  slipway runs rerun ca1
  slipway runs rerun ca1 --from-failed

FILTER is an OData expression over runId, status, runType, taskName, agentPoolName, createTime, finishTime, isArchiveEnabled and
outputImageManifests.`;

interface ListFlags {
  readonly top: string;
  readonly status?: string;
  readonly task?: string;
  readonly pool?: string;
  readonly filter?: string;
}

interface RerunFlags {
  readonly fromFailed?: boolean;
  readonly wait: boolean;
  readonly logs: boolean;
}

function checkId(id: string): string {
  if (isRunId(id)) return id;
  const hint = 'A run’s id is short and looks like ca1: slipway runs list shows them.';
  throw fail('invalid-request', `"${id.slice(0, 60)}" is no run's id`, { field: 'id', hint });
}

function parseStatus(text: string): string {
  const status = runStatuses.find((one) => one.toLowerCase() === text.toLowerCase());
  if (status !== undefined) return status;
  throw fail('invalid-request', `--status must be one of ${runStatuses.join(', ')}`, { field: '--status' });
}

function parsePool(text: string): string {
  if (/^[A-Za-z0-9-]{1,63}$/.test(text)) return text;
  throw fail('invalid-request', '--pool must be the name of an agent pool', { field: '--pool' });
}

function parseTask(text: string): string {
  if (isTaskName(text)) return text;
  throw fail('invalid-request', '--task must be the name of a task', { field: '--task' });
}

/** One expression of all that the flags ask for; an expression of the user's own is kept together. */
function makeFilter({ status, task, pool, filter }: ListFlags): string {
  const own = [
    ...(status === undefined ? [] : [`status eq '${parseStatus(status)}'`]),
    ...(task === undefined ? [] : [`taskName eq '${parseTask(task)}'`]),
    ...(pool === undefined ? [] : [`agentPoolName eq '${parsePool(pool)}'`]),
  ];
  if (filter === undefined) return own.join(' and ');
  const isSeveral = own.length > 0 && /\bor\b/i.test(filter);
  return [...own, isSeveral ? `(${filter})` : filter].join(' and ');
}

async function list({ screen, client, io }: Cli, flags: ListFlags): Promise<ExitCode> {
  const top = parseTop(flags.top);
  const filter = makeFilter(flags);
  const runs = await (await client()).runs({ top, ...(filter !== '' && { filter }) });
  await screen.result(runs.map(runResult));
  if (screen.json) return 0;
  if (runs.length === 0) screen.note('There are no such runs.');
  else for (const line of formatRuns(runs, screen.colors, io.clock.now())) await screen.print(line);
  return 0;
}

async function show({ screen, client, io }: Cli, id: string): Promise<ExitCode> {
  const run = await (await client()).run(checkId(id));
  await screen.result(runResult(run));
  if (!screen.json) for (const line of formatRun(run, screen.colors, io.clock.now())) await screen.print(line);
  return 0;
}

async function rerun(cli: Cli, id: string, { wait, logs, fromFailed = false }: RerunFlags): Promise<ExitCode> {
  const client = await cli.client();
  checkId(id);
  const submit = (): Promise<RunView> => client.rerun(id, { fromFailed, idempotencyKey: randomUUID() });
  return runToEnd(cli, client, { submit, wait, logs, showSteps: true });
}

async function cancel(cli: Cli, id: string): Promise<ExitCode> {
  const { screen } = cli;
  const client = await cli.client();
  const before = await client.run(checkId(id));
  if (!isFinal(before.status)) await client.cancel(id);
  const run = isFinal(before.status) ? before : await client.run(id);
  await screen.result(runResult(run));
  if (screen.json) return 0;
  if (isFinal(before.status)) await screen.print(`Run ${id} is over already: ${before.status}`);
  else if (run.status === 'Canceled') await screen.print(`Run ${id} is canceled.`);
  else await screen.print(`Run ${id} is being stopped; slipway runs logs ${id} -f shows its end.`);
  return 0;
}

/** Adds `slipway runs …`. */
export function addRuns(program: Command, start: Start): void {
  const runs = program
    .command('runs')
    .summary('list, show, follow and cancel runs')
    .description('Shows what was built, and stops what is being built.')
    .addHelpText('after', examples);
  runs
    .command('list')
    .description('Lists runs, the newest first.')
    .option('--top <number>', 'how many, 1 to 1000', '15')
    .option('--status <status>', `only those that are ${runStatuses.join(', ')}`)
    .option('--task <name>', 'only those of a task')
    .option('--pool <name>', 'only those of an agent pool')
    .option('--filter <expression>', 'only those for which an OData expression is true')
    .action((flags: ListFlags, command: Command) => start(command, (cli) => list(cli, flags)));
  runs
    .command('show')
    .description('Shows one run: its status, what started it, why it waits, its steps and the images that it pushed.')
    .argument('<id>', 'the run’s id, for example ca1')
    .action((id: string, _flags: unknown, command: Command) => start(command, (cli) => show(cli, id)));
  runs
    .command('logs')
    .description('Prints a run’s log. With -f: to the end of the run, whose success is the exit code.')
    .argument('<id>', 'the run’s id, for example ca1')
    .option('-f, --follow', 'go on until the run has ended')
    .action((id: string, { follow }: { follow?: true }, command: Command) =>
      start(command, (cli) => (follow === true ? followToEnd(cli, checkId(id)) : printLog(cli, checkId(id)))),
    );
  runs
    .command('cancel')
    .description('Cancels a run: a queued one at once, a running one as soon as its worker has stopped the build.')
    .argument('<id>', 'the run’s id, for example ca1')
    .action((id: string, _flags: unknown, command: Command) => start(command, (cli) => cancel(cli, id)));
  runs
    .command('rerun')
    .description(
      'Runs again what is over, as it was: the same source at the same commit, with the secrets of its task as they are now.',
    )
    .argument('<id>', 'the run’s id, for example ca1')
    .option('--from-failed', 'go on from where it failed: take over what had succeeded, and run the rest')
    .option('--no-logs', 'wait for the end without showing the log')
    .option('--no-wait', 'print the new run’s id and end')
    .action((id: string, flags: RerunFlags, command: Command) => start(command, (cli) => rerun(cli, id, flags)));
}
