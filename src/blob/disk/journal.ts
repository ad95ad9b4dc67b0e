import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, FailureError } from '../../domain/failure.ts';
import type { Journal, JournalEntry } from '../journal-ports.ts';
import {
  checkEntrySize,
  formatSequence,
  journalClosed,
  notTheNext,
  parseSequence,
  trimmedAway,
} from '../journal-rules.ts';
import { createDirectories, type Directories } from './directories.ts';
import { systemCode } from './errors.ts';
import { RecordReader, readWhole } from './journal-reader.ts';
import { readSegmentHeader, segmentHeaderBytes } from './journal-record.ts';
import { isFull, openFile, SegmentWriter, type OpenFile, type SegmentOptions } from './journal-segment.ts';

/** What tests set differently. */
export interface FileJournalOptions extends Partial<SegmentOptions> {
  /** A segment that has this many bytes is followed by a new one; 8 MiB unless set. */
  readonly segmentBytes?: number;
}

/**
 * Opens the journal that lies in a directory of its own (made when missing), which this process alone writes to: segments
 * named by the number of their first entry (`0000000000000001.log`), made of records with checksums.
 * An entry that was being written at a crash is removed. Rejects with `storage-unavailable`, naming file and offset, when
 * entries that were durable have been damaged.
 */
export async function openFileJournal(directory: string, options: FileJournalOptions = {}): Promise<Journal> {
  const directories = createDirectories(directory);
  return guardJournal(async () => {
    await makeDirectory(directory, directories);
    const firsts = await listSegments(directory);
    const journal = new FileJournal(directory, directories, firsts, options);
    await journal.open();
    return journal;
  });
}

async function makeDirectory(directory: string, directories: Directories): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) await directories.sync(dirname(made));
}

/** The first numbers of the segments, ascending; what a crash left of a segment being made is removed. */
async function listSegments(directory: string): Promise<number[]> {
  const firsts: number[] = [];
  for (const name of await readdir(directory)) {
    if (name.endsWith('.new')) await rm(join(directory, name), { force: true });
    const first = name.endsWith('.log') ? parseSequence(name.slice(0, -'.log'.length)) : undefined;
    if (first !== undefined) firsts.push(first);
  }
  return firsts.sort((a, b) => a - b);
}

class FileJournal implements Journal {
  readonly isShared = false;
  readonly #directory: string;
  readonly #directories: Directories;
  readonly #options: SegmentOptions;
  readonly #segmentBytes: number;
  /** The first numbers of the segments, ascending. */
  readonly #firsts: number[];
  #writer: SegmentWriter | undefined;
  /** The number of the next entry; 0 while any will do, for there is none yet. */
  #next = 0;
  /** Why it cannot be told any more what is on the disk, if so. */
  #lost: unknown;
  #isClosed = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(directory: string, directories: Directories, firsts: number[], options: FileJournalOptions) {
    this.#directory = directory;
    this.#directories = directories;
    this.#firsts = firsts;
    this.#options = { openFile: options.openFile ?? openFile, stepBytes: options.stepBytes ?? 4 * 1024 * 1024 };
    this.#segmentBytes = options.segmentBytes ?? 8 * 1024 * 1024;
  }

  /** Finds the end of the last segment, and removes what a crash left behind it. */
  async open(): Promise<void> {
    const first = this.#firsts.at(-1);
    if (first === undefined) return;
    const path = this.#pathOf(first);
    const file = await this.#options.openFile(path, 'r+');
    try {
      const { size } = await file.stat();
      const { seed } = await this.#headerOf(file, path);
      const reader = new RecordReader(file, size, { seed, first });
      while ((await reader.next()) !== undefined);
      const rest = await reader.rest();
      if (rest === 'records') throw damaged(path, reader.offset);
      if (rest === 'torn') await file.truncate(reader.offset);
      await file.datasync(); // what is told to a reader from now on has to last
      const allocated = rest === 'torn' ? reader.offset : size;
      this.#writer = new SegmentWriter(file, { seed, position: reader.offset, allocated }, this.#options.stepBytes);
      this.#next = reader.expected;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async *read(after: number): AsyncGenerator<JournalEntry> {
    let sequence = after + 1;
    while (sequence < this.#next) {
      if (this.#isClosed) throw journalClosed();
      const index = this.#firsts.findLastIndex((first) => first <= sequence);
      const first = this.#firsts[index];
      if (first === undefined) throw trimmedAway(sequence);
      for await (const entry of this.#readSegment(first, this.#firsts[index + 1])) {
        if (entry.sequence < sequence) continue;
        yield entry;
        sequence = entry.sequence + 1;
      }
    }
  }

  append(sequence: number, bytes: Uint8Array): Promise<boolean> {
    return this.#inTurn(async () => {
      checkEntrySize(bytes);
      const lost = this.#lost ?? this.#writer?.lost;
      if (lost !== undefined) throw lostTrack(lost);
      if (this.#next !== 0 && sequence > this.#next) throw notTheNext(sequence);
      if (sequence < this.#next) return false;
      const writer = await this.#writerFor(sequence, bytes.length);
      await writer.append(sequence, bytes);
      this.#next = sequence + 1;
      return true;
    });
  }

  /** Removes whole segments, never the last one. */
  trim(upTo: number): Promise<void> {
    return this.#inTurn(async () => {
      const count = this.#firsts.length;
      for (let second = this.#firsts[1]; second !== undefined && second <= upTo + 1; second = this.#firsts[1]) {
        await rm(this.#pathOf(this.#firsts[0] ?? 0), { force: true });
        this.#firsts.shift();
      }
      if (this.#firsts.length < count) await this.#directories.sync(this.#directory);
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.#inTurn(async () => {
      this.#isClosed = true;
      await this.#writer?.close({ trims: false });
    });
  }

  async *#readSegment(first: number, following: number | undefined): AsyncGenerator<JournalEntry> {
    const path = this.#pathOf(first);
    const file = await guardJournal(() => this.#openToRead(path, first));
    try {
      const end = following ?? this.#next;
      const { size } = await guardJournal(() => file.stat());
      const { seed } = await guardJournal(() => this.#headerOf(file, path));
      const reader = new RecordReader(file, size, { seed, first });
      while (reader.expected < end) {
        const entry = await guardJournal(() => reader.next());
        if (entry === undefined) throw damaged(path, reader.offset);
        yield entry;
      }
    } finally {
      await file.close();
    }
  }

  async #openToRead(path: string, first: number): ReturnType<OpenFile> {
    try {
      return await this.#options.openFile(path, 'r');
    } catch (error) {
      throw systemCode(error) === 'ENOENT' && !this.#firsts.includes(first) ? trimmedAway(first) : error;
    }
  }

  async #headerOf(file: Awaited<ReturnType<OpenFile>>, path: string): Promise<{ readonly seed: number }> {
    const header = readSegmentHeader(await readWhole(file, 0, segmentHeaderBytes));
    if (header === undefined) throw damaged(path, 0);
    return header;
  }

  /** The segment to write to: a new one when the last is full, unless the disk is full and the last one has room yet. */
  async #writerFor(sequence: number, bytes: number): Promise<SegmentWriter> {
    const current = this.#writer;
    if (current !== undefined && current.position < this.#segmentBytes) return current;
    const path = this.#pathOf(sequence);
    const temporary = `${path.slice(0, -'.log'.length)}.new`;
    let made: SegmentWriter;
    try {
      made = await SegmentWriter.make(temporary, this.#options);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined); // the next start removes it
      if (current !== undefined && isFull(error) && current.fits(bytes)) return current;
      throw error;
    }
    await this.#place(temporary, path, made);
    this.#writer = made;
    this.#firsts.push(sequence);
    await current?.close({ trims: true }).catch(() => undefined); // all that it holds is durable; only room is lost
    return made;
  }

  /** Gives a new segment its name, durably. */
  async #place(temporary: string, path: string, made: SegmentWriter): Promise<void> {
    try {
      await rename(temporary, path);
    } catch (error) {
      await made.close({ trims: false });
      throw error;
    }
    try {
      await this.#directories.sync(this.#directory);
    } catch (error) {
      this.#lost = error; // whether there is a new segment after a power cut cannot be told
      await made.close({ trims: false });
      throw error;
    }
  }

  /** One after the other, whatever callers do. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => {
      if (this.#isClosed) throw journalClosed();
      return guardJournal(work);
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #pathOf(first: number): string {
    return join(this.#directory, `${formatSequence(first)}.log`);
  }
}

async function guardJournal<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof FailureError || code === undefined) throw error;
    if (!isFull(error)) throw fail('storage-unavailable', `the journal failed (${code})`, { cause: error });
    throw fail('storage-unavailable', 'the disk of the journal is full', {
      cause: error,
      hint: 'free some space under the data directory, then try again',
    });
  }
}

function damaged(path: string, offset: number): FailureError {
  return fail('storage-unavailable', `the journal is damaged: ${path} holds no good record at byte ${String(offset)}`, {
    hint: 'restore the data directory from a backup; what comes before that byte is whole',
  });
}

function lostTrack(cause: unknown): FailureError {
  return fail('storage-unavailable', 'the disk failed to store the journal; nothing more is appended', {
    cause,
    hint: 'look at the disk, then start the server anew',
  });
}
