/** A content of a repository before and after a change: its bytes, and how many repositories hold it. */
export interface Recount {
  readonly before: number;
  readonly after: number;
  readonly holdersBefore: number;
  readonly holdersAfter: number;
}

/** How many bytes the registry and each repository hold, counted along with every change. */
export class Tally {
  readonly #byRepository = new Map<string, number>();
  #total = 0;

  /** Of distinct contents that any repository holds. */
  get total(): number {
    return this.#total;
  }

  /** Of distinct contents that a repository holds. */
  of(repository: string): number {
    return this.#byRepository.get(repository) ?? 0;
  }

  note(repository: string, { before, after, holdersBefore, holdersAfter }: Recount): void {
    const bytes = this.of(repository) + after - before;
    if (bytes === 0) this.#byRepository.delete(repository);
    else this.#byRepository.set(repository, bytes);
    if (holdersBefore === 0 && holdersAfter > 0) this.#total += after;
    else if (holdersBefore > 0 && holdersAfter === 0) this.#total -= before;
    else if (holdersAfter === 1 && holdersBefore === 1) this.#total += after - before;
  }
}
