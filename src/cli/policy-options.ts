import { Option, type Command } from 'commander';
import { fail } from '../domain/failure.ts';
import type {
  PolicyChange,
  PolicyStatus,
  PurgePolicy,
  PurgeRule,
  RetentionPolicy,
  WriteOnceRule,
} from '../domain/registry-care.ts';
import { collect } from './options.ts';

/** The flags of `slipway registry policy update`. */
export interface PolicyFlags {
  readonly softDelete?: PolicyStatus;
  readonly softDeleteDays?: string;
  readonly retention?: PolicyStatus;
  readonly retentionDays?: string;
  readonly retentionNotPulledDays?: string;
  readonly quarantine?: PolicyStatus;
  readonly quarantineRepository?: readonly string[];
  readonly purge?: PolicyStatus;
  readonly purgeSchedule?: string;
  readonly purgeFilter?: readonly string[];
  readonly purgeAgo?: string;
  readonly purgeNotPulledFor?: string;
  readonly purgeKeep?: string;
  readonly purgeUntagged?: true;
  /** False with --no-quota. */
  readonly quota?: readonly string[] | false;
  /** False with --no-write-once. */
  readonly writeOnce?: readonly string[] | false;
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

function readWriteOnce(text: string): WriteOnceRule {
  const [, repositories, tags] = /^([^:]+):(.+)$/.exec(text) ?? [];
  if (repositories !== undefined && tags !== undefined) return { repositories, tags: tags.split(',') };
  throw fail('invalid-request', '--write-once must be PATTERN:TAGS', {
    field: '--write-once',
    hint: "--write-once 'team/*:v*,!*-rc'",
  });
}

function readRule(flags: PolicyFlags): PurgeRule | undefined {
  const { purgeFilter: filters, purgeAgo: ago, purgeKeep: keep, purgeUntagged: untagged } = flags;
  const { purgeNotPulledFor: notPulledFor } = flags;
  if (filters === undefined) {
    if ((ago ?? notPulledFor ?? keep ?? untagged) === undefined) return undefined;
    throw fail('invalid-request', 'what is to be purged is missing', { field: '--purge-filter' });
  }
  return {
    filters,
    ago: ago ?? '1d',
    ...(notPulledFor !== undefined && { notPulledFor }),
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

function readRetention({ retention, retentionDays, retentionNotPulledDays }: PolicyFlags): Partial<RetentionPolicy> {
  return {
    ...(retention !== undefined && { status: retention }),
    ...(retentionDays !== undefined && { days: readWhole(retentionDays, '--retention-days') }),
    ...(retentionNotPulledDays !== undefined && {
      notPulledDays: readWhole(retentionNotPulledDays, '--retention-not-pulled-days'),
    }),
  };
}

/** Rules that take the place of those that there are: none with `false`, undefined where nothing is said of them. */
function readRules<T>(
  texts: readonly string[] | false | undefined,
  read: (text: string) => T,
): { rules?: readonly T[] } {
  return texts === undefined ? {} : { rules: texts === false ? [] : texts.map(read) };
}

/** The change that flags ask for; policies of which nothing is said are left out. */
export function readPolicyFlags(flags: PolicyFlags): PolicyChange {
  const { softDelete, softDeleteDays, quarantine, quarantineRepository, quota, writeOnce } = flags;
  const change: PolicyChange = {
    softDeletePolicy: {
      ...(softDelete !== undefined && { status: softDelete }),
      ...(softDeleteDays !== undefined && { retentionDays: readWhole(softDeleteDays, '--soft-delete-days') }),
    },
    retentionPolicy: readRetention(flags),
    quarantinePolicy: {
      ...(quarantine !== undefined && { status: quarantine }),
      ...(quarantineRepository !== undefined && { repositories: quarantineRepository }),
    },
    purgePolicy: readPurge(flags),
    quotaPolicy: readRules(quota, readQuota),
    writeOncePolicy: readRules(writeOnce, readWriteOnce),
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
    .option('--retention-not-pulled-days <days>', 'and if nobody has pulled them for so long; 0: whether or not')
    .addOption(status('--quarantine', 'what is pushed cannot be pulled before it is passed'))
    .option('--quarantine-repository <pattern>', 'where: team/app, team/* or *; may be repeated', collect)
    .addOption(status('--purge', 'old tags are purged by a schedule'))
    .option('--purge-schedule <cron>', 'five fields, in UTC')
    .option('--purge-filter <filter>', 'repositories:tags, as of slipway registry purge; may be repeated', collect)
    .option('--purge-ago <duration>', 'only what is older: 30d, 2d3h6m')
    .option('--purge-not-pulled-for <duration>', 'only what nobody has pulled for so long')
    .option('--purge-keep <count>', 'of the tags that would go, so many of the newest stay')
    .option('--purge-untagged', 'also manifests that no tag stands for')
    .option('--quota <pattern=size>', 'what repositories may hold together: team/*=50G; may be repeated', collect)
    .option('--no-quota', 'no repositories have a limit of their own')
    .option('--write-once <pattern:tags>', 'tags that cannot be moved: team/*:v*,!*-rc; may be repeated', collect)
    .option('--no-write-once', 'all tags can be moved');
}
