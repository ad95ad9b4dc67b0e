import { isDigest, type Digest } from '../../domain/digest.ts';
import { fail } from '../../domain/failure.ts';
import { isRepositoryName, isTag, type RepositoryName, type Tag } from '../../domain/image-reference.ts';
import type { RestoreOrder, RestoreReport } from '../../domain/registry-care.ts';
import type { Change } from '../changes.ts';
import { repositoryTouch } from '../holding.ts';
import type { Decision } from '../ledger.ts';
import { refuseLockedPush, refuseLockedTag } from '../locks.ts';
import type { ManifestRecord, TagRecord } from '../records.ts';
import type { RepositoryContents } from '../repository-contents.ts';
import { timeOf, type RegistryState } from '../state.ts';
import { isQuarantined, pushEventOf } from './quarantine.ts';
import { deletedTags, forgetTag } from './soft-delete.ts';

/** An order whose parts were read. */
interface Wanted {
  readonly repository: RepositoryName;
  readonly tag: Tag | undefined;
  readonly digest: Digest | undefined;
  readonly force: boolean;
}

function read({ repository, tag, digest, force = false }: RestoreOrder): Wanted {
  if (!isRepositoryName(repository)) throw fail('invalid-request', 'that is no repository', { field: 'repository' });
  if (tag !== undefined && !isTag(tag)) throw fail('invalid-request', 'that cannot be a tag', { field: 'tag' });
  if (digest !== undefined && !isDigest(digest))
    throw fail('invalid-request', 'that is no digest', { field: 'digest' });
  if (tag === undefined && digest === undefined)
    throw fail('invalid-request', 'what to have back is missing', {
      field: 'tag',
      hint: 'give a tag, a digest, or both',
    });
  return { repository, tag, digest, force };
}

/**
 * Has a deleted manifest back, with the manifests that its index names, or a tag of a manifest that is there still. By tag alone: the
 * manifest that was deleted last with it. By digest alone: with all tags that stood for it and stand for nothing now.
 * @throws `not-found`; `conflict` when the tag that is asked for stands for something else, or a child is gone; DENIED (OCI) when it is locked.
 */
export function restoreDeleted(state: RegistryState, order: RestoreOrder, who: string): Promise<RestoreReport> {
  const wanted = read(order);
  const { repository } = wanted;
  return state.ledger.commit((): Decision<RestoreReport> => decide(state, wanted, who), {
    own: [repositoryTouch(repository)],
  });
}

function decide(state: RegistryState, wanted: Wanted, who: string): Decision<RestoreReport> {
  const { repository } = wanted;
  const contents = state.index.repository(repository);
  if (contents === undefined) throw fail('not-found', `there is no repository "${repository}"`);
  const { digest, remembered } = findDeleted(state, contents, wanted);
  if (contents.record?.deleting !== undefined)
    throw fail('conflict', `${repository} is being deleted; try again later`);
  refuseLockedPush(repository, contents);
  const records = withChildren(contents, digest);
  const { tags, taken } = sortTags(contents, wanted, { digest, remembered });
  const now = timeOf(state);
  const changes: Change[] = [
    ...(contents.exists
      ? []
      : [{ is: 'repository', repository, record: { createdTime: now, updatedTime: now } } as const]),
    ...records.flatMap((record): Change[] => [
      { is: 'manifest', repository, digest: record.digest, record: { ...record, updatedTime: now } },
      { is: 'deleted', repository, digest: record.digest },
    ]),
    ...tags.map((tag): Change => ({
      is: 'tag',
      repository,
      tag,
      at: now,
      record: tagRecord(contents, { tag, digest, now, who }),
    })),
    ...tags.map((tag) => forgetTag({ repository, tag, digest })),
    ...eventsOf(state, contents, { repository, digest, tags, who }),
  ];
  return { changes, result: { repository, digest, tags, taken, manifests: records.map((record) => record.digest) } };
}

/** The digest that is meant, and the tags that stood for it. */
function findDeleted(
  { index }: RegistryState,
  contents: RepositoryContents,
  { repository, tag, digest }: Wanted,
): { digest: Digest; remembered: readonly string[] } {
  const loose = [...deletedTags(index)].filter((one) => one.repository === repository);
  const whole = [...contents.deleted].map(([found, one]) => ({ digest: found as Digest, ...one }));
  if (digest !== undefined) {
    const remembered = [
      ...(contents.deleted.get(digest)?.tags ?? []),
      ...loose.filter((one) => one.digest === digest).map((one) => one.tag),
    ];
    if (
      contents.deleted.has(digest) ||
      (contents.manifests.has(digest) && (tag !== undefined || remembered.length > 0))
    )
      return { digest, remembered };
    throw fail('not-found', `nothing was deleted at ${repository}@${digest}, or it is gone for good`);
  }
  const found = [
    ...loose.filter((one) => one.tag === tag && contents.manifests.has(one.digest)),
    ...whole.filter(({ tags }) => tag !== undefined && tags.includes(tag)),
  ].sort((a, b) => (a.deletedTime < b.deletedTime ? 1 : -1))[0];
  if (found === undefined)
    throw fail('not-found', `nothing was deleted as ${repository}:${tag ?? ''}, or it is gone for good`);
  return { digest: found.digest, remembered: [] };
}

/** The tags to set, and those that others have by now. */
function sortTags(
  contents: RepositoryContents,
  { repository, tag, force }: Wanted,
  { digest, remembered }: { readonly digest: Digest; readonly remembered: readonly string[] },
): { tags: Tag[]; taken: string[] } {
  const asked = tag === undefined ? [...new Set(remembered)] : [tag];
  const isTaken = (one: string): boolean => {
    const now = contents.tag(one)?.digest;
    return now !== undefined && now !== digest && !force;
  };
  const taken = asked.filter(isTaken);
  if (tag !== undefined && taken.length > 0)
    throw fail('conflict', `${repository}:${tag} stands for ${contents.tag(tag)?.digest ?? 'something else'} by now`, {
      hint: 'force moves it',
    });
  const tags = asked.filter((one) => !taken.includes(one) && contents.tag(one)?.digest !== digest);
  for (const one of tags) refuseLockedTag(repository, contents, { tag: one, digest });
  return { tags: tags as Tag[], taken };
}

/** The deleted manifest and the deleted ones below it, children first; what is not deleted is there already. */
function withChildren(contents: RepositoryContents, digest: Digest): ManifestRecord[] {
  const found = new Map<string, ManifestRecord>();
  const visit = (one: Digest): void => {
    const record = contents.deleted.get(one)?.manifest;
    if (record === undefined || found.has(one)) return;
    for (const { digest: child, kind, foreign } of record.references) {
      if (kind === 'manifest') visit(child);
      if (foreign !== true && !contents.holds(child))
        throw fail('conflict', `${one} cannot be had back: ${child}, which it names, is gone`);
    }
    found.set(one, record);
  };
  visit(digest);
  return [...found.values()];
}

function tagRecord(
  contents: RepositoryContents,
  { tag, digest, now, who }: { readonly tag: Tag; readonly digest: Digest; readonly now: string; readonly who: string },
): TagRecord {
  const before = contents.tag(tag);
  const left = before && {
    digest: before.digest,
    time: before.updatedTime,
    ...(before.by !== undefined && { by: before.by }),
  };
  return {
    ...{ digest, createdTime: before?.createdTime ?? now, updatedTime: now, by: who },
    history: left === undefined ? [] : [left, ...(before?.history ?? [])].slice(0, 16),
    ...(before?.attributes !== undefined && { attributes: before.attributes }),
  };
}

/** Whoever waits for images learns of it as of a push; what is in quarantine still is not told of. */
function eventsOf(
  state: RegistryState,
  contents: RepositoryContents,
  {
    repository,
    digest,
    tags,
    who,
  }: Pick<RestoreReport, 'repository' | 'digest'> & { readonly tags: readonly Tag[]; readonly who: string },
): Change[] {
  const live = contents.manifests.get(digest);
  const record = live ?? contents.deleted.get(digest)?.manifest;
  if (record === undefined || isQuarantined(record)) return [];
  const told = tags.length > 0 ? tags : live === undefined ? [undefined] : [];
  return told.map((tag): Change => {
    const { previousDigest: _, ...event } = pushEventOf(state, contents, { repository, record, tag, by: who });
    const previous = tag === undefined ? undefined : contents.tag(tag)?.digest;
    const whole = { ...event, ...(previous !== undefined && { previousDigest: previous }) };
    return { is: 'event', id: whole.id, record: whole };
  });
}
