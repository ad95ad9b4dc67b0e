import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal, JournalEntry } from './journal-ports.ts';

/**
 * What several processes tell each other about the end of a journal, so that a quiet one need not be asked for news. It may forget, and be
 * away; a number once announced must not be followed by a lower one, unless the hint was away in between.
 */
export interface JournalHint {
  /** Tells the others that there is an entry with this number; rejects when they may not come to know. */
  announce(sequence: number): Promise<void>;
  /** The highest number that was announced; undefined when that is not known for certain, or the hint was away since it was asked last. */
  newest(): Promise<number | undefined>;
  /** Says that there is no such entry, though it was announced; never rejects. */
  forget(sequence: number): Promise<void>;
}

/** The longest time for which the hint alone is asked, milliseconds. */
const mostQuietMs = 250;
/** For timers that are early. */
const marginMs = 20;

/**
 * A shared journal that is asked for news only when the hint says that there are some, and four times a second. Whoever has been told that an entry
 * was appended finds it in every process from then on: where it could not be announced, that is told a little later, when all have asked.
 * @param now milliseconds that only grow.
 */
export function withHint(journal: Journal, hint: JournalHint, now: () => number = () => performance.now()): Journal {
  return new HintedJournal(journal, hint, now);
}

class HintedJournal implements Journal {
  readonly #journal: Journal;
  readonly #hint: JournalHint;
  readonly #now: () => number;
  /** The end of the journal, and when it was looked for. */
  #end = { sequence: -1, at: -Infinity };

  constructor(journal: Journal, hint: JournalHint, now: () => number) {
    this.#journal = journal;
    this.#hint = hint;
    this.#now = now;
  }

  get isShared(): boolean {
    return this.#journal.isShared;
  }

  async *read(after: number): AsyncGenerator<JournalEntry> {
    const newest = await this.#hint.newest().catch(() => undefined);
    const at = this.#now();
    const isQuiet = newest !== undefined && newest <= after && after === this.#end.sequence;
    if (isQuiet && at - this.#end.at < mostQuietMs) return;
    let last = after;
    for await (const entry of this.#journal.read(after)) {
      last = entry.sequence;
      yield entry;
    }
    this.#end = { sequence: last, at };
    if (newest !== undefined && newest > last) await this.#hint.forget(newest);
  }

  async append(sequence: number, bytes: Uint8Array): Promise<boolean> {
    const at = this.#now();
    if (!(await this.#journal.append(sequence, bytes))) return false;
    // It was the next when it was appended: there was nothing between.
    this.#end = { sequence, at };
    await this.#hint.announce(sequence).catch(() => sleep(mostQuietMs + marginMs));
    return true;
  }

  trim(upTo: number): Promise<void> {
    return this.#journal.trim(upTo);
  }

  close(): Promise<void> {
    return this.#journal.close();
  }
}
