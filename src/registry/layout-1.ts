import type { BlobStore } from '../blob/ports.ts';
import type { RegistryEvent } from '../domain/event.ts';
import { RegistryIndex } from './contents.ts';
import { forEachKey, putDocument, readDocument } from './documents.ts';
import { contentKey, damagedDocumentKey, layoutKey, layoutVersion } from './layout.ts';
import {
  blobOf,
  createdTimeOf,
  eventOf,
  manifestOf,
  outboxPrefix1,
  parseLayout1Key,
  repositoriesPrefix1,
  tagOf,
  type Layout1Object,
} from './layout-1-documents.ts';
import type { LayoutDocument } from './records.ts';
import { writeSnapshot } from './snapshots.ts';

/** What taking over a store of layout 1 needs. */
export interface Takeover {
  readonly storage: BlobStore;
  /** ISO 8601, UTC. */
  readonly now: string;
  readonly newId: () => string;
  /** Told of each document that cannot be read. */
  readonly reportDamage: (key: string) => void;
}

interface Reading {
  readonly takeover: Takeover;
  readonly index: RegistryIndex;
  /** Events that the tags' moves name. */
  readonly moves: Set<string>;
  /** Keys of documents that could not be read. */
  readonly damaged: Set<string>;
}

/**
 * Makes a store of layout 1 one of layout 2, whose LAYOUT it resolves to. All documents become the snapshot before the journal's first
 * entry; from the moment that LAYOUT says so they count no more, and {@link removeLayout1} may remove them. Nothing that was there is
 * changed before, so it can be broken off anywhere and begun again, also by several processes at once.
 * Documents that cannot be read are passed over, and their bytes are kept aside.
 * @throws `storage-unavailable`.
 */
export async function takeOverLayout1(takeover: Takeover): Promise<LayoutDocument | undefined> {
  const { storage, newId, reportDamage } = takeover;
  const reading: Reading = { takeover, index: new RegistryIndex(), moves: new Set(), damaged: new Set() };
  await forEachKey(storage, repositoriesPrefix1, (key) => readObject(reading, key));
  await forEachKey(storage, outboxPrefix1, (key) => readEvent(reading, key));
  // Another process may have done the same meanwhile, and removed documents before they could be read here.
  const found = await readDocument<LayoutDocument>(storage, layoutKey, reportDamage);
  if (found?.layout !== 1) return found;
  for (const key of reading.damaged) await keepAside(storage, key);
  await writeSnapshot(storage, reading.index.changes(), 0, newId());
  const next: LayoutDocument = { ...found, layout: layoutVersion, leftovers: 1 };
  await putDocument(storage, layoutKey, next);
  return next;
}

/** Removes the documents of layout 1 from a store of layout 2, and notes in LAYOUT that they are gone. */
export async function removeLayout1(storage: BlobStore, layout: LayoutDocument): Promise<void> {
  for (const prefix of [repositoriesPrefix1, outboxPrefix1]) {
    await forEachKey(storage, prefix, (key) => removeOne(storage, key));
  }
  const { leftovers: _, ...rest } = layout;
  await putDocument(storage, layoutKey, rest);
}

async function removeOne(storage: BlobStore, key: string): Promise<void> {
  await storage.delete(key);
}

async function readObject(reading: Reading, key: string): Promise<void> {
  const found = parseLayout1Key(key);
  if (found === undefined) return;
  const document = await readDocument<Record<string, unknown>>(reading.takeover.storage, key, () => undefined);
  if (document === undefined || !applyDocument(reading, found, document)) await applyDamaged(reading, found, key);
}

/** False when the document is not what its key says. */
function applyDocument(reading: Reading, found: Layout1Object, document: Record<string, unknown>): boolean {
  const { index, takeover } = reading;
  const { now } = takeover;
  switch (found.kind) {
    case 'repository': {
      const createdTime = createdTimeOf(document);
      if (createdTime === undefined) return false;
      index.apply({
        is: 'repository',
        repository: found.repository,
        record: { createdTime, updatedTime: createdTime },
      });
      return true;
    }
    case 'blob': {
      const record = blobOf(document, now);
      if (record !== undefined) index.apply({ is: 'blob', ...placeOf(found), record });
      return record !== undefined;
    }
    case 'manifest': {
      const record = manifestOf(document, found.digest, now);
      if (record !== undefined) index.apply({ is: 'manifest', ...placeOf(found), record });
      return record !== undefined;
    }
    case 'tag':
      return applyTag(reading, found, document);
  }
}

function applyTag(
  reading: Reading,
  found: Extract<Layout1Object, { kind: 'tag' }>,
  document: Record<string, unknown>,
): boolean {
  const tag = tagOf(document);
  if (tag === undefined) return false;
  const { record, events } = tag;
  for (const event of events) reading.moves.add(event);
  reading.index.apply({ is: 'tag', repository: found.repository, tag: found.tag, record, at: record.updatedTime });
  return true;
}

type Content = Extract<Layout1Object, { digest: string }>;

function placeOf({ repository, digest }: Content): Pick<Content, 'repository' | 'digest'> {
  return { repository, digest };
}

/** Of a repository and of a blob, layout 1 asked no more than that the document was there. */
async function applyDamaged(reading: Reading, found: Layout1Object, key: string): Promise<void> {
  const { index, takeover } = reading;
  const { storage, now } = takeover;
  if ((await storage.stat(key)) === undefined) return;
  takeover.reportDamage(key);
  reading.damaged.add(key);
  if (found.kind === 'repository') {
    index.apply({ is: 'repository', repository: found.repository, record: { createdTime: now, updatedTime: now } });
  }
  if (found.kind === 'blob') {
    const content = await storage.stat(contentKey(found.digest));
    if (content === undefined) return;
    index.apply({ is: 'blob', ...placeOf(found), record: { size: content.size, touchedTime: now } });
  }
}

/** Layout 1 wrote an event before the change that it tells of: one whose change never came about is not told. */
async function readEvent(reading: Reading, key: string): Promise<void> {
  const { storage, reportDamage } = reading.takeover;
  const document = await readDocument<Record<string, unknown>>(storage, key, () => undefined);
  const event = document && eventOf(document);
  if (event !== undefined) {
    if (cameAbout(reading, event)) reading.index.apply({ is: 'event', id: event.id, record: event });
    return;
  }
  if ((await storage.stat(key)) === undefined) return;
  reportDamage(key);
  reading.damaged.add(key);
}

function cameAbout({ index, moves }: Reading, event: RegistryEvent): boolean {
  const repository = index.repository(event.repository);
  switch (event.kind) {
    case 'delete':
      return repository?.manifests.has(event.digest) !== true;
    case 'untag':
      return repository?.tag(event.tag) === undefined;
    case 'push':
      return event.tag === undefined ? repository?.manifests.has(event.digest) === true : moves.has(event.id);
    case 'quarantine':
      return false; // layout 1 had none
  }
}

async function keepAside(storage: BlobStore, key: string): Promise<void> {
  const bytes = await storage.readSmall(key);
  if (bytes !== undefined) await storage.put(damagedDocumentKey(key), bytes);
}
