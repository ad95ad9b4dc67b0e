import type { Digest } from '../domain/digest.ts';
import type { RegistryEvent } from '../domain/event.ts';
import type { RepositoryName, Tag } from '../domain/image-reference.ts';
import type { Change } from './changes.ts';
import { Groups, SortedNames } from './groups.ts';
import type { CondemnedContent } from './records.ts';
import { RepositoryContents } from './repository-contents.ts';
import { Tally } from './tally.ts';

/** What the registry holds, in memory: the changes of its journal, applied in their order. */
export class RegistryIndex {
  #repositories = new Map<string, RepositoryContents>();
  readonly #holders = new Groups();
  #documents = new Map<string, Map<string, object>>();
  #events = new Map<string, RegistryEvent>();
  #condemned = new Map<Digest, CondemnedContent>();
  #unheld = new Map<Digest, RepositoryName>();
  #tally = new Tally();
  #removals = 0;
  readonly #sortedNames = new SortedNames(() => this.#existing());

  /** Every repository with something in it, by name. */
  get repositories(): ReadonlyMap<string, RepositoryContents> {
    return this.#repositories;
  }

  /** Events that have not been told yet, by id. */
  get events(): ReadonlyMap<string, RegistryEvent> {
    return this.#events;
  }

  /** Bytes that no repository holds and that are about to go. */
  get condemned(): ReadonlyMap<Digest, CondemnedContent> {
    return this.#condemned;
  }

  /** Bytes that no repository holds any more and that are not condemned yet, with the one that held them last. */
  get unheld(): ReadonlyMap<Digest, RepositoryName> {
    return this.#unheld;
  }

  /** Grows with each content that was removed: while it stays the same, no bytes were taken away. */
  get removals(): number {
    return this.#removals;
  }

  /** Bytes of distinct contents, those that can be had back among them: in all, and in each repository. */
  get bytes(): Pick<Tally, 'total' | 'of'> {
    return this.#tally;
  }

  repository(name: string): RepositoryContents | undefined {
    return this.#repositories.get(name);
  }

  /** Names of the repositories that hold a manifest, ascending. */
  names(): readonly string[] {
    return this.#sortedNames.get();
  }

  /** Names of the repositories that hold the bytes of a digest, as a blob, a manifest, or a deleted one. */
  holdersOf(digest: Digest): ReadonlySet<string> {
    return this.#holders.get(digest) ?? new Set();
  }

  document(kind: string, name: string): object | undefined {
    return this.#documents.get(kind)?.get(name);
  }

  /** The kinds of documents that there are. */
  get kinds(): Iterable<string> {
    return this.#documents.keys();
  }

  /** The documents of a kind, by name. */
  documents(kind: string): ReadonlyMap<string, object> {
    return this.#documents.get(kind) ?? new Map<string, object>();
  }

  /** All of it as changes that make it again on an empty index; may be read while others are applied (see changes.ts). */
  *changes(): Generator<Change> {
    for (const [kind, documents] of this.#documents) {
      for (const [name, record] of documents) yield { is: 'document', kind, name, record };
    }
    for (const [name, contents] of this.#repositories) yield* changesOf(name, contents);
    for (const [digest, record] of this.#condemned) yield { is: 'content', digest, record };
    for (const [id, record] of this.#events) yield { is: 'event', id, record };
    // Taking away what is not there tells the next index that nobody holds it.
    for (const [digest, repository] of this.#unheld) yield { is: 'blob', repository, digest };
  }

  /** About how many records there are. */
  get size(): number {
    return this.#holders.size;
  }

  /** Takes over, in one step, what another index has, which is not to be used any more. */
  become(other: RegistryIndex): void {
    this.#repositories = other.#repositories;
    this.#documents = other.#documents;
    this.#events = other.#events;
    this.#condemned = other.#condemned;
    this.#unheld = other.#unheld;
    this.#removals += 1; // what happened between the two states cannot be told
    this.#holders.become(other.#holders);
    this.#tally = other.#tally;
    this.#sortedNames.change();
  }

  apply(change: Change): void {
    switch (change.is) {
      case 'document':
        this.#setDocument(change);
        return;
      case 'event':
        setOrDelete(this.#events, change.id, change.record);
        return;
      case 'content':
        this.#setContent(change);
        return;
      default:
        this.#applyTo(change);
    }
  }

  #applyTo(change: Extract<Change, { repository: string }>): void {
    const { repository } = change;
    const contents = this.#repositories.get(repository) ?? new RepositoryContents(this.#documents);
    this.#repositories.set(repository, contents);
    const wasListed = contents.manifests.size > 0;
    const before = 'digest' in change ? contents.sizeOf(change.digest) : 0;
    setIn(contents, change);
    const isListed = contents.manifests.size > 0;
    if (change.is === 'repository' || isListed !== wasListed) this.#sortedNames.change();
    if ('digest' in change) this.#noteHolder(repository, contents, { digest: change.digest, before });
    if (contents.isEmpty) this.#repositories.delete(repository);
  }

  #setContent({ digest, record }: Extract<Change, { is: 'content' }>): void {
    if (record === undefined && this.#condemned.get(digest)?.state === 'removing') this.#removals += 1;
    setOrDelete(this.#condemned, digest, record);
    this.#unheld.delete(digest);
  }

  #noteHolder(
    name: string,
    contents: RepositoryContents,
    { digest, before }: { readonly digest: Digest; readonly before: number },
  ): void {
    const holdersBefore = this.#holders.get(digest)?.size ?? 0;
    const isHeld = contents.holds(digest);
    if (isHeld) this.#holders.add(digest, name);
    else this.#holders.remove(digest, name);
    const holdersAfter = this.#holders.get(digest)?.size ?? 0;
    this.#tally.note(name, { before, after: contents.sizeOf(digest), holdersBefore, holdersAfter });
    if (isHeld) this.#unheld.delete(digest);
    else if (holdersAfter === 0 && !this.#condemned.has(digest)) this.#unheld.set(digest, name as RepositoryName);
  }

  #setDocument({ kind, name, record }: Extract<Change, { is: 'document' }>): void {
    const documents = this.#documents.get(kind) ?? new Map<string, object>();
    this.#documents.set(kind, documents);
    setOrDelete(documents, name, record);
  }

  *#existing(): Generator<string> {
    for (const [name, one] of this.#repositories) if (one.exists && one.manifests.size > 0) yield name;
  }
}

function setIn(contents: RepositoryContents, change: Extract<Change, { repository: string }>): void {
  switch (change.is) {
    case 'repository':
      contents.record = change.record;
      return;
    case 'tag':
      contents.setTag(change.tag, change.record, change.at);
      return;
    case 'manifest':
      contents.setManifest(change.digest, change.record);
      return;
    case 'blob':
      contents.setBlob(change.digest, change.record);
      return;
    case 'deleted':
      contents.setDeleted(change.digest, change.record);
      return;
    case 'pulled':
      contents.notePull(change.reference, change.at);
  }
}

function* changesOf(name: string, contents: RepositoryContents): Generator<Change> {
  const repository = name as RepositoryName;
  if (contents.record !== undefined) yield { is: 'repository', repository, record: contents.record };
  for (const [digest, record] of contents.blobs) yield { is: 'blob', repository, digest: digest as Digest, record };
  // Tags come before manifests: what leaves a manifest meanwhile was seen with it, or the manifest is seen as it is after that.
  for (const [tag, record] of contents.tags) {
    yield { is: 'tag', repository, tag: tag as Tag, record, at: record.updatedTime };
  }
  for (const [digest, record] of contents.manifests) {
    yield { is: 'manifest', repository, digest: digest as Digest, record };
  }
  for (const [digest, record] of contents.deleted) {
    yield { is: 'deleted', repository, digest: digest as Digest, record };
  }
}

function setOrDelete<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
