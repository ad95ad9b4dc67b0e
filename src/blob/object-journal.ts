import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import { fail, type FailureError } from '../domain/failure.ts';
import { checkBlobKey } from './key.ts';
import type { Journal, JournalEntry } from './journal-ports.ts';
import {
  checkEntrySize,
  formatSequence,
  journalClosed,
  maxEntryBytes,
  notTheNext,
  parseSequence,
  trimmedAway,
} from './journal-rules.ts';
import type { BlobStore } from './ports.ts';
import { SeenMarks } from './seen-marks.ts';

/** What an object journal works with. */
export interface ObjectJournalParts {
  /** Where the entries lie; `put` with `ifAbsent` decides who is first. */
  readonly storage: BlobStore;
  /** What the keys begin with (`journal/`); nothing else may lie there. */
  readonly prefix: string;
  readonly clock: Clock;
  /** False: no other process appends, so that nobody needs to look for what others wrote (default true). */
  readonly isShared?: boolean;
}

/** Before the bytes of an entry: what makes it the only one of its kind (8), and the fingerprint of the entry before it (8). */
const nonceBytes = 8;
const headerBytes = 16;
const noPredecessor = Buffer.alloc(headerBytes - nonceBytes);

/** Who was at the end this recently has missed nothing that could have been trimmed away since. */
const freshMs = 30_000;
/** An append that took longer looks whether its number was still the next. Much less than trimming waits. */
const slowAppendMs = 60_000;
const mostReadAtOnce = 32;

/**
 * A journal of objects, one for each entry (`<prefix>0000000000000001`), that several processes may append to. Each entry
 * carries a fingerprint of the one before it, so that one which got in under a number that was given away long ago is found
 * out. An append whose storage failed may still arrive: whoever tries the number again then gets false, and reads it.
 */
export function createObjectJournal(parts: ObjectJournalParts): Journal {
  checkBlobKey(parts.prefix + formatSequence(1));
  return new ObjectJournal(parts);
}

/** The last entry that was read or appended. */
interface Last {
  readonly sequence: number;
  readonly print: Buffer;
}

class ObjectJournal implements Journal {
  readonly isShared: boolean;
  readonly #storage: BlobStore;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #seen = new SeenMarks();
  #last: Last | undefined;
  /** The end of the journal, and when it was there, milliseconds since the epoch. */
  #end = { sequence: 0, at: -Infinity };
  #isClosed = false;

  constructor({ storage, prefix, clock, isShared = true }: ObjectJournalParts) {
    this.isShared = isShared;
    this.#storage = storage;
    this.#prefix = prefix;
    this.#clock = clock;
  }

  async *read(after: number): AsyncGenerator<JournalEntry> {
    let position = after;
    let print = this.#last?.sequence === after ? this.#last.print : undefined;
    let atOnce = 1;
    for (;;) {
      const lookedAt = this.#clock.now();
      const objects = await this.#getAhead(position, atOnce);
      if (objects.length === 0 && (await this.#isEnd(position, lookedAt))) {
        this.#end = { sequence: position, at: lookedAt };
        return;
      }
      atOnce = objects.length === atOnce ? Math.min(atOnce * 2, mostReadAtOnce) : 1;
      for (const object of objects) {
        const sequence = position + 1;
        if (print?.equals(object.subarray(nonceBytes, headerBytes)) === false) throw doesNotFollow(sequence);
        print = fingerprint(object);
        this.#note({ sequence, print });
        yield { sequence, bytes: object.subarray(headerBytes) };
        position = sequence;
      }
    }
  }

  async append(sequence: number, bytes: Uint8Array): Promise<boolean> {
    this.#checkOpen();
    checkEntrySize(bytes);
    const startedAt = this.#clock.now();
    const before = await this.#printBefore(sequence);
    if (before === undefined || !(await this.#isEnd(sequence - 1, startedAt))) return false;
    const object = Buffer.concat([randomBytes(nonceBytes), before, bytes]);
    const isFirst = await this.#storage.put(this.#keyOf(sequence), object, { ifAbsent: true });
    // A store that tried again after a broken connection may have met what its own first try had left.
    if (!isFirst && (await this.#get(sequence))?.equals(object) !== true) return false;
    const last = { sequence, print: fingerprint(object) };
    if (this.#clock.now() - startedAt > slowAppendMs) await this.#checkInPlace(last);
    this.#note(last);
    this.#end = { sequence, at: startedAt };
    return true;
  }

  /** Removes what this process has seen for ten minutes, for others may have to read it yet; never the last entry. */
  async trim(upTo: number): Promise<void> {
    this.#checkOpen();
    const seen = this.#seen.longAgo(this.#clock.now());
    const limit = Math.min(upTo, seen, (this.#last?.sequence ?? 0) - 1);
    for (let after: string | undefined = ''; after !== undefined && limit > 0;) {
      const page = await this.#storage.list(this.#prefix, after === '' ? {} : { after });
      const keys = page.keys.filter((key) => (this.#sequenceOf(key) ?? Infinity) <= limit);
      for (let at = 0; at < keys.length; at += mostReadAtOnce) {
        await Promise.all(keys.slice(at, at + mostReadAtOnce).map((key) => this.#storage.delete(key)));
      }
      after = keys.length < page.keys.length ? undefined : page.next;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  /** The objects after a number, as many as asked for unless the journal ends or has a gap before. */
  async #getAhead(position: number, count: number): Promise<Buffer[]> {
    const wanted = Array.from({ length: count }, (_, index) => this.#get(position + 1 + index));
    const objects: Buffer[] = [];
    for (const object of await Promise.all(wanted)) {
      if (object === undefined) break;
      objects.push(object);
    }
    return objects;
  }

  async #get(sequence: number): Promise<Buffer | undefined> {
    this.#checkOpen();
    const key = this.#keyOf(sequence);
    const object = await this.#storage.readSmall(key, maxEntryBytes + headerBytes);
    if (object === undefined || object.length >= headerBytes) return object;
    throw fail('storage-unavailable', `the journal is damaged: the object ${key} is no entry`, {
      hint: 'restore the store from a backup',
    });
  }

  /**
   * True when nothing follows `position`, false when the next entry is there.
   * @param now just before the next entry was looked for in vain, or is going to be put if it is absent.
   * @throws `conflict` when later ones are there, and the next is not.
   */
  async #isEnd(position: number, now: number): Promise<boolean> {
    if (position < this.#end.sequence || Math.abs(now - this.#end.at) > freshMs) {
      const following = await this.#firstAfter(position);
      if (following === position + 1) return false;
      if (following !== undefined) throw trimmedAway(position + 1);
    }
    return true;
  }

  /** The fingerprint that an entry has to carry; undefined when the entry is there already. */
  async #printBefore(sequence: number): Promise<Buffer | undefined> {
    if (this.#last?.sequence === sequence - 1) return this.#last.print;
    const before = sequence > 1 ? await this.#get(sequence - 1) : undefined;
    if (before !== undefined) return fingerprint(before);
    const following = await this.#firstAfter(sequence - 1);
    if (following === sequence) return undefined;
    if (following !== undefined) throw trimmedAway(sequence);
    if ((await this.#firstAfter(0)) !== undefined) throw notTheNext(sequence);
    return noPredecessor; // the very first
  }

  /** For an append that hung: others may have gone on, and trimmed, so that its number was not the next any more. */
  async #checkInPlace({ sequence, print }: Last): Promise<void> {
    const following = await this.#firstAfter(sequence);
    if (following === undefined) return;
    const next = following === sequence + 1 ? await this.#get(following) : undefined;
    if (next !== undefined && print.equals(next.subarray(nonceBytes, headerBytes))) return;
    await this.#storage.delete(this.#keyOf(sequence));
    throw trimmedAway(sequence);
  }

  async #firstAfter(position: number): Promise<number | undefined> {
    this.#checkOpen();
    const after = position === 0 ? {} : { after: this.#keyOf(position) };
    const { keys } = await this.#storage.list(this.#prefix, { ...after, limit: 10 });
    return keys.map((key) => this.#sequenceOf(key)).find((sequence) => sequence !== undefined);
  }

  #note(last: Last): void {
    if (this.#last !== undefined && last.sequence < this.#last.sequence) return;
    this.#last = last;
    this.#seen.add(last.sequence, this.#clock.now());
  }

  #keyOf(sequence: number): string {
    return this.#prefix + formatSequence(sequence);
  }

  #sequenceOf(key: string): number | undefined {
    return parseSequence(key.slice(this.#prefix.length));
  }

  #checkOpen(): void {
    if (this.#isClosed) throw journalClosed();
  }
}

function fingerprint(object: Buffer): Buffer {
  return createHash('sha256').update(object).digest().subarray(0, noPredecessor.length);
}

function doesNotFollow(sequence: number): FailureError {
  return fail('conflict', `entry ${String(sequence)} of the journal does not follow the one that was read before it`, {
    hint: 'begin with the newest snapshot',
  });
}
