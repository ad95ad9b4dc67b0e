import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../domain/digest.ts';
import { fail } from '../domain/failure.ts';
import type { Change } from './changes.ts';
import { contentKey } from './layout.ts';
import type { Decision } from './ledger.ts';
import { settleAll } from './settle.ts';
import type { RegistryState } from './state.ts';
import type { Touches } from './touches.ts';

/** How long a push waits for the removal of the bytes that it brings again. */
const mostWaitMs = 30_000;

/** The key of {@link Touches} for the bytes of a digest, whatever repositories hold them. */
export function contentTouch(digest: Digest): string {
  return `content ${digest}`;
}

/** The keys of {@link Touches} for a repository and for one reference in it. */
export function repositoryTouch(repository: string): string {
  return `repository ${repository}`;
}

export function referenceTouch(repository: string, reference: string): string {
  return `${repository} ${reference}`;
}

/**
 * Commits something that makes a repository hold the bytes of some digests. Bytes that were condemned are saved by it; where they are being
 * removed at this moment, it waits until that is over. After it they are safe from the collector, and can be put into the store.
 * @throws what `decide` throws; `storage-unavailable`.
 */
export async function commitHolding<T>(
  state: RegistryState,
  digests: readonly Digest[],
  decide: () => Decision<T>,
  touches: Touches,
): Promise<T> {
  const { ledger, index } = state;
  const shared = [...(touches.shared ?? []), ...digests.map(contentTouch)];
  const deadline = performance.now() + mostWaitMs;
  for (;;) {
    const done = await ledger.commit(
      (): Decision<{ result: T } | undefined> => {
        const condemned = digests.filter((digest) => index.condemned.has(digest));
        if (condemned.some((digest) => index.condemned.get(digest)?.state === 'removing'))
          return { changes: [], result: undefined };
        const { changes, result } = decide();
        const saved = condemned.map((digest): Change => ({ is: 'content', digest }));
        return { changes: [...changes, ...saved], result: { result } };
      },
      { ...touches, shared },
    );
    if (done !== undefined) return done.result;
    if (performance.now() > deadline)
      throw fail('storage-unavailable', `${digests.join(', ')} is being removed; try again later`);
    await sleep(20);
    await ledger.refresh();
  }
}

/**
 * Links bytes to a repository and puts them into the store, at the same time where no collector is about to remove them.
 * @throws `storage-unavailable` also when a collector took the bytes away before they were linked.
 */
export async function linkAndPlace(
  state: RegistryState,
  digest: Digest,
  link: () => Promise<unknown>,
  place: () => Promise<unknown>,
): Promise<void> {
  if (state.index.condemned.has(digest)) {
    await link();
    await place();
    return;
  }
  const { removals } = state.index;
  await settleAll([link(), place()]);
  // From condemning to removing takes far longer than a push does, unless its process stood still meanwhile.
  if (state.index.removals === removals) return;
  if (state.manifestBytes.unplaced(digest) !== undefined) return;
  if ((await state.storage.stat(contentKey(digest))) !== undefined) return;
  throw fail('storage-unavailable', `${digest} was removed while it was pushed; push it again`);
}
