import { Option, type Command } from 'commander';
import { fail } from '../domain/failure.ts';
import type { PolicyChange, PolicyStatus, PurgePolicy, PurgeRule } from '../domain/registry-care.ts';
import { collect } from './options.ts';

/** The flags of `slipway registry policy update`. */
export interface PolicyFlags {
  readonly softDelete?: PolicyStatus;
  readonly softDeleteDays?: string;
  readonly retention?: PolicyStatus;
  readonly retentionDays?: string;
  readonly quarantine?: PolicyStatus;
  readonly quarantineRepository?: readonly string[];
  readonly purge?: PolicyStatus;
  readonly purgeSchedule?: string;
  readonly purgeFilter?: readonly string[];
  readonly purgeAgo?: string;
  readonly purgeKeep?: string;
  readonly purgeUntagged?: true;
  /** False with --no-quota. */
  readonly quota?: readonly string[] | false;
}

/** A whole number. @throws `invalid-request` that names the flag. */
export function readWhole(text: string, field: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw fail('invalid-request', `${field} must be a whole number`, { field });
}

const units: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** `50G`, `1.5GiB`, `1000000` as bytes. @throws `invalid-request` that names the flag. */
export function readBytes(text: string, field: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,15}(?:\.\d{1,3})?) ?([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  const size = units[unit.toLowerCase()];
  if (amount === '' || size === undefined)
    throw fail('invalid-request', `${field}: "${text.slice(0, 40)}" is no size`, { field, hint: '500M, 50G, 1.5T' });
  return Math.round(Number(amount) * size);
}

function readQuota(text: string): { repositories: string; maxBytes: number } {
  const at = text.lastIndexOf('=');
  if (at > 0) return { repositories: text.slice(0, at), maxBytes: readBytes(text.slice(at + 1), '--quota') };
  throw fail('invalid-request', `--quota must be PATTERN=SIZE`, { field: '--quota', hint: "--quota 'team/*=50G'" });
}

function readRule(flags: PolicyFlags): PurgeRule | undefined {
  const { purgeFilter: filters, purgeAgo: ago, purgeKeep: keep, purgeUntagged: untagged } = flags;
  if (filters === undefined) {
    if ((ago ?? keep ?? untagged) === undefined) return undefined;
    throw fail('invalid-request', 'what is to be purged is missing', { field: '--purge-filter' });
  }
  return {
    filters,
    ago: ago ?? '1d',
    ...(keep !== undefined && { keep: readWhole(keep, '--purge-keep') }),
    ...(untagged !== undefined && { untagged }),
  };
}

function readPurge(flags: PolicyFlags): Partial<PurgePolicy> {
  const { purge: status, purgeSchedule: schedule } = flags;
  const rule = readRule(flags);
  return {
    ...(status !== undefined && { status }),
    ...(schedule !== undefined && { schedule }),
    ...(rule !== undefined && { rules: [rule] }),
  };
}

/** The change that flags ask for; policies of which nothing is said are left out. */
export function readPolicyFlags(flags: PolicyFlags): PolicyChange {
  const { softDelete, softDeleteDays, retention, retentionDays, quarantine, quarantineRepository, quota } = flags;
  const change: PolicyChange = {
    softDeletePolicy: {
      ...(softDelete !== undefined && { status: softDelete }),
      ...(softDeleteDays !== undefined && { retentionDays: readWhole(softDeleteDays, '--soft-delete-days') }),
    },
    retentionPolicy: {
      ...(retention !== undefined && { status: retention }),
      ...(retentionDays !== undefined && { days: readWhole(retentionDays, '--retention-days') }),
    },
    quarantinePolicy: {
      ...(quarantine !== undefined && { status: quarantine }),
      ...(quarantineRepository !== undefined && { repositories: quarantineRepository }),
    },
    purgePolicy: readPurge(flags),
    quotaPolicy: quota === undefined ? {} : { rules: quota === false ? [] : quota.map(readQuota) },
  };
  const said = Object.entries(change).filter(([, one]) => Object.keys(one).length > 0);
  return Object.fromEntries(said);
}

function status(flag: string, description: string): Option {
  return new Option(`${flag} <status>`, description).choices(['enabled', 'disabled']);
}

/** Adds the options of {@link PolicyFlags}. */
export function addPolicyFlags(command: Command): Command {
  return command
    .addOption(status('--soft-delete', 'what is deleted can be had back'))
    .option('--soft-delete-days <days>', 'for so long, 1 to 90')
    .addOption(status('--retention', 'manifests that no tag stands for go'))
    .option('--retention-days <days>', 'after so long, 0 to 365')
    .addOption(status('--quarantine', 'what is pushed cannot be pulled before it is passed'))
    .option('--quarantine-repository <pattern>', 'where: team/app, team/* or *; may be repeated', collect)
    .addOption(status('--purge', 'old tags are purged by a schedule'))
    .option('--purge-schedule <cron>', 'five fields, in UTC')
    .option('--purge-filter <filter>', 'repositories:tags, as of slipway registry purge; may be repeated', collect)
    .option('--purge-ago <duration>', 'only what is older: 30d, 2d3h6m')
    .option('--purge-keep <count>', 'of the tags that would go, so many of the newest stay')
    .option('--purge-untagged', 'also manifests that no tag stands for')
    .option('--quota <pattern=size>', 'what repositories may hold together: team/*=50G; may be repeated', collect)
    .option('--no-quota', 'no repositories have a limit of their own');
}
