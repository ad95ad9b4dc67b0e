import { Readable } from 'node:stream';
import type { Digest } from '../domain/digest.ts';
import { isDigest } from '../domain/digest.ts';
import { fail } from '../domain/failure.ts';
import type { RepositoryName } from '../domain/image-reference.ts';
import type { CopiedBlob, CopyEnd } from '../registry-client/copy/ports.ts';
import type { RegistryDocument } from '../registry-client/documents.ts';
import { linkBlob, statContent, touchBlob } from './blobs.ts';
import { linkAndPlace } from './holding.ts';
import { contentKey, stagedPrefix } from './layout.ts';
import { refuseLockedPull } from './locks.ts';
import { putManifest } from './manifest-push.ts';
import { openOwnExchange } from './own-request.ts';
import { refuseBeyondQuota, refuseWithoutRoom } from './policies/quota.ts';
import type { RegistryState } from './state.ts';

/** A repository of our own, and who copies from or to it. */
export interface StoreEndOptions {
  readonly repository: RepositoryName;
  /** What our registry is called, for messages and to tell its repositories from others'. */
  readonly registry: string;
  /** A principal's name. */
  readonly by: string;
  /** Tags that must not be there before. */
  readonly newTags: ReadonlySet<string>;
}

/**
 * A repository of this registry as an end of a copy. Blobs whose bytes the registry has, wherever, are linked and not fetched. Manifests are
 * pushed as a client's are: locks, quotas and policies hold, and events tell of them.
 */
export function createStoreEnd(state: RegistryState, options: StoreEndOptions): CopyEnd {
  const { repository, registry } = options;
  const contents = () => state.index.repository(repository);
  return {
    name: `${registry}/${repository}`,
    place: { registry, repository },
    readManifest: async (reference) => readManifest(state, repository, reference),
    hasManifest: (digest) => Promise.resolve(contents()?.manifests.has(digest) === true),
    async hasBlob(digest) {
      if (contents()?.blobs.has(digest) !== true || (await statContent(state, digest)) === undefined) return false;
      await touchBlob(state, repository, digest);
      return true;
    },
    openBlob: (digest) => openBlob(state, repository, digest),
    writeBlob: (blob) => writeBlob(state, options, blob),
    writeManifest: (reference, manifest) => writeManifest(state, options, { reference, manifest }),
    listReferrers: (digest) => Promise.resolve(contents()?.referrersOf(digest) ?? []),
  };
}

async function readManifest(
  state: RegistryState,
  repository: RepositoryName,
  reference: string,
): Promise<RegistryDocument | undefined> {
  const contents = state.index.repository(repository);
  const record = contents?.find(reference);
  if (contents === undefined || record === undefined) return undefined;
  refuseLockedPull(repository, contents, { reference, record });
  const bytes = await state.manifestBytes.read(record.digest);
  return bytes && { bytes, digest: record.digest, mediaType: record.mediaType };
}

async function openBlob(state: RegistryState, repository: RepositoryName, digest: Digest): Promise<Readable> {
  const isHeld = state.index.repository(repository)?.blobs.has(digest) === true;
  const unplaced = isHeld ? state.manifestBytes.unplaced(digest) : undefined;
  if (unplaced !== undefined) return Readable.from([unplaced]);
  const reading = isHeld ? await state.storage.read(contentKey(digest)) : undefined;
  if (reading === undefined) throw fail('not-found', `the repository ${repository} has no blob ${digest}`);
  return reading.stream;
}

async function writeBlob(
  state: RegistryState,
  { repository, registry, by }: StoreEndOptions,
  { digest, size, open, from }: CopiedBlob,
): Promise<void> {
  const origin = from?.registry === registry ? { from: from.repository as RepositoryName } : {};
  const link = (): Promise<void> => linkBlob(state, { repository, digest, size, by, ...origin });
  if (state.index.holdersOf(digest).size > 0 && (await statContent(state, digest))?.size === size) {
    await link();
    // A collector may have taken them before they were linked; then they are fetched.
    if ((await statContent(state, digest)) !== undefined) return;
  }
  refuseBeyondQuota(state, repository, [{ bytes: size, digest }]);
  await refuseWithoutRoom(state, size);
  const staged = await state.storage.begin(`${stagedPrefix}${state.newId()}`);
  try {
    await staged.append(await open());
    await linkAndPlace(state, digest, link, () => staged.commit(contentKey(digest)));
  } finally {
    await staged.discard();
  }
}

async function writeManifest(
  state: RegistryState,
  { repository, by, newTags }: StoreEndOptions,
  { reference, manifest }: { readonly reference: string; readonly manifest: RegistryDocument },
): Promise<void> {
  const isGuarded = !isDigest(reference) && newTags.has(reference);
  const exchange = openOwnExchange({
    method: 'PUT',
    headers: { 'content-type': manifest.mediaType, ...(isGuarded && { 'if-none-match': '*' }) },
    body: manifest.bytes,
    principal: { name: by, may: () => true },
  });
  // Who may import was asked before.
  await putManifest({ state, access: { demand: () => undefined, allows: () => true } }, exchange, {
    repository,
    reference,
  });
}
