import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFileJournal } from '../blob/disk/journal.ts';
import { ownDirectory, type Ownership } from '../blob/disk/ownership.ts';
import { createDiskBlobStore } from '../blob/disk/store.ts';
import { withHint } from '../blob/hinted-journal.ts';
import { createObjectJournal } from '../blob/object-journal.ts';
import type { BlobStore } from '../blob/ports.ts';
import type { BucketSettings } from '../config/registry-storage.ts';
import { FailureError } from '../domain/failure.ts';
import type { Installation } from '../installation.ts';
import { leaveOwnJournal, leaveSharedJournal } from '../registry/journal-switch.ts';
import { journalPrefix } from '../registry/layout.ts';
import type { RegistryOptions } from '../registry/options.ts';
import { readGiven } from '../secret/given.ts';
import { createRedisHint } from '../store/redis/journal-hint.ts';

/** Where the registry keeps what it has. */
export interface RegistryStorage extends Required<Pick<RegistryOptions, 'storage' | 'journal'>> {
  /** Lets go of it, after the registry was closed. */
  release(): Promise<void>;
}

type Given = Pick<Installation, 'config' | 'clock' | 'bull'> & Required<StorageMeans>;

/** What tests set differently. */
interface StorageMeans {
  readonly openHint?: typeof createRedisHint;
  /** How long another process that is starting may take to bring an older journal into the shared one, milliseconds. */
  readonly mostWaitMs?: number;
}

const usualMeans = { openHint: createRedisHint, mostWaitMs: 15_000 };

/**
 * Opens the registry's store: a bucket, or a directory of the data directory; shared with other processes, or for this one alone. What the
 * directory's other kind of journal has is taken over.
 * @throws `conflict` when another process has the directory for itself; `unsupported` for a bucket that cannot be shared; `storage-unavailable`.
 */
export async function openRegistryStorage(
  installation: Pick<Installation, 'config' | 'clock' | 'bull'>,
  means: StorageMeans = {},
): Promise<RegistryStorage> {
  const given = { ...usualMeans, ...means, ...installation };
  const { config, clock } = given;
  const { s3, isShared } = config.registryStorage;
  if (s3 !== undefined) {
    const storage = await openBucket(s3, given);
    return openShared(given, storage, [s3.endpoint, s3.bucket, s3.prefix].join(' '));
  }
  const root = join(config.dataDir, 'registry');
  const storage = await createDiskBlobStore(root, () => clock.now());
  if (!isShared) return openOwn(given, root, storage);
  await takeOverFile(given, root, storage);
  return openShared(given, storage, 'disk');
}

/** The client of S3 takes time and memory to load: only who uses it does. */
async function openBucket({ credentials, ...bucket }: BucketSettings, { clock }: Given): Promise<BlobStore> {
  const { createS3BlobStore } = await import('../blob/s3/store.ts');
  const secretAccessKey = credentials && (await readGiven(credentials.secretAccessKey));
  return createS3BlobStore({ ...bucket, accessKeyId: credentials?.accessKeyId, secretAccessKey, clock });
}

function openShared({ bull, clock, openHint }: Given, storage: BlobStore, name: string): RegistryStorage {
  const hint = openHint({ ...bull, journal: name });
  const journal = withHint(createObjectJournal({ storage, prefix: journalPrefix, clock }), hint);
  return { storage, journal, release: () => hint.close() };
}

async function openOwn({ clock }: Given, root: string, storage: BlobStore): Promise<RegistryStorage> {
  const owned = await ownDirectory(root);
  try {
    const journal = await openFileJournal(journalDirectory(root));
    await leaveSharedJournal({ storage, clock, newId: randomUUID }, journal);
    return { storage, journal, release: () => owned.release() };
  } catch (error) {
    await owned.release();
    throw error;
  }
}

/** Brings what a process had that did not share the directory into the store; others that start at the same time wait. */
async function takeOverFile({ clock, mostWaitMs }: Given, root: string, storage: BlobStore): Promise<void> {
  const directory = journalDirectory(root);
  if (!(await isThere(directory))) return;
  const owned = await ownPatiently(root, mostWaitMs);
  try {
    if (!(await isThere(directory))) return;
    const journal = await openFileJournal(directory);
    const remove = async (): Promise<void> => {
      await journal.close();
      // From the first on: what an interruption leaves ends with the last entry, and can be gone on with.
      for (const name of (await readdir(directory)).sort()) await rm(join(directory, name), { recursive: true });
      await rm(directory, { recursive: true });
    };
    await leaveOwnJournal({ storage, clock, newId: randomUUID }, { journal, remove });
  } finally {
    await owned.release();
  }
}

async function ownPatiently(root: string, mostWaitMs: number): Promise<Ownership> {
  for (const deadline = performance.now() + mostWaitMs; ;) {
    try {
      return await ownDirectory(root);
    } catch (error) {
      const isOwned = error instanceof FailureError && error.failure.reason === 'conflict';
      if (!isOwned || performance.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

function journalDirectory(root: string): string {
  return join(root, '.journal');
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
