import type { Journal, JournalEntry } from '../journal-ports.ts';
import { checkEntrySize, journalClosed, notTheNext, trimmedAway } from '../journal-rules.ts';

/** What the handles of one journal in memory share: make one, and open it as often as there are processes to play. */
export class JournalMemory {
  /** The number of the first entry that is still there; 0 while there is none. */
  first = 0;
  readonly entries: Buffer[] = [];

  /** The number that the next entry has; 0 while any will do. */
  get next(): number {
    return this.first === 0 ? 0 : this.first + this.entries.length;
  }
}

/**
 * A journal in memory, for tests and throw-away installations: the contract of {@link Journal}, except that nothing
 * survives the process.
 * @param options `memory`: the entries, to be shared with other handles; `isShared`: what the journal says of itself.
 */
export function createMemoryJournal(options: { memory?: JournalMemory; isShared?: boolean } = {}): Journal {
  return new MemoryJournal(options.memory ?? new JournalMemory(), options.isShared ?? false);
}

class MemoryJournal implements Journal {
  readonly isShared: boolean;
  readonly #memory: JournalMemory;
  #isClosed = false;

  constructor(memory: JournalMemory, isShared: boolean) {
    this.#memory = memory;
    this.isShared = isShared;
  }

  async *read(after: number): AsyncGenerator<JournalEntry> {
    for (let sequence = after + 1; ; sequence += 1) {
      this.#checkOpen();
      const { first, next, entries } = this.#memory;
      if (sequence >= next) return;
      const bytes = entries[sequence - first];
      if (bytes === undefined) throw trimmedAway(sequence);
      yield await Promise.resolve({ sequence, bytes: Buffer.from(bytes) });
    }
  }

  async append(sequence: number, bytes: Uint8Array): Promise<boolean> {
    await Promise.resolve();
    this.#checkOpen();
    checkEntrySize(bytes);
    const memory = this.#memory;
    if (memory.first === 0) memory.first = sequence;
    if (sequence > memory.next) throw notTheNext(sequence);
    if (sequence < memory.next) return false;
    memory.entries.push(Buffer.from(bytes));
    return true;
  }

  /** As every journal, keeps the last entry, which tells the number of the next. */
  async trim(upTo: number): Promise<void> {
    await Promise.resolve();
    this.#checkOpen();
    const memory = this.#memory;
    const count = Math.min(upTo - memory.first + 1, memory.entries.length - 1);
    if (memory.first === 0 || count <= 0) return;
    memory.entries.splice(0, count);
    memory.first += count;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw journalClosed();
  }
}
