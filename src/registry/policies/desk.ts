import { isDigest } from '../../domain/digest.ts';
import { fail } from '../../domain/failure.ts';
import { isRepositoryName, type RepositoryName, type Tag } from '../../domain/image-reference.ts';
import type {
  PolicyChange,
  PurgeOrder,
  PurgeReport,
  QuarantineOrder,
  RegistryCare,
  RegistryPolicies,
  RegistryUsage,
} from '../../domain/registry-care.ts';
import type { Audit, AuditEntry } from '../access/audit.ts';
import { OciError } from '../errors.ts';
import type { Decision } from '../ledger.ts';
import { timeOf, type RegistryState } from '../state.ts';
import { checkPolicies } from './desk-checks.ts';
import { countFreed } from './plan.ts';
import { parsePurge, planPurge } from './purge.ts';
import { judgeQuarantined } from './quarantine.ts';
import { bytesOfRule, maxBytesOf } from './quota.ts';
import { changePolicies, readPolicies, readPolicy } from './records.ts';
import type { RemovalUnit } from './removal.ts';
import { restoreDeleted } from './restore.ts';
import type { PolicyRounds } from './rounds.ts';
import { listDeleted } from './soft-delete.ts';

/** What the registry's own protocol would answer, as the API says it. */
async function asFailure<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof OciError) || error.status >= 500) throw error;
    throw fail(error.status === 404 ? 'not-found' : 'conflict', error.message);
  }
}

/** Where people look after the images of a registry; every change is a line of audit. */
export function createCareDesk(state: RegistryState, rounds: PolicyRounds, audit: Audit): RegistryCare {
  const { index } = state;
  const note = (entry: Pick<AuditEntry, 'who' | 'action'> & Partial<AuditEntry>): void => {
    audit({ time: timeOf(state), result: 'done', ...entry });
  };
  return {
    policies: () => readPolicies(index),
    update: async (change, who) => {
      const policies = await updatePolicies(state, change);
      note({ who, action: 'change-policy', name: Object.keys(change).join(' ') });
      return policies;
    },
    usage: async () => {
      await state.ledger.refresh();
      return describeUsage(state);
    },
    purge: async (order, who) => {
      const report = await purge(state, rounds, order, who);
      if (!report.dryRun) note({ who, action: 'purge', name: order.filters.join(' ') });
      return report;
    },
    deleted: (repository) => listDeleted(state, repository),
    restore: async (order, who) => {
      const report = await asFailure(restoreDeleted(state, order, who));
      note({ who, action: 'restore', repository: report.repository, reference: order.tag ?? report.digest });
      return report;
    },
    quarantine: async (order, who) => {
      const { digest, quarantine = order.state } = await asFailure(judge(state, order));
      note({ who, action: 'change-attributes', repository: order.repository, reference: digest, name: quarantine });
      return { digest, state: quarantine };
    },
    runPolicies: () => rounds.run(),
  };
}

function updatePolicies(state: RegistryState, change: PolicyChange): Promise<RegistryPolicies> {
  const { index, ledger, clock } = state;
  return ledger.commit((): Decision<RegistryPolicies> => {
    const before = readPolicies(index);
    const changes = changePolicies(index, change, timeOf(state));
    const after = Object.fromEntries(changes.flatMap((one) => (one.is === 'document' ? [[one.name, one.record]] : [])));
    const policies: RegistryPolicies = { ...before, ...after };
    checkPolicies(policies, clock.now());
    return { changes, result: policies };
  });
}

function describeUsage({ index, care }: RegistryState): RegistryUsage {
  const maxBytes = maxBytesOf(care);
  const repositories = [...index.repositories].map(([repository, { manifests, tags, deleted }]) => ({
    ...{ repository, bytes: index.bytes.of(repository) },
    ...{ manifests: manifests.size, tags: tags.size, deleted: deleted.size },
  }));
  const quotas = readPolicy(index, 'quotaPolicy').rules.map((rule) => ({ ...rule, bytes: bytesOfRule(index, rule) }));
  return {
    bytes: index.bytes.total,
    ...(maxBytes !== undefined && { maxBytes }),
    ...(care.tier !== undefined && { tier: care.tier }),
    quotas,
    repositories: repositories.sort((a, b) => b.bytes - a.bytes || (a.repository < b.repository ? -1 : 1)),
  };
}

async function purge(state: RegistryState, rounds: PolicyRounds, order: PurgeOrder, who: string): Promise<PurgeReport> {
  const { index, ledger } = state;
  const parsed = parsePurge(order);
  const plan = (scene: Parameters<typeof planPurge>[0]): RemovalUnit[] => planPurge(scene, parsed);
  await ledger.refresh();
  if (parsed.notPulledForMs !== undefined) await state.pulls.flush();
  const isKept = readPolicy(index, 'softDeletePolicy').status === 'enabled';
  let bytes = 0;
  const count = (units: readonly RemovalUnit[]): void => {
    if (!isKept) bytes += countFreed(index, units);
  };
  if (order.dryRun !== true) {
    const removed = await rounds.remove(plan, who, count);
    return { dryRun: false, ...describe(removed), bytes };
  }
  const planned: Taken[] = [];
  for (const [repository, units] of rounds.plan(plan)) {
    count(units);
    planned.push(...units.map((unit) => takenBy(repository, unit)));
    await new Promise(setImmediate);
  }
  return { dryRun: true, ...describe(planned), bytes };
}

interface Taken extends Pick<RemovalUnit, 'manifests'> {
  readonly repository: RepositoryName;
  readonly tags: readonly { readonly tag: Tag; readonly digest: RemovalUnit['manifests'][number]['digest'] }[];
}

function takenBy(repository: RepositoryName, { tags, goingTags, manifests }: RemovalUnit): Taken {
  const all = [...tags, ...goingTags].map(({ tag, record }) => ({ tag, digest: record.digest }));
  return { repository, tags: all, manifests };
}

function describe(taken: readonly Taken[]): Pick<PurgeReport, 'tags' | 'manifests'> {
  return {
    tags: taken.flatMap(({ repository, tags }) => tags.map((one) => ({ repository, ...one }))),
    manifests: taken.flatMap(({ repository, manifests }) =>
      manifests.map(({ digest, size }) => ({ repository, digest, size })),
    ),
  };
}

function judge(state: RegistryState, order: QuarantineOrder): ReturnType<typeof judgeQuarantined> {
  const { repository, reference, details } = order;
  if (!isRepositoryName(repository)) throw fail('invalid-request', 'that is no repository', { field: 'repository' });
  const digest = isDigest(reference) ? reference : state.index.repository(repository)?.tag(reference)?.digest;
  if (digest === undefined) throw fail('not-found', `there is no ${repository}:${reference.slice(0, 160)}`);
  return judgeQuarantined(state, { repository, digest, state: order.state, details });
}
