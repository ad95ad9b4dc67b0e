import type { Digest } from '../../domain/digest.ts';
import type { RegistryClient } from '../client.ts';
import {
  mediaTypes,
  parseFields,
  readDescriptor,
  sha256Of,
  type Descriptor,
  type RegistryDocument,
} from '../documents.ts';
import { fallbackEntries, referrersTag } from '../lists.ts';
import type { CopyEnd } from './ports.ts';

/** How a manifest is described in a list of referrers (distribution-spec, "Listing Referrers"). */
function describe({ bytes, mediaType, digest }: RegistryDocument): { subject: Digest; entry: Descriptor } | undefined {
  const fields = parseFields(bytes) ?? {};
  const subject = readDescriptor(fields['subject'])?.digest;
  if (subject === undefined) return undefined;
  const config = readDescriptor(fields['config']);
  const entry = readDescriptor({
    ...{ mediaType, digest, size: bytes.length },
    artifactType: fields['artifactType'] ?? config?.mediaType,
    annotations: fields['annotations'],
  });
  return entry && { subject, entry };
}

/** A repository of a remote registry as an end of a copy; everything that it does ends with the client's signal. */
export function createRemoteEnd(client: RegistryClient, repository: string): CopyEnd {
  let listing: Promise<unknown> = Promise.resolve();
  /** Where a registry does not list referrers, its clients do, under a tag (distribution-spec, "Pushing Manifests with Subject"). */
  const list = async (subject: Digest, entry: Descriptor): Promise<void> => {
    const tag = referrersTag(subject);
    const before = fallbackEntries(await client.manifest(repository, tag));
    if (before.some(({ digest }) => digest === entry.digest)) return;
    const document = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [...before, entry] };
    const bytes = Buffer.from(JSON.stringify(document));
    await client.putManifest(repository, tag, { bytes, mediaType: mediaTypes.index, digest: sha256Of(bytes) });
  };
  return {
    name: `${client.registry}/${repository}`,
    place: { registry: client.registry, repository },
    readManifest: (reference) => client.manifest(repository, reference),
    hasManifest: async (digest) => (await client.resolve(repository, digest)) !== undefined,
    hasBlob: async (digest) => (await client.blobSize(repository, digest)) !== undefined,
    openBlob: (digest, size) => client.openBlob(repository, digest, { size, isChecked: false }),
    writeBlob: ({ from, ...blob }) => {
      const isNear = from?.registry === client.registry && from.repository !== repository;
      return client.uploadBlob(repository, blob, { from: isNear ? from.repository : undefined });
    },
    async writeManifest(reference, manifest) {
      const { isListed } = await client.putManifest(repository, reference, manifest);
      const about = isListed ? undefined : describe(manifest);
      if (about === undefined) return;
      // One after the other: two at once would each leave out the other's entry.
      const listed = listing.then(() => list(about.subject, about.entry));
      listing = listed.catch(() => undefined);
      await listed;
    },
    listReferrers: (digest) => client.referrers(repository, digest),
  };
}
