import { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import type { Journal } from '../blob/journal-ports.ts';
import type { BlobStore } from '../blob/ports.ts';
import type { Clock } from '../domain/clock.ts';
import type { Digest } from '../domain/digest.ts';
import { fail } from '../domain/failure.ts';
import { Checkpoints } from './checkpoints.ts';
import type { CollectionSettings } from './collector/settings.ts';
import { RegistryIndex } from './contents.ts';
import { putDocument, readDocument } from './documents.ts';
import { contentKey, layoutKey, layoutVersion } from './layout.ts';
import { removeLayout1, takeOverLayout1 } from './layout-1.ts';
import { Ledger } from './ledger.ts';
import { ManifestBytes } from './manifest-bytes.ts';
import type { RegistryLimits, RegistryLogger } from './options.ts';
import type { LayoutDocument } from './records.ts';
import type { CareSettings } from './policies/settings.ts';
import { createComparer, type Comparer } from './same-image/compare.ts';
import { PullNotes } from './pulls.ts';
import { readNewestSnapshot } from './snapshots.ts';

const seenMs = 5000;

/** What every handler works on. */
export interface RegistryState {
  readonly storage: BlobStore;
  readonly clock: Clock;
  readonly limits: RegistryLimits;
  /** When what is not used any more is collected. */
  readonly collection: CollectionSettings;
  /** Limits, and when policies are applied. */
  readonly care: CareSettings;
  readonly logger: RegistryLogger;
  readonly newId: () => string;
  /** Another one each time that the store is opened. */
  readonly processId: string;
  readonly index: RegistryIndex;
  readonly ledger: Ledger;
  readonly checkpoints: Checkpoints;
  readonly manifestBytes: ManifestBytes;
  /** Bytes that were found in the store seconds ago. */
  readonly seenContents: LRUCache<Digest, true>;
  /** Whether two manifests are the same image but for times; what cannot be told is not. */
  readonly isSameImage: Comparer;
  /** When tags and manifests were last pulled, as far as it is not written down yet. */
  readonly pulls: PullNotes;
  /** Tells the log of a document that cannot be read. */
  readonly reportDamage: (key: string) => void;
}

type Given = Pick<RegistryState, 'storage' | 'clock' | 'limits' | 'collection' | 'care' | 'logger' | 'newId'> & {
  readonly journal: Journal;
};

/**
 * Opens the store: checks its layout, takes over an older one, reads the newest snapshot and what the journal has after it.
 * @throws `unsupported` for another layout; `storage-unavailable`.
 */
export async function openState(given: Given): Promise<RegistryState> {
  const { journal, ...rest } = given;
  const { storage, logger, limits, newId } = rest;
  const reportDamage = (key: string): void => {
    logger.error({ key }, 'a document of the registry cannot be read and is passed over');
  };
  await checkLayout(given, reportDamage);
  const index = new RegistryIndex();
  const manifestBytes = new ManifestBytes(storage, {
    ...{ cacheBytes: limits.manifestCacheBytes, isShared: journal.isShared, placeAfterMs: limits.placeAfterMs },
  });
  const since = await readNewestSnapshot(storage, index);
  const ledger = new Ledger({ index, journal, sequence: since, reload: () => readNewestSnapshot(storage, index) });
  ledger.listen((changes, isOwn) => {
    manifestBytes.note(changes);
    if (!isOwn && ledger.isShared) manifestBytes.placeIfMuch();
  });
  await ledger.catchUp();
  if (!ledger.isShared) await placeAgain(manifestBytes, logger);
  const checkpoints = new Checkpoints({
    ...{ storage, journal, ledger, manifestBytes, logger, newId, since },
    entries: limits.snapshotEntries,
  });
  const isSameImage = openComparer(storage, manifestBytes);
  const seenContents = rememberSeen(ledger);
  const pulls = new PullNotes({ index, ledger, clock: given.clock, logger, everyMs: limits.pullNotesMs });
  const parts = { index, ledger, checkpoints, manifestBytes, seenContents, isSameImage, pulls };
  return { ...rest, ...parts, processId: newId(), reportDamage };
}

function openComparer(storage: BlobStore, manifestBytes: ManifestBytes): RegistryState['isSameImage'] {
  return createComparer({
    manifest: (digest) => manifestBytes.read(digest),
    small: async (digest) => manifestBytes.unplaced(digest) ?? storage.readSmall(contentKey(digest)),
    layer: async (digest) => {
      const unplaced = manifestBytes.unplaced(digest);
      return unplaced === undefined ? (await storage.read(contentKey(digest)))?.stream : Readable.from([unplaced]);
    },
  });
}

function rememberSeen(ledger: Ledger): RegistryState['seenContents'] {
  const seen = new LRUCache<Digest, true>({ max: 10_000, ttl: seenMs });
  ledger.listen((changes) => {
    for (const change of changes) if (change.is === 'content') seen.delete(change.digest);
  });
  return seen;
}

/** A full disk keeps nobody from pulling: what cannot be put now is in memory, and put by the next push or snapshot. */
async function placeAgain(manifestBytes: ManifestBytes, logger: RegistryLogger): Promise<void> {
  manifestBytes.doubt();
  await manifestBytes.placeAll().catch((error: unknown) => {
    logger.warn({ err: error }, 'manifests could not be put into the store; it will be tried again');
  });
}

/** Waits for what is being written. Bytes that cannot get their place now get it from the journal at the next start. */
export async function closeState({ pulls, ledger, checkpoints, manifestBytes, logger }: RegistryState): Promise<void> {
  await pulls.close();
  await ledger.close();
  await checkpoints.close();
  await manifestBytes.placeAll().catch((error: unknown) => {
    logger.warn({ err: error }, 'manifests could not be put into the store; the next start does it');
  });
}

/** Now, as records have it: ISO 8601, UTC. */
export function timeOf(state: Pick<RegistryState, 'clock'>): string {
  return new Date(state.clock.now()).toISOString();
}

async function checkLayout(state: Given, reportDamage: (key: string) => void): Promise<void> {
  const { storage } = state;
  const read = (): Promise<LayoutDocument | undefined> => readDocument(storage, layoutKey, reportDamage);
  let found = await read();
  if (found === undefined) {
    const document: LayoutDocument = { layout: layoutVersion, createdTime: timeOf(state), storeId: state.newId() };
    await putDocument(storage, layoutKey, document, true);
    found = await read(); // another process may have been first
  }
  if (found?.layout === 1) {
    found = await takeOverLayout1({ storage, now: timeOf(state), newId: state.newId, reportDamage });
  }
  if (found?.layout === layoutVersion) {
    if (found.leftovers === 1) await removeLayout1(storage, found);
    return;
  }
  throw fail(
    'unsupported',
    `the registry's store has layout ${String(found?.layout)}; this version knows ${String(layoutVersion)}`,
    {
      hint: 'run the version of Slipway that wrote it, or a newer one',
    },
  );
}
