import type { Digest } from '../domain/digest.ts';
import type { ManifestRecord, TagRecord } from './records.ts';

/** Strings in ascending order of their code units, sorted again only after a change. */
class SortedNames {
  #sorted: readonly string[] | undefined = [];
  readonly #names: () => Iterable<string>;

  constructor(names: () => Iterable<string>) {
    this.#names = names;
  }

  change(): void {
    this.#sorted = undefined;
  }

  get(): readonly string[] {
    this.#sorted ??= [...this.#names()].sort();
    return this.#sorted;
  }
}

/** What one repository holds, in memory. */
export class RepositoryContents {
  readonly manifests = new Map<string, ManifestRecord>();
  readonly blobs = new Set<string>();
  readonly #tags = new Map<string, TagRecord>();
  readonly #referrers = new Map<string, Set<string>>();
  readonly #sortedTags = new SortedNames(() => this.#tags.keys());
  /** True once it was made by a first manifest; it then stays, even when it is emptied. */
  exists = false;

  /** Tags in ascending order. */
  get tagNames(): readonly string[] {
    return this.#sortedTags.get();
  }

  tag(name: string): TagRecord | undefined {
    return this.#tags.get(name);
  }

  setTag(name: string, record: TagRecord): void {
    if (!this.#tags.has(name)) this.#sortedTags.change();
    this.#tags.set(name, record);
  }

  removeTag(name: string): void {
    if (this.#tags.delete(name)) this.#sortedTags.change();
  }

  /** The tags that stand for a manifest. */
  tagsOf(digest: Digest): string[] {
    return [...this.#tags].filter(([, record]) => record.digest === digest).map(([name]) => name);
  }

  setManifest(record: ManifestRecord): void {
    this.manifests.set(record.digest, record);
    if (record.subject === undefined) return;
    const referrers = this.#referrers.get(record.subject) ?? new Set<string>();
    this.#referrers.set(record.subject, referrers.add(record.digest));
  }

  removeManifest(digest: Digest): void {
    const subject = this.manifests.get(digest)?.subject;
    this.manifests.delete(digest);
    if (subject !== undefined) this.#referrers.get(subject)?.delete(digest);
  }

  /** Manifests whose subject is `digest`, in ascending order of their digests. */
  referrersOf(digest: Digest): ManifestRecord[] {
    const digests = [...(this.#referrers.get(digest) ?? [])].sort();
    return digests.flatMap((each) => this.manifests.get(each) ?? []);
  }

  /** The manifest that a tag or digest stands for. */
  find(reference: string): ManifestRecord | undefined {
    return this.manifests.get(reference) ?? this.manifests.get(this.#tags.get(reference)?.digest ?? '');
  }
}

/** What the registry holds, in memory: rebuilt at start from the objects of the store, changed after each of their changes. */
export class RegistryIndex {
  readonly #repositories = new Map<string, RepositoryContents>();

  repository(name: string): RepositoryContents | undefined {
    return this.#repositories.get(name);
  }

  /** The repository's entry, made when missing; that alone does not make the repository exist. */
  entry(name: string): RepositoryContents {
    const found = this.#repositories.get(name) ?? new RepositoryContents();
    this.#repositories.set(name, found);
    return found;
  }

  /** Names of the repositories that hold a manifest, ascending. */
  names(): readonly string[] {
    const holding = [...this.#repositories].filter(([, contents]) => contents.manifests.size > 0);
    return holding.map(([name]) => name).sort();
  }

  /** Names of the repositories that hold a blob. */
  *holdersOf(digest: Digest): Generator<string> {
    for (const [name, contents] of this.#repositories) if (contents.blobs.has(digest)) yield name;
  }
}
