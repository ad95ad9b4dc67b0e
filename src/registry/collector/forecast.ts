import type { Digest } from '../../domain/digest.ts';
import type { CollectionReport } from '../../domain/registry-upkeep.ts';
import { contentKey } from '../layout.ts';
import type { RegistryState } from '../state.ts';
import { walkContents } from './orphans.ts';
import { findUnused } from './unused.ts';

/** What a collection would do now. Changes nothing. */
export async function forecast(state: RegistryState, walk: boolean): Promise<CollectionReport> {
  const { index, clock, collection, storage } = state;
  const now = clock.now();
  const unlinked = { count: 0, bytes: 0 };
  const leaving = new Map<Digest, number>();
  for await (const { digest, size } of findUnused(index, now - collection.graceMs)) {
    unlinked.count += 1;
    unlinked.bytes += size;
    leaving.set(digest, (leaving.get(digest) ?? 0) + 1);
  }
  const unheld = [...leaving].filter(([digest, links]) => index.holdersOf(digest).size <= links).length;
  const due = [...index.condemned].filter(([, { since }]) => Date.parse(since) <= now - collection.delayMs);
  const removed = { count: due.length, bytes: 0 };
  for (const [digest] of due) removed.bytes += (await storage.stat(contentKey(digest)))?.size ?? 0;
  let orphans = 0;
  if (walk) for await (const page of walkContents(state, 0)) orphans += page.orphans.length;
  const condemned = unheld + index.unheld.size + orphans;
  const waiting = index.condemned.size - due.length + condemned;
  return { dryRun: true, unlinked, condemned, removed, waiting, ...(walk && { orphans }) };
}
