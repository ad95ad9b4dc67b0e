import { fail } from '../../domain/failure.ts';
import type { PurgeRule } from '../../domain/registry-care.ts';
import { mayUntag } from '../locks.ts';
import type { ManifestRecord } from '../records.ts';
import { subjectOfTag } from './attachments.ts';
import { parseAge } from './durations.ts';
import { isUnpulled, planRemoval, type Scene } from './plan.ts';
import { parsePurgeFilter, type PurgeFilter } from './purge-filter.ts';
import type { RemovalUnit } from './removal.ts';

/** A purge whose parts were read. */
export interface ParsedPurge {
  readonly filters: readonly PurgeFilter[];
  readonly agoMs: number;
  /** Undefined: whether it was pulled is nothing to it. */
  readonly notPulledForMs: number | undefined;
  readonly keep: number;
  readonly takesTags: boolean;
  readonly takesUntagged: boolean;
}

const mostFilters = 100;

function demandFilters({ filters, untaggedOnly = false }: PurgeRule, field: string): void {
  const least = untaggedOnly ? 0 : 1;
  if (filters.length >= least && filters.length <= mostFilters) return;
  throw fail('invalid-request', `there must be ${String(least)} to ${String(mostFilters)} filters`, { field });
}

/** @throws `invalid-request` that names the field, below `path`. */
export function parsePurge(rule: PurgeRule, path = ''): ParsedPurge {
  const { filters, ago, notPulledFor, untagged = false, untaggedOnly = false, keep = 0 } = rule;
  if (!Number.isInteger(keep) || keep < 0)
    throw fail('invalid-request', 'keep must be a whole number', { field: `${path}keep` });
  demandFilters(rule, `${path}filters`);
  return {
    filters: filters.map((text, at) => parsePurgeFilter(text, `${path}filters[${String(at)}]`)),
    agoMs: parseAge(ago, `${path}ago`),
    notPulledForMs: notPulledFor === undefined ? undefined : parseAge(notPulledFor, `${path}notPulledFor`),
    keep,
    takesTags: !untaggedOnly,
    takesUntagged: untagged || untaggedOnly,
  };
}

/** True when a purge concerns a repository. */
export function concerns({ filters }: ParsedPurge, repository: string): boolean {
  return filters.length === 0 || filters.some((filter) => filter.matchesRepository(repository));
}

/**
 * What a purge takes from a repository: tags that match and were not set since `ago`, except the newest `keep` of those; with `untagged`
 * also manifests that no tag stands for then and that were not pushed since; with `notPulledFor` only what nobody has pulled for so long, by the
 * tag or by its manifest. Tags that attach something to a manifest (signatures) go with
 * that manifest alone. Pure; see {@link planRemoval} for what never goes.
 */
export function planPurge(scene: Scene, purge: ParsedPurge): RemovalUnit[] {
  const { repository } = scene;
  if (!concerns(purge, repository)) return [];
  const before = scene.now - purge.agoMs;
  const isDue = (record: Datable, manifest?: ManifestRecord): boolean => {
    if (Date.parse(record.updatedTime) > before) return false;
    return purge.notPulledForMs === undefined || isUnpulled(scene, purge.notPulledForMs, [record, manifest]);
  };
  return planRemoval(scene, {
    leaving: purge.takesTags ? findLeaving(scene, purge, isDue) : new Set(),
    mayGo: purge.takesUntagged ? (record) => isDue(record) : undefined,
  });
}

type Datable = Pick<ManifestRecord, 'updatedTime' | 'lastPulledTime'>;

function findLeaving(
  { repository, contents }: Scene,
  { filters, keep }: ParsedPurge,
  isDue: (record: Datable, manifest: ManifestRecord | undefined) => boolean,
): ReadonlySet<string> {
  const ours = filters.filter((filter) => filter.matchesRepository(repository));
  const due = [...contents.tags].filter(([tag, record]) => {
    if (!isDue(record, contents.manifests.get(record.digest))) return false;
    if (contents.manifests.has(subjectOfTag(tag) ?? '')) return false;
    return ours.some((filter) => filter.matchesTag(tag)) && mayUntag(repository, contents, tag);
  });
  due.sort(([a, { updatedTime: at }], [b, { updatedTime: bt }]) => (at === bt ? (a < b ? 1 : -1) : at < bt ? 1 : -1));
  return new Set(due.slice(keep).map(([tag]) => tag));
}
