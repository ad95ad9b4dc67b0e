import type { Digest } from '../../domain/digest.ts';
import type { DeleteEvent, RegistryEvent, UntagEvent } from '../../domain/event.ts';
import type { RepositoryName, Tag } from '../../domain/image-reference.ts';
import type { Change } from '../changes.ts';
import { repositoryTouch } from '../holding.ts';
import type { Decision } from '../ledger.ts';
import { mayDelete, mayUntag } from '../locks.ts';
import { forgetManifest, untag } from '../manifests.ts';
import type { ManifestRecord, TagRecord } from '../records.ts';
import type { RepositoryContents } from '../repository-contents.ts';
import { timeOf, type RegistryState } from '../state.ts';
import { bondsOf, type Bonds } from './reach.ts';
import { keepDeletedTag } from './soft-delete.ts';

/** A tag that was chosen to go, as it was then. */
export interface ChosenTag {
  readonly tag: Tag;
  readonly record: TagRecord;
}

/** What was chosen to go together from one repository. */
export interface RemovalUnit {
  readonly repository: RepositoryName;
  /** Tags of manifests that stay. */
  readonly tags: readonly ChosenTag[];
  /** With all that is attached to them; the tags that still stand for them are in `goingTags`. */
  readonly manifests: readonly ManifestRecord[];
  readonly goingTags: readonly ChosenTag[];
}

/** What went. */
export interface Removed {
  readonly tags: readonly { readonly tag: Tag; readonly digest: Digest }[];
  readonly manifests: readonly ManifestRecord[];
}

/** Manifests and tags that one commit takes, about: what is bonded is not torn apart. */
export const batchSize = 128;

/** Puts small units of one repository together. */
export function batchUnits(units: readonly RemovalUnit[]): RemovalUnit[][] {
  const batches: RemovalUnit[][] = [];
  let size = Infinity;
  for (const unit of units) {
    const more = unit.tags.length + unit.manifests.length;
    if (size + more > batchSize) {
      batches.push([]);
      size = 0;
    }
    batches.at(-1)?.push(unit);
    size += more;
  }
  return batches;
}

/**
 * Removes units of one repository by one commit. Each is looked at again: where anything about it has changed since it was chosen (a push,
 * a new tag, a referrer, a lock), all of it stays.
 */
export function removeUnits(state: RegistryState, units: readonly RemovalUnit[], by: string): Promise<Removed> {
  const repository = units[0]?.repository;
  if (repository === undefined) return Promise.resolve({ tags: [], manifests: [] });
  return state.ledger.commit((): Decision<Removed> => decide(state, repository, units, by), {
    own: [repositoryTouch(repository)],
  });
}

function decide(
  state: RegistryState,
  repository: RepositoryName,
  units: readonly RemovalUnit[],
  by: string,
): Decision<Removed> {
  const contents = state.index.repository(repository);
  const [tags, manifests]: [ChosenTag[], ManifestRecord[]] = [[], []];
  if (contents === undefined) return { changes: [], result: { tags: [], manifests } };
  const leaving = new Set(units.flatMap((unit) => unit.tags.map(({ tag }) => tag)));
  const place: Place = { repository, contents, bonds: bondsOf(contents, leaving) };
  const going = new Set(units.flatMap((unit) => unit.manifests.map(({ digest }) => digest)));
  // What an earlier unit keeps may be needed by it; units are then tried without what stays until nothing changes.
  let good = units.filter((unit) => isUnchanged(place, unit, going));
  for (let before = -1; before !== good.length;) {
    before = good.length;
    const staying = new Set(good.flatMap((unit) => unit.manifests.map(({ digest }) => digest)));
    good = good.filter((unit) => isUnchanged(place, unit, staying));
  }
  for (const unit of good) {
    tags.push(...unit.tags);
    manifests.push(...unit.manifests);
  }
  const gone = good.flatMap((unit) => [...unit.tags, ...unit.goingTags]);
  const changes = [...untagAll(state, place, tags, by), ...removeAll(state, place, manifests, by)];
  return { changes, result: { tags: gone.map(({ tag, record }) => ({ tag, digest: record.digest })), manifests } };
}

interface Place {
  readonly repository: RepositoryName;
  readonly contents: RepositoryContents;
  readonly bonds: Bonds;
}

function isUnchanged({ repository, contents, bonds }: Place, unit: RemovalUnit, going: ReadonlySet<string>): boolean {
  const isSame = ({ tag, record }: ChosenTag): boolean => contents.tag(tag) === record;
  const stillThere = unit.tags.every((one) => isSame(one) && mayUntag(repository, contents, one.tag));
  if (!stillThere || !unit.goingTags.every(isSame)) return false;
  const known = new Set([...unit.tags, ...unit.goingTags].map(({ tag }) => tag as string));
  return unit.manifests.every((record) => {
    const { digest } = record;
    if (contents.manifests.get(digest) !== record) return false;
    if (!contents.tagsOf(digest).every((tag) => known.has(tag))) return false;
    const users = [...contents.usersOf(digest)].filter((user) => contents.manifests.has(user));
    const bonded = [
      ...users,
      ...bonds.attachedTo(digest).map((one) => one.digest),
      ...bonds.subjectsOf(record).map((one) => one.digest),
    ];
    return bonded.every((one) => going.has(one)) && mayDelete(repository, contents, digest);
  });
}

function untagAll(state: RegistryState, place: Place, tags: readonly ChosenTag[], by: string): Change[] {
  const { repository, contents } = place;
  return tags.flatMap(({ tag, record: { digest } }): Change[] => {
    const record = contents.manifests.get(digest);
    const event = record && ({ ...eventFor(state, place, record, by), kind: 'untag', tag } satisfies UntagEvent);
    return [
      ...untag(state, repository, [tag]),
      ...(record === undefined ? [] : keepDeletedTag(state, { repository, record, tags: [tag], by })),
      ...tell(event),
    ];
  });
}

function removeAll(state: RegistryState, place: Place, manifests: readonly ManifestRecord[], by: string): Change[] {
  const { repository, contents } = place;
  return manifests.flatMap((record): Change[] => {
    const tags = contents.tagsOf(record.digest) as readonly Tag[];
    const event: DeleteEvent = {
      ...eventFor(state, place, record, by),
      kind: 'delete',
      ...(tags.length > 0 && { tags }),
    };
    return [...untag(state, repository, tags), ...forgetManifest(state, repository, record, by), ...tell(event)];
  });
}

function tell(event: RegistryEvent | undefined): Change[] {
  return event === undefined ? [] : [{ is: 'event', id: event.id, record: event }];
}

function eventFor(
  state: RegistryState,
  { repository }: Place,
  { digest, mediaType, size, configMediaType }: ManifestRecord,
  by: string,
): Omit<DeleteEvent, 'kind'> {
  return {
    id: `${String(state.clock.now()).padStart(14, '0')}-${state.newId()}`,
    ...{ repository, digest, mediaType, size, at: timeOf(state), by },
    ...(configMediaType !== undefined && { configMediaType }),
  };
}
