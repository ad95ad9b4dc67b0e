import type { Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import { isFinal, isRunId, runStatuses } from '../../domain/run.ts';
import { cleanLine } from '../clean-line.ts';
import type { Cli, Start } from '../cli.ts';
import { exitCodeOfRun, type ExitCode } from '../exit-codes.ts';
import { interruptedCode, withInterrupt } from '../io.ts';
import { followLog, sayThatItGoesOn } from '../run-log.ts';
import { formatRun, formatRuns, runResult } from '../run-view.ts';

const examples = `
Examples:
  slipway runs list --top 5
  slipway runs list --status failed --filter "createTime ge 2026-01-01T00:00:00Z"
  slipway runs show ca1 --json
  slipway runs logs ca1 -f
  slipway runs cancel ca1

FILTER is an OData expression over runId, status, runType, createTime, finishTime, isArchiveEnabled and outputImageManifests.`;

interface ListFlags {
  readonly top: string;
  readonly status?: string;
  readonly filter?: string;
}

function checkId(id: string): string {
  if (isRunId(id)) return id;
  const hint = 'A run’s id is short and looks like ca1: slipway runs list shows them.';
  throw fail('invalid-request', `"${id.slice(0, 60)}" is no run's id`, { field: 'id', hint });
}

function parseTop(text: string): number {
  const top = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (top >= 1 && top <= 1000) return top;
  throw fail('invalid-request', '--top must be a whole number from 1 to 1000', { field: '--top' });
}

function parseStatus(text: string): string {
  const status = runStatuses.find((one) => one.toLowerCase() === text.toLowerCase());
  if (status !== undefined) return status;
  throw fail('invalid-request', `--status must be one of ${runStatuses.join(', ')}`, { field: '--status' });
}

async function list({ screen, client, io }: Cli, flags: ListFlags): Promise<ExitCode> {
  const top = parseTop(flags.top);
  const status = flags.status === undefined ? [] : [`status eq '${parseStatus(flags.status)}'`];
  const filter = [...status, ...(flags.filter === undefined ? [] : [flags.filter])].join(' and ');
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

/** The lines of a text that comes in pieces. */
async function* splitLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

async function printLog({ screen, client }: Cli, id: string): Promise<ExitCode> {
  const kept: string[] = [];
  for await (const line of splitLines(await (await client()).log(id))) {
    const text = cleanLine(line, screen.hasColors);
    if (screen.json) kept.push(text);
    else await screen.print(text);
  }
  await screen.result({ runId: id, log: kept });
  return 0;
}

async function followToEnd(cli: Cli, id: string): Promise<ExitCode> {
  const client = await cli.client();
  const { status } = await client.run(id);
  // With --json each event is a line of its own: a stream has no single result.
  const onEvent = async (event: object): Promise<void> => void cli.io.stdout.write(`${JSON.stringify(event)}\n`);
  return withInterrupt(cli.io, async (signal) => {
    const run = await followLog(cli, client, id, { signal, ...(cli.screen.json && { onEvent }) });
    if (run !== undefined) return exitCodeOfRun(run.status);
    if (!isFinal(status)) sayThatItGoesOn(cli, id);
    return interruptedCode;
  });
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
    .option('--filter <expression>', 'only those for which an OData expression is true')
    .action((flags: ListFlags, command: Command) => start(command, (cli) => list(cli, flags)));
  runs
    .command('show')
    .description('Shows one run: its status, its steps and the images that it pushed.')
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
}
