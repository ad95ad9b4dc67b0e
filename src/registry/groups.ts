/** Strings in ascending order of their code units, sorted again only after a change. */
export class SortedNames {
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

/** Sets of strings by a string; empty ones are not kept. */
export class Groups {
  #members = new Map<string, Set<string>>();

  /** Takes over what another one has, which is not to be used any more. */
  become(other: Groups): void {
    this.#members = other.#members;
  }

  add(key: string, member: string): void {
    const members = this.#members.get(key);
    if (members === undefined) this.#members.set(key, new Set([member]));
    else members.add(member);
  }

  remove(key: string, member: string): void {
    const members = this.#members.get(key);
    if (members?.delete(member) === true && members.size === 0) this.#members.delete(key);
  }

  get(key: string): ReadonlySet<string> | undefined {
    return this.#members.get(key);
  }

  get size(): number {
    return this.#members.size;
  }
}
