import type { RegistryEvent } from '../domain/event.ts';
import { isDigest, type Digest } from '../domain/digest.ts';
import { isRepositoryName, isTag, type RepositoryName, type Tag } from '../domain/image-reference.ts';
import type { BlobRecord, ManifestRecord, TagMove, TagRecord } from './records.ts';

/*
 * What layout 1 kept, one JSON object of the blob store for each repository, manifest, tag, blob of a repository, and event, and
 * what each comes to as a record of today. A document that is JSON but not of its kind comes to undefined.
 */

export const repositoriesPrefix1 = 'registry/repositories/';
export const outboxPrefix1 = 'registry/outbox/';

/** What a key below {@link repositoriesPrefix1} names. */
export type Layout1Object =
  | { readonly kind: 'repository'; readonly repository: RepositoryName }
  | { readonly kind: 'manifest' | 'blob'; readonly repository: RepositoryName; readonly digest: Digest }
  | { readonly kind: 'tag'; readonly repository: RepositoryName; readonly tag: Tag };

/** Undefined for a key that layout 1 did not have. */
export function parseLayout1Key(key: string): Layout1Object | undefined {
  const match = /^registry\/repositories\/([^_].*?)\/_(repository|manifests|blobs|tags)(?:\/(.+))?\.json$/.exec(key);
  const [, repository = '', folder, rest = ''] = match ?? [];
  if (!isRepositoryName(repository)) return undefined;
  if (folder === 'repository') return { kind: 'repository', repository };
  if (folder === 'tags') return isTag(rest) ? { kind: 'tag', repository, tag: rest } : undefined;
  const digest = rest.replace('/', ':');
  if (!isDigest(digest)) return undefined;
  return { kind: folder === 'manifests' ? 'manifest' : 'blob', repository, digest };
}

type Json = Readonly<Record<string, unknown>>;

/** When a repository was made. */
export function createdTimeOf(document: Json): string | undefined {
  return textOf(document['createdTime']);
}

/** @param now ISO 8601; nobody can tell since when no tag stands for it, so that time begins now. */
export function manifestOf(document: Json, digest: Digest, now: string): ManifestRecord | undefined {
  const { version: _, ...fields } = document;
  const { mediaType, size, references, createdTime, updatedTime } = fields;
  const isWhole =
    fields['digest'] === digest &&
    [mediaType, createdTime, updatedTime].every((each) => typeof each === 'string') &&
    typeof size === 'number' &&
    Array.isArray(references) &&
    references.every((each: unknown) => isDigest(String((each as Partial<Json> | null)?.['digest'])));
  return isWhole ? { ...(fields as unknown as ManifestRecord), untaggedSince: now } : undefined;
}

/** @param now ISO 8601; whoever was told that the blob is there is given the whole time to use it. */
export function blobOf(document: Json, now: string): BlobRecord | undefined {
  const { size, pushedBy, mountedFrom } = document;
  if (typeof size !== 'number') return undefined;
  return {
    ...{ size, touchedTime: now },
    ...(typeof pushedBy === 'string' && { pushedBy }),
    ...(typeof mountedFrom === 'string' && isRepositoryName(mountedFrom) && { mountedFrom }),
  };
}

/** A tag, and the ids of the events that tell of its moves. */
export interface Layout1Tag {
  readonly record: TagRecord;
  readonly events: readonly string[];
}

/** Layout 1 had the present place of a tag in its history too, and pushes that left it where it was. */
export function tagOf(document: Json): Layout1Tag | undefined {
  const digest = textOf(document['digest']);
  const createdTime = textOf(document['createdTime']);
  const updatedTime = textOf(document['updatedTime']);
  if (digest === undefined || !isDigest(digest) || createdTime === undefined || updatedTime === undefined)
    return undefined;
  const found: unknown[] = Array.isArray(document['history']) ? document['history'] : [];
  const moves = found.filter(isMove);
  const history = moves
    .filter((move, at) => move.digest !== (moves[at - 1]?.digest ?? digest))
    .map(({ digest: left, time, by }): TagMove => ({ digest: left, time, ...(by !== undefined && { by }) }));
  const by = moves[0]?.by;
  return {
    record: { digest, createdTime, updatedTime, history, ...(by !== undefined && { by }) },
    events: moves.map(({ event }) => event),
  };
}

/** The event of a document of the outbox. */
export function eventOf(document: Json): RegistryEvent | undefined {
  const event = document['event'] as Partial<RegistryEvent> | null | undefined;
  const isWhole =
    typeof event?.id === 'string' && typeof event.kind === 'string' && isRepositoryName(String(event.repository));
  return isWhole ? (event as RegistryEvent) : undefined;
}

function isMove(value: unknown): value is TagMove & { readonly event: string } {
  const { digest, time, event, by } = (value ?? {}) as Json;
  const isNamed = by === undefined || typeof by === 'string';
  return isDigest(String(digest)) && typeof time === 'string' && typeof event === 'string' && isNamed;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
