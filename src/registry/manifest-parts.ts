import type { Digest } from '../domain/digest.ts';
import type { RepositoryName } from '../domain/image-reference.ts';
import { statContent } from './blobs.ts';
import type { Change } from './changes.ts';
import { oci, OciError } from './errors.ts';
import { mayRead } from './locks.ts';
import type { Addition } from './policies/quota.ts';
import type { BlobRecord, ManifestReference } from './records.ts';
import type { RepositoryContents } from './repository-contents.ts';
import { timeOf, type RegistryState } from './state.ts';
import type { Brought } from './whole-image.ts';

/** What a manifest names, and where that may come from. */
export interface Parts {
  readonly repository: RepositoryName;
  readonly references: readonly ManifestReference[];
  readonly brought: Brought;
  /** Whether whoever pushes may pull from a repository. */
  readonly mayPull: (repository: string) => boolean;
}

/** A blob that becomes one of the manifest's repository with the manifest. */
interface NewPart extends Addition {
  readonly digest: Digest;
  readonly data?: Buffer;
  readonly from?: RepositoryName;
}

function takeOver(state: RegistryState, { brought, mayPull }: Parts, digest: Digest): NewPart | undefined {
  for (const from of brought.from) {
    const contents = state.index.repository(from);
    const found = mayRead(contents) && mayPull(from) ? contents?.blobs.get(digest) : undefined;
    if (found !== undefined) return { digest, bytes: found.size, from };
  }
  return undefined;
}

/** What comes with a manifest: what its repository has already counts as there, unless its bytes were lost. */
export function newParts(state: RegistryState, parts: Parts, lost: readonly Digest[] = []): readonly NewPart[] {
  const { repository, references, brought } = parts;
  if (brought.blobs.size === 0 && brought.from.length === 0) return [];
  const blobs = state.index.repository(repository)?.blobs;
  const named = new Set(references.filter(({ kind }) => kind !== 'manifest').map(({ digest }) => digest));
  return [...named].flatMap((digest): NewPart | readonly NewPart[] => {
    const data = brought.blobs.get(digest);
    if (data !== undefined) return [{ digest, bytes: data.length, data }];
    return blobs?.has(digest) === true || lost.includes(digest) ? [] : (takeOver(state, parts, digest) ?? []);
  });
}

/** The changes that make them the repository's. */
export function linksOf(
  state: RegistryState,
  { repository }: Parts,
  parts: readonly NewPart[],
  by: string | undefined,
): readonly Change[] {
  return parts.map(({ digest, bytes, data, from }) => {
    const record: BlobRecord = {
      ...{ size: bytes, touchedTime: timeOf(state) },
      ...(by !== undefined && { pushedBy: by }),
      ...(from !== undefined && { mountedFrom: from }),
    };
    return { is: 'blob', repository, digest, record, ...(data && { bytes: data.toString('base64') }) };
  });
}

/** Refuses blobs that come with a manifest which does not name them: nothing would ever ask for them. */
export function refuseUnnamed({ references, brought }: Parts): void {
  const named = new Set(references.map(({ digest }) => digest));
  const other = [...brought.blobs.keys()].find((digest) => !named.has(digest));
  if (other !== undefined)
    throw oci('MANIFEST_INVALID', 'the manifest does not name a blob that came with it', { detail: { digest: other } });
}

function isHeld(state: RegistryState, parts: Parts, contents: RepositoryContents | undefined, digest: Digest): boolean {
  if (parts.brought.blobs.has(digest)) return false;
  return contents?.blobs.has(digest) === true || takeOver(state, parts, digest) !== undefined;
}

/** The references whose bytes the store has lost, though a repository holds them; what was there seconds ago is not asked for again. */
export async function findLost(state: RegistryState, parts: Parts): Promise<readonly Digest[]> {
  const contents = state.index.repository(parts.repository);
  const held = parts.references.filter(({ digest }) => isHeld(state, parts, contents, digest));
  const found = [...new Set(held.map(({ digest }) => digest))].map(async (digest) => {
    if (state.seenContents.has(digest)) return [];
    if ((await statContent(state, digest)) === undefined) return [digest];
    state.seenContents.set(digest, true);
    return [];
  });
  return (await Promise.all(found)).flat();
}

/**
 * Refuses a manifest whose parts are not there and do not come with it, naming all of them; foreign layers may be anywhere, and a subject
 * may follow later.
 */
export function refuseMissing(state: RegistryState, parts: Parts, lost: readonly Digest[]): void {
  const contents = state.index.repository(parts.repository);
  const coming = new Set(newParts(state, parts, lost).map(({ digest }) => digest));
  const asked = new Map(parts.references.filter(({ foreign }) => foreign !== true).map((each) => [each.digest, each]));
  const missing = [...asked.values()].filter(({ digest, kind }) => {
    if (coming.has(digest) || (kind === 'manifest' && contents?.manifests.has(digest) === true)) return false;
    return contents?.blobs.has(digest) !== true || lost.includes(digest);
  });
  if (missing.length === 0) return;
  const message = 'the manifest names something that this repository does not have';
  throw new OciError(
    missing.map(({ digest }) => ({ code: 'MANIFEST_BLOB_UNKNOWN', message, detail: { digest } })),
    404,
  );
}
