import type { Digest } from '../../domain/digest.ts';
import type { RepositoryName, Tag } from '../../domain/image-reference.ts';
import type { RegistryIndex } from '../contents.ts';
import { mayDelete } from '../locks.ts';
import type { ManifestRecord } from '../records.ts';
import type { RepositoryContents } from '../repository-contents.ts';
import { bondsOf, findRemovable, groupBonded } from './reach.ts';
import type { ChosenTag, RemovalUnit } from './removal.ts';

/** Nothing goes that was pushed so short a time ago: what needs it may be on its way. */
const youngMs = 60 * 60 * 1000;

/** What is to go from one repository. */
export interface Selection {
  /** Tags that go, whatever they stand for. */
  readonly leaving: ReadonlySet<string>;
  /** Whether a manifest may go that no tag stands for then and that is attached to nothing; undefined: no manifest may. */
  readonly mayGo: ((record: ManifestRecord) => boolean) | undefined;
}

/** A repository and the time. */
export interface Scene {
  readonly repository: RepositoryName;
  readonly contents: RepositoryContents;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Since when pulls are noted; undefined: not before now. */
  readonly pullsSince?: number | undefined;
}

/**
 * True when nothing was pulled or pushed by any of these records for so many milliseconds. Of what came before pulls were noted nothing is
 * known: it counts as pulled then.
 */
export function isUnpulled(
  { now, pullsSince = now }: Pick<Scene, 'now' | 'pullsSince'>,
  forMs: number,
  records: readonly (Pick<ManifestRecord, 'updatedTime' | 'lastPulledTime'> | undefined)[],
): boolean {
  const isLongAgo = (time: number): boolean => time <= now - forMs;
  return records.every((record) => {
    if (record === undefined) return true;
    const { updatedTime, lastPulledTime } = record;
    const pulled = lastPulledTime === undefined ? pullsSince : Date.parse(lastPulledTime);
    return isLongAgo(pulled) && isLongAgo(Date.parse(updatedTime));
  });
}

/**
 * What goes by a selection, in units that go by one commit each. Pure: looks at the contents alone. Never takes what a tag that stays
 * reaches, through indexes and attachments; what is locked, or younger than an hour, with all that it reaches.
 */
export function planRemoval({ repository, contents, now }: Scene, { leaving, mayGo }: Selection): RemovalUnit[] {
  const bonds = bondsOf(contents, leaving);
  const isCandidate = (record: ManifestRecord): boolean => {
    if (mayGo === undefined || now - Date.parse(record.updatedTime) < youngMs) return false;
    if (bonds.ownTagsOf(record.digest).length > 0) return false;
    const isAttached = bonds.subjectsOf(record).length > 0;
    return (isAttached || mayGo(record)) && mayDelete(repository, contents, record.digest);
  };
  // What is attached goes with what it is about, and so nothing goes where nothing may go by itself: the usual case, and a cheap one.
  const isAnyDue = mayGo !== undefined && [...contents.manifests.values()].some(mayGo);
  const removable = isAnyDue ? findRemovable(contents, bonds, isCandidate) : [];
  const going = new Set<string>(removable.map(({ digest }) => digest));
  const chosen = (tag: string): ChosenTag[] => {
    const record = contents.tag(tag);
    return record === undefined ? [] : [{ tag: tag as Tag, record }];
  };
  const loose = [...leaving].flatMap(chosen).filter(({ record }) => !going.has(record.digest));
  return [
    ...loose.map((tag): RemovalUnit => ({ repository, tags: [tag], manifests: [], goingTags: [] })),
    ...groupBonded(contents, bonds, removable).map((manifests): RemovalUnit => {
      const goingTags = manifests.flatMap(({ digest }) => contents.tagsOf(digest).flatMap(chosen));
      return { repository, tags: [], manifests, goingTags };
    }),
  ];
}

/** Bytes that nobody holds when manifests go: their own, and those of blobs that nothing else names. An estimate, while others push. */
export function countFreed(index: RegistryIndex, units: readonly RemovalUnit[]): number {
  const going = new Set(
    units.flatMap(({ repository, manifests }) => manifests.map(({ digest }) => `${repository} ${digest}`)),
  );
  const sizes = new Map<Digest, number>();
  for (const { repository, manifests } of units) {
    const contents = index.repository(repository);
    const isFree = (digest: Digest): boolean =>
      [...index.holdersOf(digest)].every((holder) =>
        [...(index.repository(holder)?.usersOf(digest) ?? [])].every((user) => going.has(`${holder} ${user}`)),
      );
    for (const { digest, size, references } of manifests) {
      if (index.holdersOf(digest).size <= 1) sizes.set(digest, size);
      for (const { digest: part } of references) {
        const blob = sizes.has(part) ? undefined : contents?.blobs.get(part);
        if (blob !== undefined && isFree(part)) sizes.set(part, blob.size);
      }
    }
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
