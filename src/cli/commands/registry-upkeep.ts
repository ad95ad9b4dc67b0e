import type { Command } from 'commander';
import { resolve } from 'node:path';
import type {
  CheckMessage,
  CheckOrder,
  CheckSummary,
  CollectionReport,
  Finding,
} from '../../domain/registry-upkeep.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { formatBytes } from '../words.ts';

const gcExamples = `
Examples:
  slipway registry gc --dry-run           what would go now
  slipway registry gc                     a round now; the server makes one every few minutes by itself
  slipway registry gc --walk              looks through the whole store for what a crash left, too

What goes in one round: blobs that no manifest has named for a day leave their repository; bytes that no repository holds are
condemned; bytes that were condemned a day ago are removed. A push of the same bytes saves them until then.`;

const checkExamples = `
Examples:
  slipway registry check                          every byte, every manifest, every tag
  slipway registry check --no-bytes               sizes alone: quick
  slipway registry check --repository team/app
  slipway registry check --repair                 puts right what can be
  slipway registry check --data ~/.slipway        without a server, in a data directory on this machine

Exit code 0: all is well, or was put right. 1: something is left.`;

interface CollectFlags {
  readonly dryRun?: true;
  readonly walk?: true;
}

interface CheckFlags {
  readonly repair?: true;
  readonly repository?: string;
  readonly bytes: boolean;
  readonly data?: string;
}

function describeReport({ dryRun, unlinked, condemned, removed, waiting, orphans }: CollectionReport): string[] {
  const [leave, are] = dryRun ? ['would leave', 'would be'] : ['left', 'were'];
  return [
    `${String(unlinked.count)} blobs (${formatBytes(unlinked.bytes)}) that no manifest names ${leave} their repositories.`,
    `${String(condemned)} contents that no repository holds ${are} condemned${orphans ? `, ${String(orphans)} of them left by a crash` : ''}.`,
    `${String(removed.count)} contents (${formatBytes(removed.bytes)}) ${are} removed; ${String(waiting)} wait.`,
  ];
}

async function collect({ client, screen }: Cli, flags: CollectFlags): Promise<ExitCode> {
  const order = { ...(flags.dryRun && { dryRun: true }), ...(flags.walk && { walk: true }) };
  const report = await (await client()).collectRegistry(order);
  await screen.result(report);
  if (screen.json) return 0;
  for (const line of describeReport(report)) await screen.print(line);
  return 0;
}

function describeFinding({ severity, kind, where, message, repaired, hint }: Finding): string {
  const end = repaired === undefined ? (hint === undefined ? '' : ` – ${hint}`) : ` – repaired: ${repaired}`;
  return `${severity.padEnd(7)}  ${kind}  ${where}: ${message}${end}`;
}

function describeSummary({
  repositories,
  manifests,
  tags,
  contents,
  read,
  findings,
  left,
  seconds,
}: CheckSummary): string {
  const seen = `${String(repositories)} repositories, ${String(manifests)} manifests, ${String(tags)} tags, ${String(contents.count)} blobs (${formatBytes(contents.bytes)})`;
  const found = findings === 0 ? 'nothing is wrong' : `${String(findings)} findings, ${String(left)} left to be done`;
  return `Checked ${seen} in ${String(seconds)} s, ${formatBytes(read)} read: ${found}.`;
}

/** With `--data` the work is done here, where no server runs. */
async function* openCheck(cli: Cli, order: CheckOrder, data: string | undefined): AsyncIterable<CheckMessage> {
  if (data === undefined) {
    yield* (await cli.client()).checkRegistry(order);
    return;
  }
  const dataDir = resolve(cli.io.cwd, data);
  yield* (await cli.host()).checkRegistry({ ...cli.config(), dataDir }, order);
}

/** Shows a message as it comes; with `--json`, the result is shown in one piece at the end. */
async function show({ screen }: Cli, message: CheckMessage): Promise<void> {
  if (message.is === 'progress') {
    const total = message.total === undefined ? '' : ` of ${String(message.total)}`;
    screen.note(`${message.phase}: ${String(message.done)}${total}, ${formatBytes(message.bytes)} read`);
  } else if (!screen.json) {
    await screen.print(message.is === 'finding' ? describeFinding(message) : describeSummary(message));
  }
}

function orderOf({ repair, repository, bytes }: CheckFlags): CheckOrder {
  return { ...(repair && { repair }), ...(repository !== undefined && { repository }), bytes };
}

async function check(cli: Cli, flags: CheckFlags): Promise<ExitCode> {
  const findings: Finding[] = [];
  let summary: CheckSummary | undefined;
  for await (const message of openCheck(cli, orderOf(flags), flags.data)) {
    const { is, ...rest } = message;
    if (is === 'summary') summary = rest as CheckSummary;
    if (is === 'finding') findings.push(rest as Finding);
    await show(cli, message);
  }
  await cli.screen.result({ findings, summary });
  return summary?.left === 0 ? 0 : 1;
}

/** Adds `slipway registry gc` and `slipway registry check`. */
export function addRegistryUpkeep(registry: Command, start: Start): void {
  registry
    .command('gc')
    .description('Removes what nobody uses any more.')
    .option('--dry-run', 'only say what would go')
    .option('--walk', 'look through the whole store for what a crash left')
    .addHelpText('after', gcExamples)
    .action((flags: CollectFlags, command: Command) => start(command, (cli) => collect(cli, flags)));
  registry
    .command('check')
    .description('Checks everything that the registry has stored, while it is used.')
    .option('--repair', 'put right what can be')
    .option('--repository <name>', 'only this repository')
    .option('--no-bytes', 'ask for the sizes of contents, and read none')
    .option('--data <dir>', 'a data directory on this machine whose server is down')
    .addHelpText('after', checkExamples)
    .action((flags: CheckFlags, command: Command) => start(command, (cli) => check(cli, flags)));
}
