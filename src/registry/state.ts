import { LRUCache } from 'lru-cache';
import type { BlobStore } from '../blob/ports.ts';
import type { Clock } from '../domain/clock.ts';
import { isDigest, type Digest } from '../domain/digest.ts';
import { fail } from '../domain/failure.ts';
import { forEachKey, putDocument, readDocument } from './documents.ts';
import { contentKey, layoutKey, layoutVersion, parseRepositoryKey, repositoriesPrefix } from './layout.ts';
import { createLocks, type Locks } from './locks.ts';
import type { RegistryLimits, RegistryLogger } from './options.ts';
import type { LayoutDocument, ManifestDocument, TagDocument } from './records.ts';
import { RegistryIndex } from './repository-index.ts';
import { createComparer } from './same-image/compare.ts';

/** What every handler works on. */
export interface RegistryState {
  readonly storage: BlobStore;
  readonly clock: Clock;
  readonly limits: RegistryLimits;
  readonly logger: RegistryLogger;
  readonly newId: () => string;
  readonly index: RegistryIndex;
  readonly locks: Locks;
  /** Bytes of manifests by digest; they never change. */
  readonly manifestBytes: LRUCache<string, Buffer>;
  /** Whether two manifests are the same image but for times; what cannot be told is not. */
  readonly isSameImage: (a: Digest, b: Digest) => Promise<boolean>;
  /** Tells the log of a document that cannot be read. */
  readonly reportDamage: (key: string) => void;
}

/** Opens the store: checks its layout and rebuilds the index from its objects. Throws `unsupported` for a newer layout. */
export async function openState(
  given: Pick<RegistryState, 'storage' | 'clock' | 'limits' | 'logger' | 'newId'>,
): Promise<RegistryState> {
  const { storage } = given;
  const manifestBytes = new LRUCache<string, Buffer>({
    maxSize: given.limits.manifestCacheBytes,
    sizeCalculation: (bytes) => Math.max(1, bytes.length),
  });
  const state: RegistryState = {
    ...given,
    index: new RegistryIndex(),
    locks: createLocks(),
    manifestBytes,
    isSameImage: createComparer({
      manifest: async (digest) => manifestBytes.get(digest) ?? storage.readSmall(contentKey(digest)),
      small: (digest) => storage.readSmall(contentKey(digest)),
      layer: async (digest) => (await storage.read(contentKey(digest)))?.stream,
    }),
    reportDamage: (key) => {
      given.logger.error({ key }, 'a document of the registry cannot be read and is passed over');
    },
  };
  await checkLayout(state);
  await forEachKey(state.storage, repositoriesPrefix, (key) => loadObject(state, key));
  return state;
}

/** Now, as records have it: ISO 8601, UTC. */
export function timeOf(state: RegistryState): string {
  return new Date(state.clock.now()).toISOString();
}

async function checkLayout(state: RegistryState): Promise<void> {
  const { storage, reportDamage } = state;
  const read = (): Promise<LayoutDocument | undefined> => readDocument(storage, layoutKey, reportDamage);
  let found = await read();
  if (found === undefined) {
    const document: LayoutDocument = { layout: layoutVersion, createdTime: timeOf(state), storeId: state.newId() };
    await putDocument(storage, layoutKey, document, true);
    found = await read(); // another process may have been first
  }
  if (found?.layout === layoutVersion) return;
  throw fail(
    'unsupported',
    `the registry's store has layout ${String(found?.layout)}; this version knows ${String(layoutVersion)}`,
    {
      hint: 'run the version of Slipway that wrote it, or a newer one',
    },
  );
}

async function loadObject(state: RegistryState, key: string): Promise<void> {
  const { index, storage, reportDamage } = state;
  const found = parseRepositoryKey(key);
  if (found === undefined) return;
  const entry = index.entry(found.repository);
  switch (found.kind) {
    case 'repository':
      entry.exists = true;
      return;
    case 'blob':
      entry.blobs.add(found.digest);
      return;
    case 'manifest': {
      const document = await readDocument<ManifestDocument>(storage, key, reportDamage);
      if (document?.digest === found.digest) entry.setManifest(recordOf(document));
      return;
    }
    case 'tag': {
      const document = await readDocument<TagDocument>(storage, key, reportDamage);
      if (document === undefined || !isDigest(document.digest)) return;
      const { digest, createdTime, updatedTime } = document;
      entry.setTag(found.tag, { digest, createdTime, updatedTime });
    }
  }
}

/** The part of a manifest's document that stays in memory. */
export function recordOf(document: ManifestDocument): Parameters<ReturnType<RegistryIndex['entry']>['setManifest']>[0] {
  const { digest, mediaType, size, artifactType, subject, createdTime, updatedTime } = document;
  return {
    ...{ digest, mediaType, size, createdTime, updatedTime },
    ...(artifactType !== undefined && { artifactType }),
    ...(subject !== undefined && { subject }),
  };
}
