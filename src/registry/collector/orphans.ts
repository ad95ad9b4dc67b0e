import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../domain/digest.ts';
import type { RegistryIndex } from '../contents.ts';
import { contentPrefix, parseContentKey } from '../layout.ts';
import type { RegistryState } from '../state.ts';

/** A page of a walk through the contents in the store. */
export interface WalkedPage {
  /** Keys that were looked at. */
  readonly keys: number;
  /** Contents that the index knows nothing of. */
  readonly orphans: readonly Digest[];
  /** Keys that are no content's. */
  readonly unknown: readonly string[];
}

const pageKeys = 500;

/** True when nobody holds it and the collector does not know of it. What is being pushed at this moment may look so, too. */
export function isOrphan(index: RegistryIndex, digest: Digest): boolean {
  return index.holdersOf(digest).size === 0 && !index.condemned.has(digest) && !index.unheld.has(digest);
}

/** Walks through all contents in the store. @param pauseMs between pages, so that nobody else waits for the disk. */
export async function* walkContents(
  { storage, index }: Pick<RegistryState, 'storage' | 'index'>,
  pauseMs: number,
): AsyncGenerator<WalkedPage> {
  let after: string | undefined = '';
  while (after !== undefined) {
    const page: Awaited<ReturnType<typeof storage.list>> = await storage.list(contentPrefix, {
      after,
      limit: pageKeys,
    });
    const found = page.keys.map((key) => ({ key, digest: parseContentKey(key) }));
    yield {
      keys: page.keys.length,
      orphans: found.flatMap(({ digest }) => (digest !== undefined && isOrphan(index, digest) ? [digest] : [])),
      unknown: found.flatMap(({ key, digest }) => (digest === undefined ? [key] : [])),
    };
    after = page.next;
    if (after !== undefined && pauseMs > 0) await sleep(pauseMs);
  }
}
