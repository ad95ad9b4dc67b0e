import type { Exchange } from '../exchange.ts';
import { isWriteOnce } from '../locks.ts';
import type { Attributes, ManifestRecord, TagRecord } from '../records.ts';
import type { RepositoryContents } from '../repository-contents.ts';
import type { ImageFacts } from './image-facts.ts';

/*
 * The documents of `/acr/v1` (azure-api.md §9): the same fields and names as Azure Container Registry's, which its own clients read.
 */

/** What every document begins with. */
export function headOf({ origin }: Exchange, repository: string): { registry: string; imageName: string } {
  return { registry: origin.slice(origin.indexOf('://') + 3), imageName: repository };
}

/** All attributes; what a record does not say is allowed. */
export function describeAttributes(attributes: Attributes = {}): Required<Attributes> {
  const { deleteEnabled = true, writeEnabled = true, readEnabled = true, listEnabled = true } = attributes;
  return { deleteEnabled, writeEnabled, readEnabled, listEnabled };
}

function latest(times: Iterable<string | undefined>): string | undefined {
  let found: string | undefined;
  for (const time of times) if (time !== undefined && time > (found ?? '')) found = time;
  return found;
}

/** A repository; it was updated, and pulled, last when anything in it was. @param pulled when, by what is not written down yet. */
export function describeRepository(contents: RepositoryContents, pulled: string | undefined): object {
  const { record, manifests, tags } = contents;
  const all = [...manifests.values(), ...tags.values()];
  const lastPulledTime = latest([pulled, ...all.map((one) => one.lastPulledTime)]);
  return {
    createdTime: record?.createdTime ?? '',
    lastUpdateTime: latest([record?.updatedTime, ...all.map((one) => one.updatedTime)]) ?? '',
    ...(lastPulledTime !== undefined && { lastPulledTime }),
    manifestCount: manifests.size,
    tagCount: tags.size,
    changeableAttributes: describeAttributes(record?.attributes),
  };
}

/** A tag. */
export function describeTag(
  { repository, contents }: { readonly repository: string; readonly contents: RepositoryContents },
  name: string,
  record: TagRecord,
): object {
  const { digest, createdTime, updatedTime, attributes, lastPulledTime } = record;
  return {
    ...{ name, digest, createdTime, lastUpdateTime: updatedTime },
    ...(lastPulledTime !== undefined && { lastPulledTime }),
    signed: isSigned(contents, record),
    ...(isWriteOnce(repository, contents, name) && { writeOnce: true }),
    changeableAttributes: describeAttributes(attributes),
  };
}

const signatureTypes =
  /^application\/vnd\.(?:cncf\.notary\.signature|dev\.cosign\.artifact\.sig|dev\.sigstore\.bundle)/;

/** Whether a signature lies beside the image: as a referrer, or under cosign's tag for it. Whether it is a good one is not said. */
function isSigned(contents: RepositoryContents, { digest }: TagRecord): boolean {
  if (contents.tag(`${digest.replace(':', '-')}.sig`) !== undefined) return true;
  return contents.referrersOf(digest).some(({ artifactType = '' }) => signatureTypes.test(artifactType));
}

/** A manifest as lists show it. */
export function describeManifest(contents: RepositoryContents, record: ManifestRecord, facts: ImageFacts): object {
  const { digest, createdTime, updatedTime, mediaType, configMediaType, artifactType } = record;
  const { quarantine, quarantineDetails, lastPulledTime } = record;
  const { imageSize, architecture, os } = facts;
  return {
    ...{ digest, imageSize, createdTime, lastUpdateTime: updatedTime },
    ...(lastPulledTime !== undefined && { lastPulledTime }),
    ...(architecture !== undefined && { architecture }),
    ...(os !== undefined && { os }),
    mediaType,
    ...(configMediaType !== undefined && { configMediaType }),
    ...(artifactType !== undefined && artifactType !== configMediaType && { artifactType }),
    tags: [...contents.tagsOf(digest)].sort(),
    changeableAttributes: {
      ...describeAttributes(record.attributes),
      ...(quarantine !== undefined && { quarantineState: quarantine }),
      ...(quarantineDetails !== undefined && { quarantineDetails }),
    },
  };
}

/** The images of an index; nothing for what is none. */
export function describeReferences({ references }: ManifestRecord): object {
  const children = references.filter(({ kind }) => kind === 'manifest');
  if (children.length === 0) return {};
  return {
    references: children.map(({ digest, platform }) => ({
      digest,
      ...(platform?.architecture !== undefined && { architecture: platform.architecture }),
      ...(platform?.os !== undefined && { os: platform.os }),
    })),
  };
}
