/** How long an entry is kept after it was seen, for processes that are slower. */
const keepMs = 10 * 60_000;
/** Entries seen within this time share a mark. */
const markMs = 10_000;

/** Remembers, in a few dozen marks, when which entries of a journal had been seen. */
export class SeenMarks {
  #marks: { readonly since: number; upTo: number }[] = [];

  /** @param now milliseconds since the epoch; numbers come in ascending order. */
  add(sequence: number, now: number): void {
    const last = this.#marks.at(-1);
    if (last !== undefined && now - last.since < markMs) last.upTo = sequence;
    else this.#marks.push({ since: now, upTo: sequence });
    const old = this.#marks.findLastIndex((mark) => isOld(mark.since, now));
    if (old > 0) this.#marks = this.#marks.slice(old);
  }

  /** The last number that was seen at least ten minutes ago; 0 when there is none. */
  longAgo(now: number): number {
    return this.#marks.findLast((mark) => isOld(mark.since, now))?.upTo ?? 0;
  }
}

function isOld(since: number, now: number): boolean {
  return now - since >= keepMs + markMs;
}
