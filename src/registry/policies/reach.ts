import type { Digest } from '../../domain/digest.ts';
import type { ManifestRecord } from '../records.ts';
import type { RepositoryContents } from '../repository-contents.ts';
import { subjectOfTag } from './attachments.ts';

/*
 * What must stay when some manifests of a repository go. What stays keeps what it reaches: an index its children, a manifest what is
 * attached to it (by `subject`, or by a tag that names it). And what is attached keeps what it is about, so that a manifest
 * and all its attachments go together or not at all.
 */

/** How the manifests of a repository hang together, as it is now. */
export interface Bonds {
  /** What is attached to a manifest. */
  readonly attachedTo: (digest: Digest) => readonly ManifestRecord[];
  /** What a manifest is attached to, as far as that is there. */
  readonly subjectsOf: (record: ManifestRecord) => readonly ManifestRecord[];
  /** The tags that stand for a manifest and do not attach it to another one that is there. */
  readonly ownTagsOf: (digest: Digest) => readonly string[];
}

/** Finds the attachments by tag; the rest is asked of the index. @param leaving tags that are about to go, and count for nothing. */
export function bondsOf(contents: RepositoryContents, leaving: ReadonlySet<string> = new Set()): Bonds {
  const byTag = new Map<string, ManifestRecord[]>();
  const about = new Map<string, ManifestRecord[]>();
  const attaching = new Set<string>();
  for (const [tag, { digest }] of contents.tags) {
    const subject = contents.manifests.get(subjectOfTag(tag) ?? '');
    const record = contents.manifests.get(digest);
    if (subject === undefined || record === undefined || subject === record || leaving.has(tag)) continue;
    attaching.add(tag);
    byTag.set(subject.digest, [...(byTag.get(subject.digest) ?? []), record]);
    about.set(digest, [...(about.get(digest) ?? []), subject]);
  }
  return {
    attachedTo: (digest) => [...contents.referrersOf(digest), ...(byTag.get(digest) ?? [])],
    subjectsOf: (record) => {
      const subject = record.subject === undefined ? undefined : contents.manifests.get(record.subject);
      return [...(subject === undefined ? [] : [subject]), ...(about.get(record.digest) ?? [])];
    },
    ownTagsOf: (digest) => contents.tagsOf(digest).filter((tag) => !attaching.has(tag) && !leaving.has(tag)),
  };
}

/** The children of an index that are there. */
export function childrenOf(contents: RepositoryContents, record: ManifestRecord): ManifestRecord[] {
  return record.references.flatMap(({ kind, digest }) => {
    const child = kind === 'manifest' ? contents.manifests.get(digest) : undefined;
    return child === undefined ? [] : [child];
  });
}

/** The manifests that can go, of those that `isCandidate` names: nothing that stays reaches them. */
export function findRemovable(
  contents: RepositoryContents,
  bonds: Bonds,
  isCandidate: (record: ManifestRecord) => boolean,
): ManifestRecord[] {
  const kept = new Set<ManifestRecord>();
  const waiting: ManifestRecord[] = [];
  const keep = (records: Iterable<ManifestRecord>): void => {
    for (const record of records) {
      if (kept.has(record)) continue;
      kept.add(record);
      waiting.push(record);
    }
  };
  for (const record of contents.manifests.values()) if (!isCandidate(record)) keep([record]);
  for (let record = waiting.pop(); record !== undefined; record = waiting.pop()) {
    keep(childrenOf(contents, record));
    keep(bonds.attachedTo(record.digest));
    keep(bonds.subjectsOf(record));
  }
  return [...contents.manifests.values()].filter((record) => !kept.has(record));
}

/** Groups of manifests that must go by one commit: those that are attached to one another, or children of one another. */
export function groupBonded(
  contents: RepositoryContents,
  bonds: Bonds,
  removable: readonly ManifestRecord[],
): ManifestRecord[][] {
  const left = new Set(removable);
  const parents = parentsAmong(contents, removable);
  const near = (record: ManifestRecord): ManifestRecord[] => [
    ...childrenOf(contents, record),
    ...(parents.get(record.digest) ?? []),
    ...bonds.attachedTo(record.digest),
    ...bonds.subjectsOf(record),
  ];
  const groups: ManifestRecord[][] = [];
  for (const first of removable) {
    if (!left.delete(first)) continue;
    const group = [first];
    // The group grows while it is walked through.
    for (const record of group) for (const one of near(record)) if (left.delete(one)) group.push(one);
    groups.push(group);
  }
  return groups;
}

function parentsAmong(
  contents: RepositoryContents,
  records: readonly ManifestRecord[],
): ReadonlyMap<string, readonly ManifestRecord[]> {
  const parents = new Map<string, ManifestRecord[]>();
  for (const record of records) {
    for (const { digest } of childrenOf(contents, record)) {
      const known = parents.get(digest);
      if (known === undefined) parents.set(digest, [record]);
      else known.push(record);
    }
  }
  return parents;
}
