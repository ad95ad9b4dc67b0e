import type { Journal } from '../blob/journal-ports.ts';
import { fail, FailureError } from '../domain/failure.ts';
import { decodeChanges, encodePart, encodeParts, type Change } from './changes.ts';
import type { RegistryIndex } from './contents.ts';
import { formGroup, type Touches } from './touches.ts';

/** What a commit comes to: the changes to make durable, and what its caller gets when they are. */
export interface Decision<T> {
  readonly changes: readonly Change[];
  readonly result: T;
}

/** Told of changes after they were applied; `isOwn`: this process committed them. */
export type ChangeListener = (changes: readonly Change[], isOwn: boolean) => void;

export interface LedgerOptions {
  /** As it is after the entry `sequence`. */
  readonly index: RegistryIndex;
  readonly journal: Journal;
  readonly sequence: number;
  /** Builds the index again from the newest snapshot, for a process that was away too long; resolves to its sequence. */
  readonly reload: () => Promise<number>;
}

interface Waiting {
  readonly touches: Touches;
  readonly decide: () => Decision<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Decided {
  readonly waiting: Waiting;
  readonly decision: Decision<unknown>;
  /** Its changes as the entry has them. */
  readonly part: Buffer;
}

/** Bytes of an entry beyond which no further commit is put into it; one commit alone may be larger. */
const groupBytes = 4 * 1024 * 1024;

/** How often a newer snapshot is looked for when the journal does not have what comes next: another process may be about to write one. */
const mostReloads = 5;

/**
 * The one way to change the registry. Commits that come while one is being written are written together by the next sync, as one
 * entry of the journal; where another process has written first, its changes are applied and the commits decided anew.
 */
export class Ledger {
  readonly index: RegistryIndex;
  readonly #journal: Journal;
  readonly #listeners = new Set<ChangeListener>();
  readonly #reload: () => Promise<number>;
  #sequence: number;
  #waiting: Waiting[] = [];
  /** The one piece of work on the journal at a time: a group being written, or entries of others being read. */
  #turn: Promise<void> = Promise.resolve();
  #isWriting = false;
  #nextRefresh: Promise<void> | undefined;

  constructor({ index, journal, sequence, reload }: LedgerOptions) {
    this.index = index;
    this.#journal = journal;
    this.#sequence = sequence;
    this.#reload = reload;
  }

  /** True when other processes commit too. */
  get isShared(): boolean {
    return this.#journal.isShared;
  }

  /** The number of the last entry that is applied. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Calls `listener` after each entry; returns how to stop that. */
  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Runs `decide`, makes its changes durable, applies them, and resolves to its result. It must look at nothing but the index and what
   * was known before, change nothing, and may be called again; what it throws rejects this commit alone.
   * @param touches what it looks at and changes (default: everything, so that it is alone in its entry).
   * @throws `storage-unavailable`: nothing was changed.
   */
  commit<T>(decide: () => Decision<T>, touches: Touches = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ touches, decide, resolve: resolve as (result: unknown) => void, reject });
      this.#startWriting();
    });
  }

  /** Applies what other processes have committed before this call. Nothing to do where there are none. */
  refresh(): Promise<void> {
    if (!this.#journal.isShared) return Promise.resolve();
    this.#nextRefresh ??= this.#takeTurn(() => {
      this.#nextRefresh = undefined; // who comes from now on might miss what is written while this one reads
      return this.catchUp();
    });
    return this.#nextRefresh;
  }

  /**
   * Reads on in the journal; only before the ledger is used, or in its turn.
   * @throws `storage-unavailable` also when neither the journal nor a snapshot has what comes next.
   */
  async catchUp(): Promise<void> {
    for (let reloads = 0; ; reloads += 1) {
      try {
        for await (const { sequence, bytes } of this.#journal.read(this.#sequence)) {
          this.#apply(decodeChanges(bytes), sequence, false);
        }
        return;
      } catch (error) {
        if (!isTooLate(error)) throw error;
        if (reloads === mostReloads) throw lost(this.#sequence, error);
        this.#sequence = await this.#reload();
        const events = [...this.index.events].map(([id, record]): Change => ({ is: 'event', id, record }));
        for (const listener of this.#listeners) listener(events, false); // of the rest, nobody has to be told
      }
    }
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    while (this.#isWriting) await this.#turn;
    await this.#turn;
  }

  #startWriting(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    void this.#takeTurn(async () => {
      // Whatever comes in the same turn of the event loop goes into one entry.
      await new Promise(setImmediate);
      this.#isWriting = false;
      await this.#writeGroup();
      if (this.#waiting.length > 0) this.#startWriting();
    });
  }

  #takeTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #writeGroup(): Promise<void> {
    const { group, rest } = formGroup(this.#waiting);
    this.#waiting = rest;
    try {
      for (;;) {
        const decided = this.#decide(group);
        const changes = decided.flatMap(({ decision }) => decision.changes);
        const bytes = encodeParts(decided.map(({ part }) => part));
        if (changes.length === 0 || (await this.#journal.append(this.#sequence + 1, bytes))) {
          if (changes.length > 0) this.#apply(changes, this.#sequence + 1, true);
          for (const { waiting, decision } of decided) waiting.resolve(decision.result);
          return;
        }
        await this.catchUp();
      }
    } catch (error) {
      for (const waiting of group) waiting.reject(error);
    }
  }

  /** What the members of a group come to; those that throw are out, and those that make the entry too large wait for the next. */
  #decide(group: Waiting[]): Decided[] {
    const decided: Decided[] = [];
    let size = 0;
    while (decided.length < group.length) {
      const waiting = group[decided.length];
      if (waiting === undefined) break;
      try {
        const decision = waiting.decide();
        const part = encodePart(decision.changes);
        size += part.length;
        if (size > groupBytes && decided.length > 0) {
          this.#waiting.unshift(...group.splice(decided.length));
          break;
        }
        decided.push({ waiting, decision, part });
      } catch (error) {
        waiting.reject(error);
        group.splice(decided.length, 1);
      }
    }
    return decided;
  }

  #apply(changes: readonly Change[], sequence: number, isOwn: boolean): void {
    for (const change of changes) this.index.apply(change);
    this.#sequence = sequence;
    for (const listener of this.#listeners) listener(changes, isOwn);
  }
}

function lost(sequence: number, cause: unknown): FailureError {
  return fail('storage-unavailable', `what happened in the registry after entry ${String(sequence)} is lost`, {
    cause,
    hint: 'restore the store from a backup',
  });
}

function isTooLate(error: unknown): boolean {
  return error instanceof FailureError && error.failure.reason === 'conflict';
}
