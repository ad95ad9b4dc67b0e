import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { Digest } from '../../domain/digest.ts';

/** What a task's images were built with against what the reference stands for now. `unchanged`: another index, the same manifests. */
export type Comparison =
  | { readonly kind: 'same' | 'unknown' | 'other' }
  | { readonly kind: 'unchanged'; readonly platforms: readonly string[] };

/** The platforms of a base, when a newer image has the very manifests that it was read with; undefined on any doubt. */
function unchangedFor({ platforms = [] }: ImageIdentity, newer: ImageIdentity): readonly string[] | undefined {
  const now = new Map((newer.platforms ?? []).map(({ platform, digest }) => [platform, digest]));
  const isSame = platforms.every(({ platform, digest }) => digest !== undefined && now.get(platform) === digest);
  return platforms.length > 0 && isSame ? platforms.map(({ platform }) => platform) : undefined;
}

/**
 * Compares what a reference was built with, each time that it was (`used`), with what it stands for now. Only what is known to be unchanged for
 * every platform that it was read for is: the digests of the platforms' own manifests decide, never the index.
 */
export function compareBases(used: readonly ImageIdentity[], now: ImageIdentity): Comparison {
  const known = used.filter(({ digest }) => digest !== undefined);
  if (known.length === 0) return { kind: 'unknown' };
  if (known.every(({ digest }) => digest === now.digest)) return { kind: 'same' };
  const platforms = new Set<string>();
  for (const base of used) {
    if (base.digest !== undefined && base.digest === now.digest) continue;
    const unchanged = unchangedFor(base, now);
    if (unchanged === undefined) return { kind: 'other' };
    for (const platform of unchanged) platforms.add(platform);
  }
  return { kind: 'unchanged', platforms: [...platforms].sort() };
}

/** The platforms for which it has to be known what `digest` has, to compare it with what was built. */
export function platformsToCompare(used: Iterable<ImageIdentity>, digest: Digest): readonly string[] {
  const names = new Set<string>();
  for (const base of used) {
    if (base.digest === digest) continue;
    for (const { platform, digest: known } of base.platforms ?? []) if (known !== undefined) names.add(platform);
  }
  return [...names].sort();
}

/** `unchanged for linux/amd64` */
export function formatUnchanged(platforms: readonly string[]): string {
  return `unchanged for ${platforms.join(' and ')}`;
}
