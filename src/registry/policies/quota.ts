import type { Digest } from '../../domain/digest.ts';
import type { QuotaRule } from '../../domain/registry-care.ts';
import { matchesPattern } from '../access/pattern.ts';
import type { RegistryIndex } from '../contents.ts';
import { oci, type OciError } from '../errors.ts';
import type { RegistryState } from '../state.ts';
import { readPolicy } from './records.ts';
import type { CareSettings } from './settings.ts';
import { tiers } from './tiers.ts';

/** What a push is about to add to a repository. */
export interface Addition {
  readonly bytes: number;
  /** Of what, where that is known: what is held already takes nothing. */
  readonly digest?: Digest;
}

type Given = Pick<RegistryState, 'index' | 'care'>;

/** Bytes that the registry may hold; undefined: as many as there is room for. */
export function maxBytesOf({ maxBytes, tier }: CareSettings): number | undefined {
  return maxBytes ?? (tier && tiers[tier].maxBytes);
}

/** What the repositories of a rule hold together; what several of them hold counts in each. */
export function bytesOfRule(index: RegistryIndex, { repositories }: QuotaRule): number {
  if (!repositories.includes('*')) return index.bytes.of(repositories);
  let sum = 0;
  for (const name of index.repositories.keys()) if (matchesPattern(repositories, name)) sum += index.bytes.of(name);
  return sum;
}

/**
 * Throws DENIED, with figures, when what a push adds to a repository would make the registry or some repositories hold more than they may.
 * Asked when an upload begins and again in the commit that ends it.
 */
export function refuseBeyondQuota(given: Given, repository: string, added: readonly Addition[]): void {
  const { index, care } = given;
  const max = maxBytesOf(care);
  const bytes = sizeOf(added.filter(({ digest }) => digest === undefined || index.holdersOf(digest).size === 0));
  if (max !== undefined && bytes > 0 && index.bytes.total + bytes > max)
    throw beyond('the registry', index.bytes.total, { bytes, max });
  refuseBeyondRules(given, repository, added);
}

function refuseBeyondRules({ index }: Given, repository: string, added: readonly Addition[]): void {
  const { rules } = readPolicy(index, 'quotaPolicy');
  if (rules.length === 0) return;
  const bytes = sizeOf(newTo(index, repository, added));
  if (bytes === 0) return;
  for (const rule of rules.filter(({ repositories }) => matchesPattern(repositories, repository))) {
    const used = bytesOfRule(index, rule);
    const what = rule.repositories === '*' ? 'all repositories together' : rule.repositories;
    if (used + bytes > rule.maxBytes) throw beyond(what, used, { bytes, max: rule.maxBytes });
  }
}

/** What a repository does not hold already. */
export function newTo(index: RegistryIndex, repository: string, added: readonly Addition[]): readonly Addition[] {
  const contents = index.repository(repository);
  return added.filter(({ digest }) => digest === undefined || contents?.holds(digest) !== true);
}

/** Bytes together. */
export function sizeOf(added: readonly Addition[]): number {
  return added.reduce((sum, { bytes }) => sum + bytes, 0);
}

function beyond(
  what: string,
  used: number,
  { bytes, max }: { readonly bytes: number; readonly max: number },
): OciError {
  const message = `${what} may hold ${sizeText(max)} and holds ${sizeText(used)}; this push adds ${sizeText(bytes)}`;
  return oci('DENIED', `${message}: delete images, or have the limit raised`, {
    detail: { usedBytes: used, maxBytes: max, addedBytes: bytes },
  });
}

/** `1.5 GiB` */
function sizeText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [size, at] = [bytes, 0];
  for (; size >= 1024 && at < units.length - 1; at += 1) size /= 1024;
  return `${at === 0 ? String(size) : String(Math.round(size * 10) / 10)} ${units[at] ?? ''}`;
}

/**
 * Throws UNAVAILABLE (507) while too little room is free where contents are stored; pulls and deletes go on. Where nobody knows how much is
 * free, nothing is refused.
 */
export async function refuseWithoutRoom({ care }: Given, bytes: number): Promise<void> {
  const { freeBytes, minFreeBytes } = care;
  if (freeBytes === undefined || minFreeBytes <= 0) return;
  const free = await freeBytes();
  if (free === undefined || free - bytes >= minFreeBytes) return;
  const message = `only ${sizeText(free)} are free where the registry stores images, and ${sizeText(minFreeBytes)} must stay free`;
  throw oci('UNAVAILABLE', message, {
    status: 507,
    headers: { warning: `299 - "${message}"`, 'retry-after': '60' },
    detail: { freeBytes: free, minFreeBytes },
  });
}
