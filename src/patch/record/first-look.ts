import { referenceKeyOf } from '../../domain/base-image.ts';
import type { Clock } from '../../domain/clock.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { Run } from '../../domain/run.ts';
import type { PatchQueue } from '../../queue/ports.ts';
import type { BaseImageStore } from '../../store/ports.ts';

export interface FirstLookOptions {
  readonly observed: BaseImageStore['observed'];
  /** Our registry's host as it stands in image names. */
  readonly registryHost: string;
  readonly publish: PatchQueue['publish'];
  readonly clock: Clock;
}

/** The bases of a run in our registry that can change, each once, without their digests. */
function ownBases({ dependencies = [] }: Run, registryHost: string): readonly ImageIdentity[] {
  const all = dependencies.flatMap(({ runtime, buildTime }) => [...(runtime ? [runtime] : []), ...buildTime]);
  const found = new Map<string, ImageIdentity>();
  for (const { registry, repository, tag, isPinned } of all) {
    if (registry !== registryHost.toLowerCase() || tag === undefined || isPinned === true) continue;
    const image = { registry, repository, tag };
    found.set(referenceKeyOf(image) ?? '', image);
  }
  return [...found.values()];
}

/**
 * Makes the one that has the bases of a run looked at which were pushed to our registry before anything stood on them: nobody has seen what
 * their tags stand for. That counts as a poll's first look does. Rejects as the store and the queue do; to be called again then.
 */
export function createFirstLook(options: FirstLookOptions): (run: Run) => Promise<void> {
  const { clock, observed, publish, registryHost } = options;
  return async (run) => {
    const bases = run.status === 'Succeeded' && run.task !== undefined ? ownBases(run, registryHost) : [];
    if (bases.length === 0) return;
    const seen = await observed(bases);
    const at = new Date(clock.now()).toISOString();
    const unseen = bases.filter((_, index) => seen[index] === undefined);
    await Promise.all(unseen.map((image) => publish({ kind: 'told', update: { image, source: 'poll', at } })));
  };
}
