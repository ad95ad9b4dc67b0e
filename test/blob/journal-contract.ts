import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Journal, JournalEntry } from '../../src/blob/journal-ports.ts';
import { maxEntryBytes } from '../../src/blob/journal-rules.ts';

/** A journal under test: opened as often as there are processes (one after the other unless it is shared). */
export interface JournalUnderTest {
  open(): Promise<Journal>;
  /** Lets so much time pass that what has been seen may be trimmed. */
  passTime(): void;
  dispose(): Promise<void>;
}

/** All entries after a number. */
export async function entriesOf(journal: Journal, after = 0): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for await (const entry of journal.read(after)) entries.push(entry);
  return entries;
}

/** All entries after a number as `[sequence, text]`. */
export async function textsOf(journal: Journal, after = 0): Promise<[number, string][]> {
  return (await entriesOf(journal, after)).map(({ sequence, bytes }) => [sequence, bytes.toString()]);
}

/** Appends `entry 1` to `entry <count>`, or goes on from another number. */
export async function appendMany(journal: Journal, count: number, first = 1): Promise<void> {
  for (let sequence = first; sequence < first + count; sequence += 1) {
    expect(await journal.append(sequence, Buffer.from(`entry ${String(sequence)}`))).toBe(true);
  }
}

const conflict = { failure: { reason: 'conflict' } };

/** What every journal does: the contract written at {@link Journal}. */
export function describeJournal(name: string, create: () => Promise<JournalUnderTest>): void {
  describe(name, () => {
    let under: JournalUnderTest;
    let journal: Journal;
    beforeEach(async () => {
      under = await create();
      journal = await under.open();
    });
    afterEach(async () => {
      await journal.close();
      await under.dispose();
    });

    it('begins empty', async () => {
      expect(await textsOf(journal)).toEqual([]);
    });

    it('gives entries back in order, from the number that was asked for', async () => {
      await appendMany(journal, 70);
      const all = await textsOf(journal);
      expect(all).toHaveLength(70);
      expect(all[0]).toEqual([1, 'entry 1']);
      expect(await textsOf(journal, 68)).toEqual([
        [69, 'entry 69'],
        [70, 'entry 70'],
      ]);
      expect(await textsOf(journal, 70)).toEqual([]);
    });

    it('gives whatever bytes were appended, none and many included', async () => {
      const binary = Buffer.from(Array.from({ length: 1024 }, (_, n) => n % 256));
      const large = Buffer.alloc(3 * 1024 * 1024, 'x');
      for (const [index, bytes] of [Buffer.alloc(0), binary, large, Buffer.alloc(64)].entries()) {
        expect(await journal.append(index + 1, bytes)).toBe(true);
      }
      const sizes = (await entriesOf(journal)).map(({ bytes }) => bytes.length);
      expect(sizes).toEqual([0, 1024, large.length, 64]);
      expect((await entriesOf(journal, 1))[0]?.bytes.equals(binary)).toBe(true);
      expect((await entriesOf(journal, 2))[0]?.bytes.equals(large)).toBe(true);
    });

    it('says no to a number that is taken, and keeps what was there', async () => {
      await appendMany(journal, 3);
      expect(await journal.append(3, Buffer.from('another'))).toBe(false);
      expect(await journal.append(1, Buffer.from('another'))).toBe(false);
      expect(await textsOf(journal, 2)).toEqual([[3, 'entry 3']]);
      await appendMany(journal, 1, 4);
    });

    it('refuses to skip a number', async () => {
      await appendMany(journal, 2);
      await expect(journal.append(4, Buffer.from('x'))).rejects.toMatchObject(conflict);
      expect(await textsOf(journal, 2)).toEqual([]);
      await appendMany(journal, 1, 3);
    });

    it('may begin at any number, for a journal may be lost and its snapshot not', async () => {
      expect(await textsOf(journal, 41)).toEqual([]);
      await appendMany(journal, 2, 42);
      expect(await textsOf(journal, 41)).toEqual([
        [42, 'entry 42'],
        [43, 'entry 43'],
      ]);
      await expect(textsOf(journal)).rejects.toMatchObject(conflict);
    });

    it('takes one entry where several are appended under one number at once', async () => {
      await appendMany(journal, 1);
      const texts = ['a', 'b', 'c', 'd'];
      const results = await Promise.all(texts.map((text) => journal.append(2, Buffer.from(text))));
      expect(results.filter(Boolean)).toHaveLength(1);
      expect(await textsOf(journal, 1)).toEqual([[2, texts[results.indexOf(true)]]]);
    });

    it('refuses an entry that is too large, and goes on', async () => {
      const bytes = Buffer.alloc(maxEntryBytes + 1);
      await expect(journal.append(1, bytes)).rejects.toMatchObject({ failure: { reason: 'too-large' } });
      await appendMany(journal, 1);
    });

    it('is not disturbed when a reader stops half-way, or the caller changes the bytes it handed in', async () => {
      const bytes = Buffer.from('kept');
      await journal.append(1, bytes);
      bytes.fill(0);
      await appendMany(journal, 5, 2);
      for await (const entry of journal.read(0)) {
        entry.bytes.fill(0);
        break;
      }
      expect((await textsOf(journal))[0]).toEqual([1, 'kept']);
    });

    it('lets one read while another appends', async () => {
      await appendMany(journal, 10);
      const seen: number[] = [];
      for await (const { sequence } of journal.read(0)) {
        seen.push(sequence);
        if (sequence <= 10) await appendMany(journal, 1, sequence + 10);
      }
      expect(seen.slice(0, 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(seen).toEqual(seen.map((_, index) => index + 1));
      expect(await textsOf(journal, 19)).toEqual([[20, 'entry 20']]);
    });

    it('keeps entries for the next process', async () => {
      await appendMany(journal, 5);
      await journal.close();
      journal = await under.open();
      expect(await textsOf(journal, 3)).toEqual([
        [4, 'entry 4'],
        [5, 'entry 5'],
      ]);
      await appendMany(journal, 1, 6);
    });

    it('never trims what was not given free, nor the number of the next entry', async () => {
      await appendMany(journal, 40);
      under.passTime();
      await journal.trim(20);
      expect(await textsOf(journal, 20)).toHaveLength(20);
      await journal.trim(40);
      await journal.trim(4000);
      expect(await textsOf(journal, 40)).toEqual([]);
      await journal.close();
      journal = await under.open();
      expect(await journal.append(40, Buffer.from('again'))).toBe(false);
      await appendMany(journal, 1, 41);
      expect(await textsOf(journal, 40)).toEqual([[41, 'entry 41']]);
    });

    it('tells a reader that needs what has been trimmed away', async () => {
      await appendMany(journal, 40);
      under.passTime();
      await journal.trim(30);
      await expect(textsOf(journal, 0)).rejects.toMatchObject(conflict);
      expect(await textsOf(journal, 30)).toHaveLength(10);
    });

    it('rejects everything after close, which may be called twice', async () => {
      await appendMany(journal, 1);
      await journal.close();
      await journal.close();
      const closed = { failure: { reason: 'storage-unavailable' } };
      await expect(journal.append(2, Buffer.from('x'))).rejects.toMatchObject(closed);
      await expect(textsOf(journal)).rejects.toMatchObject(closed);
      await expect(journal.trim(1)).rejects.toMatchObject(closed);
      journal = await under.open();
    });
  });
}
