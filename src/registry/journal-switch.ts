import type { Journal } from '../blob/journal-ports.ts';
import { parseSequence } from '../blob/journal-rules.ts';
import { createObjectJournal } from '../blob/object-journal.ts';
import type { BlobStore } from '../blob/ports.ts';
import type { Clock } from '../domain/clock.ts';
import { fail, FailureError } from '../domain/failure.ts';
import { decodeChanges, encodeRetirement, isRetirement } from './changes.ts';
import { RegistryIndex } from './contents.ts';
import { journalPrefix } from './layout.ts';
import { ManifestBytes } from './manifest-bytes.ts';
import { readNewestSnapshot, writeSnapshot } from './snapshots.ts';

/*
 * An installation can go from a journal that one process has (a file) to one that several share (objects in the store), and back. At most
 * one of the two is in use: the other is empty, or ends with an entry that says that it is retired. Whichever step is interrupted, the
 * journal that was in use still is, or its whole state is in a snapshot.
 */

export interface SwitchOptions {
  readonly storage: BlobStore;
  readonly clock: Clock;
  readonly newId: () => string;
}

/** A journal of one process, with how to remove it. */
export interface OwnJournal {
  readonly journal: Journal;
  /** Closes it and removes all its entries. */
  remove(): Promise<void>;
}

/** Goes on with the shared journal: what the own one has goes into a snapshot, and then it goes. The caller is its owner. */
export async function leaveOwnJournal(options: SwitchOptions, own: OwnJournal): Promise<void> {
  const { storage } = options;
  if (await hasEntries(own.journal)) {
    if (await isSharedInUse(options)) throw bothInUse();
    await snapshot(options, own.journal);
    await removeShared(storage);
  } else if (!(await isSharedInUse(options))) {
    await removeShared(storage); // a retired one goes on from the newest snapshot
  }
  await own.remove();
}

/** Goes on with the own journal, which the caller is the owner of: the shared one is retired, whoever still uses it, and its state goes into a snapshot. */
export async function leaveSharedJournal(options: SwitchOptions, own: Journal): Promise<void> {
  if (!(await isSharedInUse(options))) return;
  if (await hasEntries(own)) throw bothInUse();
  const shared = openShared(options);
  try {
    // Who writes meanwhile was first: his entry is read, too.
    for (;;) {
      const sequence = await snapshot(options, shared);
      if (await shared.append(sequence + 1, encodeRetirement())) return;
    }
  } finally {
    await shared.close();
  }
}

async function hasEntries(journal: Journal): Promise<boolean> {
  try {
    for await (const _ of journal.read(0)) return true;
    return false;
  } catch (error) {
    if (error instanceof FailureError && error.failure.reason === 'conflict') return true; // the first ones were trimmed
    throw error;
  }
}

function openShared({ storage, clock }: SwitchOptions): Journal {
  return createObjectJournal({ storage, clock, prefix: journalPrefix });
}

async function isSharedInUse(options: SwitchOptions): Promise<boolean> {
  const last = await lastShared(options.storage);
  if (last === undefined) return false;
  const shared = openShared(options);
  try {
    for await (const { bytes } of shared.read(last - 1)) if (isRetirement(bytes)) return false;
    return true;
  } finally {
    await shared.close();
  }
}

async function lastShared(storage: BlobStore): Promise<number | undefined> {
  let last: number | undefined;
  for await (const key of sharedKeys(storage)) last = parseSequence(key.slice(journalPrefix.length)) ?? last;
  return last;
}

/** From the first on, so that what is left after an interruption still ends with the last. */
async function removeShared(storage: BlobStore): Promise<void> {
  for await (const key of sharedKeys(storage)) await storage.delete(key);
}

async function* sharedKeys(storage: BlobStore): AsyncGenerator<string> {
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: Awaited<ReturnType<BlobStore['list']>> = await storage.list(journalPrefix, { after });
    yield* page.keys;
    after = page.next;
  }
}

/** Writes down all that the newest snapshot and a journal say; resolves to the last entry. */
async function snapshot({ storage, newId }: SwitchOptions, journal: Journal): Promise<number> {
  const index = new RegistryIndex();
  const bytes = new ManifestBytes(storage, { cacheBytes: 1024 * 1024 });
  const since = await readNewestSnapshot(storage, index);
  let last = since;
  for await (const entry of journal.read(since)) {
    const changes = decodeChanges(entry.bytes);
    for (const change of changes) index.apply(change);
    bytes.note(changes);
    last = entry.sequence;
  }
  bytes.doubt();
  await bytes.placeAll();
  await storage.flush();
  if (last > since) await writeSnapshot(storage, index.changes(), last, newId());
  return last;
}

function bothInUse(): FailureError {
  return fail('conflict', 'the registry has two journals that were both written to', {
    hint: 'a process that shares the store and one that does not have worked on it at once; restore a backup',
  });
}
