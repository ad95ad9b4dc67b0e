import type { RepositoryName, Tag } from '../../domain/image-reference.ts';
import type { Change } from '../changes.ts';
import type { Exchange } from '../exchange.ts';
import { repositoryTouch } from '../holding.ts';
import { changeManifest } from '../policies/quarantine.ts';
import type { ManifestRecord } from '../records.ts';
import type { RepositoryContents } from '../repository-contents.ts';
import type { AcrRooms } from './rooms.ts';
import { findContents, findDigest, findTag } from './find.ts';
import { mergeAttributes, readPatch, type Patch } from './patch.ts';
import { sendManifestDetail, sendRepository, sendTag } from './show.ts';

/** Where a change of attributes is made. */
interface Place {
  readonly repository: RepositoryName;
  readonly contents: RepositoryContents;
}

/** Commits changes of one repository, alone among those that push to it. */
async function change(
  { state }: AcrRooms,
  repository: RepositoryName,
  decide: (place: Place) => readonly Change[],
): Promise<void> {
  const touches = { own: [repositoryTouch(repository)] };
  await state.ledger.commit(() => {
    const contents = findContents(state, repository);
    return { changes: decide({ repository, contents }), result: undefined };
  }, touches);
}

/** PATCH of a repository. */
export async function updateRepository(rooms: AcrRooms, exchange: Exchange, repository: RepositoryName): Promise<void> {
  const { attributes } = await readPatch(exchange);
  await change(rooms, repository, ({ contents: { record } }) => {
    if (record === undefined) return [];
    const { attributes: before, ...rest } = record;
    return [{ is: 'repository', repository, record: { ...rest, ...mergeAttributes(before, attributes) } }];
  });
  sendRepository(rooms, exchange, repository);
}

/** PATCH of a tag. */
export async function updateTag(
  rooms: AcrRooms,
  exchange: Exchange,
  at: { readonly repository: RepositoryName; readonly tag: string },
): Promise<void> {
  const { attributes } = await readPatch(exchange);
  await change(rooms, at.repository, ({ repository, contents }) => {
    const { attributes: before, ...rest } = findTag(contents, at);
    const record = { ...rest, ...mergeAttributes(before, attributes) };
    // Moved nowhere: the time is that of the last move, which nothing is noted for.
    return [{ is: 'tag', repository, tag: at.tag as Tag, record, at: record.updatedTime }];
  });
  sendTag(rooms, exchange, at);
}

/** PATCH of a manifest; its quarantine takes a right of its own. */
export async function updateManifest(
  rooms: AcrRooms,
  exchange: Exchange,
  at: { readonly repository: RepositoryName; readonly digest: string },
): Promise<void> {
  const patch = await readPatch(exchange);
  const isQuarantine = patch.quarantine !== undefined || patch.quarantineDetails !== undefined;
  if (isQuarantine) rooms.access.demand(exchange, at.repository, 'quarantine-write');
  const hasAttributes = Object.keys(patch.attributes).length > 0;
  if (hasAttributes || !isQuarantine) rooms.access.demand(exchange, at.repository, 'metadata-write');
  await change(rooms, at.repository, (place) => {
    const before = findDigest(place.contents, at);
    return changeManifest(rooms.state, place, before, patchManifest(before, patch));
  });
  await sendManifestDetail(rooms, exchange, at);
}

function patchManifest(before: ManifestRecord, patch: Patch): ManifestRecord {
  const { attributes, ...rest } = before;
  const { quarantine, quarantineDetails } = patch;
  return {
    ...rest,
    ...mergeAttributes(attributes, patch.attributes),
    ...(quarantine !== undefined && { quarantine }),
    ...(quarantineDetails !== undefined && { quarantineDetails }),
  };
}
