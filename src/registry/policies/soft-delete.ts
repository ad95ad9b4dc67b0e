import type { Digest } from '../../domain/digest.ts';
import type { RepositoryName, Tag } from '../../domain/image-reference.ts';
import type { DeletedItem } from '../../domain/registry-care.ts';
import type { Change } from '../changes.ts';
import type { RegistryIndex } from '../contents.ts';
import type { DeletedManifest, ManifestRecord } from '../records.ts';
import { timeOf, type RegistryState } from '../state.ts';
import { readPolicy } from './records.ts';

/*
 * Soft delete (registry.md §1.8). A deleted manifest becomes a `deleted` record with the tags that stood for it; what it names is kept
 * as long as that is there. A tag that is taken from a manifest that stays is a document. Both go for good by the days of the policy as it
 * is then; when the policy is disabled, what was kept before stays for as long.
 */

const dayMs = 24 * 60 * 60 * 1000;
/** Documents of tags that were taken away, by {@link tagDocument}. */
const tagKind = 'deleted-tag';

/** A tag that was taken away from a manifest that stayed. */
interface DeletedTag {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly digest: Digest;
  readonly deletedTime: string;
  readonly deletedBy?: string;
}

function tagDocument({ repository, tag, digest }: Pick<DeletedTag, 'repository' | 'tag' | 'digest'>): string {
  return `${repository}:${tag}@${digest}`;
}

type Given = Pick<RegistryState, 'index' | 'clock'>;

function isOn(index: RegistryIndex): boolean {
  return readPolicy(index, 'softDeletePolicy').status === 'enabled';
}

/** What is deleted, and by whom. */
interface Deletion {
  readonly repository: RepositoryName;
  readonly record: ManifestRecord;
  /** Those that go with it. */
  readonly tags: readonly string[];
  readonly by?: string | undefined;
}

/** The changes that keep a manifest that is being deleted, to stand after the one that deletes it; none without the policy. */
export function keepDeleted({ index, clock }: Given, { repository, record, tags, by }: Deletion): Change[] {
  if (!isOn(index)) return [];
  const { digest } = record;
  const earlier = [...deletedTags(index)].filter((one) => one.repository === repository && one.digest === digest);
  const kept: DeletedManifest = {
    manifest: record,
    tags: [...new Set([...tags, ...earlier.map(({ tag }) => tag)])],
    deletedTime: timeOf({ clock }),
    ...(by !== undefined && { deletedBy: by }),
  };
  return [{ is: 'deleted', repository, digest, record: kept }, ...earlier.map(forgetTag)];
}

/** The changes that remember a tag that is taken from a manifest that stays; none without the policy. */
export function keepDeletedTag({ index, clock }: Given, { repository, record, tags, by }: Deletion): Change[] {
  if (!isOn(index)) return [];
  return (tags as readonly Tag[]).map((tag): Change => {
    const kept: DeletedTag = {
      ...{ repository, tag, digest: record.digest, deletedTime: timeOf({ clock }) },
      ...(by !== undefined && { deletedBy: by }),
    };
    return { is: 'document', kind: tagKind, name: tagDocument(kept), record: kept };
  });
}

/** Takes away what is remembered of a tag. */
export function forgetTag(tag: Pick<DeletedTag, 'repository' | 'tag' | 'digest'>): Change {
  return { is: 'document', kind: tagKind, name: tagDocument(tag) };
}

/** The tags that are remembered. */
export function deletedTags(index: RegistryIndex): Iterable<DeletedTag> {
  return index.documents(tagKind).values() as Iterable<DeletedTag>;
}

/** What can be had back, the newest first. */
export function listDeleted({ index }: Given, repository?: string): DeletedItem[] {
  const keptFor = keptMs(index);
  const items = [...deletedItems(index, repository)].map((item): DeletedItem => {
    const purgeTime = new Date(Date.parse(item.deletedTime) + keptFor).toISOString();
    return { ...item, purgeTime };
  });
  return items.sort((a, b) => Date.parse(b.deletedTime) - Date.parse(a.deletedTime));
}

type Deleted = Omit<DeletedItem, 'purgeTime'>;

function* deletedItems(index: RegistryIndex, only: string | undefined): Generator<Deleted> {
  const isAsked = (repository: string): boolean => only === undefined || repository === only;
  for (const [name, { deleted }] of index.repositories) {
    if (!isAsked(name)) continue;
    for (const { manifest, ...rest } of deleted.values()) {
      const { digest, mediaType, size } = manifest;
      yield { kind: 'manifest', repository: name as RepositoryName, digest, mediaType, size, ...rest };
    }
  }
  for (const { tag, ...rest } of deletedTags(index)) {
    const isBack = index.repository(rest.repository)?.tag(tag)?.digest === rest.digest;
    if (isAsked(rest.repository) && !isBack) yield { kind: 'tag', ...rest, tags: [tag] };
  }
}

function keptMs(index: RegistryIndex): number {
  return readPolicy(index, 'softDeletePolicy').retentionDays * dayMs;
}

/** Changes that let go of what cannot be had back any more, at most `most`; blobs that nothing else names are then the collector's. */
export function forgetExpired({ index, clock }: Given, most: number): Change[] {
  const before = clock.now() - keptMs(index);
  const isExpired = ({ deletedTime }: { readonly deletedTime: string }): boolean => Date.parse(deletedTime) <= before;
  const changes: Change[] = [];
  for (const tag of deletedTags(index)) if (changes.length < most && isExpired(tag)) changes.push(forgetTag(tag));
  for (const [name, { deleted }] of index.repositories) {
    for (const [digest, record] of deleted) {
      if (changes.length >= most) return changes;
      if (isExpired(record)) {
        changes.push({ is: 'deleted', repository: name as RepositoryName, digest: digest as Digest });
      }
    }
  }
  return changes;
}
