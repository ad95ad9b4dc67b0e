import type { Digest } from '../domain/digest.ts';
import { Groups, SortedNames } from './groups.ts';
import type { BlobRecord, DeletedManifest, ManifestRecord, RepositoryRecord, TagRecord } from './records.ts';

type Documents = ReadonlyMap<string, ReadonlyMap<string, object>>;

/** What one repository holds, in memory. */
export class RepositoryContents {
  record: RepositoryRecord | undefined;
  readonly manifests: ReadonlyMap<string, ManifestRecord>;
  readonly blobs: ReadonlyMap<string, BlobRecord>;
  /** Manifests that were deleted and can be had back. */
  readonly deleted: ReadonlyMap<string, DeletedManifest>;
  readonly tags: ReadonlyMap<string, TagRecord>;
  readonly #documents: Documents;
  readonly #manifests = new Map<string, ManifestRecord>();
  readonly #blobs = new Map<string, BlobRecord>();
  readonly #deleted = new Map<string, DeletedManifest>();
  readonly #tags = new Map<string, TagRecord>();
  readonly #referrers = new Groups();
  readonly #tagsByDigest = new Groups();
  /** Which manifests, deleted ones that can be had back among them, name a digest. */
  readonly #users = new Groups();
  readonly #sortedTags = new SortedNames(() => this.#tags.keys());
  readonly #listedTags = new SortedNames(() => this.#namesOfListed());

  /** @param documents those of the registry, by kind and name. */
  constructor(documents: Documents = new Map()) {
    this.#documents = documents;
    this.manifests = this.#manifests;
    this.blobs = this.#blobs;
    this.deleted = this.#deleted;
    this.tags = this.#tags;
  }

  /** True once it was made by a first manifest; it then stays, even when it is emptied, until it is deleted. */
  get exists(): boolean {
    return this.record !== undefined && this.record.deleting === undefined;
  }

  /** Tags in ascending order. */
  get tagNames(): readonly string[] {
    return this.#sortedTags.get();
  }

  /** The same without those that are locked against being listed. */
  get listedTagNames(): readonly string[] {
    return this.#listedTags.get();
  }

  /** What is said of all repositories: policies. */
  document(kind: string, name: string): object | undefined {
    return this.#documents.get(kind)?.get(name);
  }

  tag(name: string): TagRecord | undefined {
    return this.#tags.get(name);
  }

  /** The tags that stand for a manifest. */
  tagsOf(digest: Digest): readonly string[] {
    return [...(this.#tagsByDigest.get(digest) ?? [])];
  }

  /** Manifests whose subject is `digest`, in ascending order of their digests. */
  referrersOf(digest: Digest): ManifestRecord[] {
    const digests = [...(this.#referrers.get(digest) ?? [])].sort();
    return digests.flatMap((each) => this.#manifests.get(each) ?? []);
  }

  /** Digests of the manifests that name `digest` as their config, layer or child, deleted ones that can be had back among them. */
  usersOf(digest: Digest): ReadonlySet<string> {
    return this.#users.get(digest) ?? new Set();
  }

  /** The manifest that a tag or digest stands for. */
  find(reference: string): ManifestRecord | undefined {
    if (this.record?.deleting !== undefined) return undefined;
    return this.#manifests.get(reference) ?? this.#manifests.get(this.#tags.get(reference)?.digest ?? '');
  }

  setManifest(digest: Digest, record: ManifestRecord | undefined): void {
    const before = this.#manifests.get(digest);
    if (before?.subject !== undefined) this.#referrers.remove(before.subject, digest);
    put(this.#manifests, digest, record);
    this.#noteTags(digest, before?.untaggedSince ?? record?.updatedTime);
    if (record?.subject !== undefined) this.#referrers.add(record.subject, digest);
    this.#countUses(digest, before, this.#deleted.get(digest)?.manifest);
  }

  setDeleted(digest: Digest, record: DeletedManifest | undefined): void {
    const before = this.#deleted.get(digest)?.manifest;
    if (record === undefined) this.#deleted.delete(digest);
    else this.#deleted.set(digest, record);
    this.#countUses(digest, before, this.#manifests.get(digest));
  }

  setBlob(digest: Digest, record: BlobRecord | undefined): void {
    if (record === undefined) this.#blobs.delete(digest);
    else this.#blobs.set(digest, record);
  }

  /** @param at when, for the manifest that the tag leaves. */
  setTag(name: string, record: TagRecord | undefined, at: string): void {
    const before = this.#tags.get(name);
    if (before !== undefined) this.#tagsByDigest.remove(before.digest, name);
    put(this.#tags, name, record);
    if (record !== undefined) this.#tagsByDigest.add(record.digest, name);
    for (const moved of [before, record]) if (moved !== undefined) this.#noteTags(moved.digest, at);
    if ((before === undefined) !== (record === undefined)) this.#sortedTags.change();
    if (isShown(before) !== isShown(record)) this.#listedTags.change();
  }

  /** Notes a pull by a tag or digest that is there. */
  notePull(reference: string, at: string): void {
    const [manifest, tag] = [this.#manifests.get(reference), this.#tags.get(reference)];
    if (manifest !== undefined) this.#manifests.set(reference, withPull(manifest, at));
    if (tag !== undefined) this.#tags.set(reference, withPull(tag, at));
  }

  /** Whether the repository holds the bytes of a digest, as a blob or as a manifest. */
  holds(digest: string): boolean {
    return this.#blobs.has(digest) || this.#manifests.has(digest) || this.#deleted.has(digest);
  }

  /** Bytes of a digest that it holds; 0 when it does not. */
  sizeOf(digest: string): number {
    const record = this.#blobs.get(digest) ?? this.#manifests.get(digest) ?? this.#deleted.get(digest)?.manifest;
    return record?.size ?? 0;
  }

  get isEmpty(): boolean {
    return this.record === undefined && this.#manifests.size + this.#blobs.size + this.#deleted.size === 0;
  }

  *#namesOfListed(): Generator<string> {
    for (const [name, record] of this.#tags) if (isShown(record)) yield name;
  }

  /** Keeps `untaggedSince` of a manifest true. */
  #noteTags(digest: string, at: string | undefined): void {
    const record = this.#manifests.get(digest);
    if (record === undefined) return;
    const isTagged = this.#tagsByDigest.get(digest) !== undefined;
    if (isTagged === (record.untaggedSince === undefined)) return;
    const { untaggedSince: _, ...rest } = record;
    this.#manifests.set(digest, isTagged || at === undefined ? rest : { ...rest, untaggedSince: at });
  }

  #countUses(user: Digest, ...befores: readonly (ManifestRecord | undefined)[]): void {
    const now = this.#manifests.get(user) ?? this.#deleted.get(user)?.manifest;
    for (const before of befores) {
      for (const { digest } of before?.references ?? []) this.#users.remove(digest, user);
    }
    for (const { digest } of now?.references ?? []) this.#users.add(digest, user);
  }
}

interface Pulled {
  readonly lastPulledTime?: string;
}

/** Puts a record in the place of another. A push, or a change of attributes, says nothing of pulls: what is known of them stays. */
function put<T extends Pulled>(records: Map<string, T>, key: string, record: T | undefined): void {
  if (record === undefined) records.delete(key);
  else records.set(key, withPull(record, records.get(key)?.lastPulledTime));
}

/** A record that was pulled at a time at least. */
function withPull<T extends Pulled>(record: T, at: string | undefined): T {
  return at === undefined || (record.lastPulledTime ?? '') >= at ? record : { ...record, lastPulledTime: at };
}

function isShown(record: TagRecord | undefined): boolean {
  return record !== undefined && record.attributes?.listEnabled !== false;
}
