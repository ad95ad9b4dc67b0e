import type { Command } from 'commander';
import type { PurgeOrder, PurgeReport } from '../../domain/registry-care.ts';
import type { Cli, Start } from '../cli.ts';
import { confirm } from '../confirm.ts';
import type { ExitCode } from '../exit-codes.ts';
import { collect } from '../options.ts';
import { readWhole } from '../policy-options.ts';
import { formatBytes } from '../words.ts';

const examples = `
Examples:
  slipway registry purge --filter 'team/app:^pr-' --ago 14d --dry-run
  slipway registry purge --filter '.*:.*-rc[0-9]+$' --ago 30d --keep 3 --untagged
  slipway registry purge --untagged-only --ago 7d --not-pulled-for 30d

A filter is an expression (RE2) for the whole name of a repository, a colon, and one for any part of a tag. Nothing goes that is locked,
that is write-once, that a tag that stays needs (the platforms of an index, signatures), or that was pushed less than an hour ago.`;

interface Flags {
  readonly filter?: readonly string[];
  readonly ago: string;
  readonly notPulledFor?: string;
  readonly untagged?: true;
  readonly untaggedOnly?: true;
  readonly keep?: string;
  readonly dryRun?: true;
  readonly yes?: true;
}

function readOrder({ filter = [], ago, notPulledFor, untagged, untaggedOnly, keep }: Flags): PurgeOrder {
  return {
    ...{ filters: filter, ago },
    ...(notPulledFor !== undefined && { notPulledFor }),
    ...(untagged !== undefined && { untagged }),
    ...(untaggedOnly !== undefined && { untaggedOnly }),
    ...(keep !== undefined && { keep: readWhole(keep, '--keep') }),
  };
}

function count(number: number, what: string): string {
  return `${String(number)} ${what}${number === 1 ? '' : 's'}`;
}

function sumUp({ tags, manifests, bytes }: PurgeReport): string {
  const freed = bytes === 0 ? '' : `, ${formatBytes(bytes)} that garbage collection frees`;
  return `${count(tags.length, 'tag')} and ${count(manifests.length, 'manifest')}${freed}`;
}

async function printAll({ screen }: Cli, { tags, manifests }: PurgeReport): Promise<void> {
  for (const { repository, tag, digest } of tags) await screen.print(`${repository}:${tag}  ${digest}`);
  for (const { repository, digest } of manifests) await screen.print(`${repository}@${digest}`);
}

/** Shows what would go, and asks. */
async function mayDelete(cli: Cli, order: PurgeOrder): Promise<boolean> {
  const planned = await (await cli.client()).purge({ ...order, dryRun: true });
  if (!cli.screen.json) await printAll(cli, planned);
  const isEmpty = planned.tags.length + planned.manifests.length === 0;
  return isEmpty || confirm(cli.io, `Delete ${sumUp(planned)}?`);
}

async function purge(cli: Cli, flags: Flags): Promise<ExitCode> {
  const { screen } = cli;
  const order = readOrder(flags);
  const isAsked = flags.dryRun !== true && flags.yes !== true;
  if (isAsked && !(await mayDelete(cli, order))) {
    screen.note('Nothing was deleted.');
    return 1;
  }
  const report = await (await cli.client()).purge({ ...order, ...(flags.dryRun === true && { dryRun: true }) });
  await screen.result(report);
  if (screen.json) return 0;
  if (!isAsked) await printAll(cli, report);
  await screen.print(`${report.dryRun ? 'Would be deleted' : 'Deleted'}: ${sumUp(report)}.`);
  return 0;
}

/** Adds `slipway registry purge`. */
export function addRegistryPurge(registry: Command, start: Start): void {
  registry
    .command('purge')
    .summary('delete old tags and untagged manifests')
    .description('Deletes tags that match and are old enough, and manifests that no tag stands for.')
    .option('--filter <repositories:tags>', 'what goes; may be repeated', collect)
    .option('--ago <duration>', 'only what is older: 30d, 2d3h6m', '1d')
    .option('--not-pulled-for <duration>', 'only what nobody has pulled for so long')
    .option('--untagged', 'also manifests that no tag stands for')
    .option('--untagged-only', 'these alone')
    .option('--keep <count>', 'of the tags that would go, so many of the newest stay')
    .option('--dry-run', 'only say what would go')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', examples)
    .action((flags: Flags, command: Command) => start(command, (cli) => purge(cli, flags)));
}
