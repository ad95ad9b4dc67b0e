import type { Digest } from '../../domain/digest.ts';
import { isSignatureType } from '../../trust/manifest.ts';
import type { ImageSource } from '../../trust/ports.ts';
import { contentKey } from '../layout.ts';
import type { ManifestRecord } from '../records.ts';
import type { RegistryState } from '../state.ts';

function isSignature({ artifactType, configMediaType }: ManifestRecord): boolean {
  return isSignatureType(artifactType ?? configMediaType ?? '');
}

function byAge(a: ManifestRecord, b: ManifestRecord): number {
  return a.createdTime < b.createdTime ? -1 : Number(a.createdTime > b.createdTime);
}

/** The tag under which cosign keeps the signatures of an image: `sha256-<hex>.sig`. */
function signatureTagOf(image: Digest): string {
  return `${image.replace(':', '-')}.sig`;
}

/** One repository as the verification of signatures sees it; the lists come from memory, the bytes from the store. */
export function createImageSource(
  { index, manifestBytes, storage }: Pick<RegistryState, 'index' | 'manifestBytes' | 'storage'>,
  repository: string,
): ImageSource {
  const contents = () => index.repository(repository);
  return {
    listSignatures: (image) => {
      const tagged = contents()?.tag(signatureTagOf(image))?.digest;
      const referrers = contents()?.referrersOf(image).filter(isSignature).sort(byAge) ?? [];
      return Promise.resolve([...(tagged === undefined ? [] : [tagged]), ...referrers.map(({ digest }) => digest)]);
    },
    listIndexes: (manifest) => {
      const users = [...(contents()?.usersOf(manifest) ?? [])].sort();
      const live = users.flatMap((user) => contents()?.manifests.get(user) ?? []);
      const naming = live.filter(({ references }) =>
        references.some(({ kind, digest }) => kind === 'manifest' && digest === manifest),
      );
      return Promise.resolve(naming.map(({ digest }) => digest));
    },
    readManifest: async (digest, maxBytes) => {
      const record = contents()?.manifests.get(digest);
      return record === undefined || record.size > maxBytes ? undefined : manifestBytes.read(digest);
    },
    readBlob: async (digest, maxBytes) => {
      const blob = contents()?.blobs.get(digest);
      if (blob === undefined || blob.size > maxBytes) return undefined;
      return manifestBytes.unplaced(digest) ?? storage.readSmall(contentKey(digest), maxBytes);
    },
  };
}
