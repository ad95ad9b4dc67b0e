import type { Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import type { PurgeRule, RegistryPolicies } from '../../domain/registry-care.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { addPolicyFlags, readPolicyFlags, type PolicyFlags } from '../policy-options.ts';
import { formatBytes, formatTable } from '../words.ts';

const examples = `
Examples:
  slipway registry policy show
  slipway registry policy update --soft-delete enabled --soft-delete-days 14
  slipway registry policy update --retention enabled --retention-days 30
  slipway registry policy update --quarantine enabled --quarantine-repository 'team/*'
  slipway registry policy update --purge enabled --purge-filter '.*:^pr-' --purge-ago 14d --purge-keep 5 --purge-untagged
  slipway registry policy update --quota 'team/*=50G' --quota base=5G
  slipway registry policy update --write-once 'team/*:v*,!*-rc' --write-once 'base:*,!latest'

Policies are applied every few minutes. What a flag does not name stays as it is; --purge-filter, --quota and --write-once set all their rules.`;

function describeRule({ filters, ago, notPulledFor, keep, untagged, untaggedOnly }: PurgeRule): string {
  const what = untaggedOnly === true ? 'untagged manifests of' : 'tags of';
  const more = untagged === true ? ', and untagged manifests' : '';
  const unused = notPulledFor === undefined ? '' : ` and not pulled for ${notPulledFor}`;
  const kept = keep === undefined || keep === 0 ? '' : `, but for the newest ${String(keep)}`;
  return `${what} ${filters.join(', ') || 'all repositories'} older than ${ago}${unused}${kept}${more}`;
}

function describeRetention({ days, notPulledDays = 0 }: RegistryPolicies['retentionPolicy']): string {
  const unused = notPulledDays === 0 ? '' : ` if nobody has pulled them for ${String(notPulledDays)} days`;
  return `untagged manifests go after ${String(days)} days${unused}`;
}

function describe(policies: RegistryPolicies): readonly (readonly string[])[] {
  const { softDeletePolicy, retentionPolicy, quarantinePolicy, purgePolicy, quotaPolicy, writeOncePolicy } = policies;
  return [
    ['soft delete', softDeletePolicy.status, `${String(softDeletePolicy.retentionDays)} days`],
    ['retention', retentionPolicy.status, describeRetention(retentionPolicy)],
    ['quarantine', quarantinePolicy.status, quarantinePolicy.repositories.join(', ')],
    ['purge', purgePolicy.status, `at ${purgePolicy.schedule} (UTC)`],
    ...purgePolicy.rules.map((rule) => ['', '', describeRule(rule)]),
    ...quotaPolicy.rules.map(({ repositories, maxBytes }) => ['quota', repositories, formatBytes(maxBytes)]),
    ...writeOncePolicy.rules.map(({ repositories, tags }) => ['write once', repositories, tags.join(', ')]),
  ];
}

async function print({ screen }: Cli, policies: RegistryPolicies): Promise<ExitCode> {
  await screen.result(policies);
  if (!screen.json) for (const line of formatTable(describe(policies))) await screen.print(line);
  return 0;
}

async function show(cli: Cli): Promise<ExitCode> {
  return print(cli, await (await cli.client()).policies());
}

async function update(cli: Cli, flags: PolicyFlags): Promise<ExitCode> {
  const change = readPolicyFlags(flags);
  if (Object.keys(change).length === 0)
    throw fail('invalid-request', 'nothing is to be changed', { hint: 'give --soft-delete, --retention, --purge …' });
  return print(cli, await (await cli.client()).updatePolicies(change));
}

/** Adds `slipway registry policy …`. */
export function addRegistryPolicy(registry: Command, start: Start): void {
  const policy = registry
    .command('policy')
    .summary('what is kept, and what goes')
    .description(
      'Says what can be had back, what goes by itself, what must be passed first, how much may be held, and which tags stay.',
    )
    .addHelpText('after', examples);
  policy
    .command('show')
    .description('Shows the policies.')
    .action((_flags: unknown, command: Command) => start(command, show));
  addPolicyFlags(policy.command('update'))
    .description('Changes policies.')
    .action((flags: PolicyFlags, command: Command) => start(command, (cli) => update(cli, flags)));
}
