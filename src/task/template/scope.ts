interface Entry<T> {
  readonly name: string;
  value: T;
  /** Place of the variable of the same name that this one hides. */
  readonly hidden: number | undefined;
}

/** Variables in scope, innermost last; a name is found at once however many there are. */
export class Scope<T> {
  readonly #entries: Entry<T>[] = [];
  readonly #places = new Map<string, number>();

  get size(): number {
    return this.#entries.length;
  }

  names(): Iterable<string> {
    return this.#places.keys();
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  get(name: string): T | undefined {
    return this.#entries[this.#places.get(name) ?? -1]?.value;
  }

  push(name: string, value: T): void {
    this.#entries.push({ name, value, hidden: this.#places.get(name) });
    this.#places.set(name, this.#entries.length - 1);
  }

  /** Gives the innermost variable of this name another value. */
  set(name: string, value: T): void {
    const entry = this.#entries[this.#places.get(name) ?? -1];
    if (entry !== undefined) entry.value = value;
  }

  /** Forgets what was pushed since the scope had `size` variables. */
  shrink(size: number): void {
    while (this.#entries.length > size) {
      const entry = this.#entries.pop();
      if (entry === undefined) return;
      if (entry.hidden === undefined) this.#places.delete(entry.name);
      else this.#places.set(entry.name, entry.hidden);
    }
  }
}
