import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileJournal, type FileJournalOptions } from '../../src/blob/disk/journal.ts';
import { textsOf } from './journal-contract.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-journal-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const firstSegment = '0000000000000001.log';
const headerBytes = 16;
/** Little room ahead, so that tests do not write megabytes of zeros. */
const small = { stepBytes: 4096 };

/** Makes a journal of these texts, and tells where each of its records begins; the last number is the end of the last. */
async function journalOf(texts: readonly string[], options: FileJournalOptions = small): Promise<number[]> {
  const journal = await openFileJournal(directory, options);
  const offsets = [headerBytes];
  for (const [index, text] of texts.entries()) {
    expect(await journal.append(index + 1, Buffer.from(text))).toBe(true);
    offsets.push((offsets.at(-1) ?? 0) + 16 + Buffer.byteLength(text));
  }
  await journal.close();
  return offsets;
}

async function changeFile(name: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  const path = join(directory, name);
  await writeFile(path, change(await readFile(path)));
}

/** Opens the journal, reads all of it, and appends one more entry, which has to be there at the next start. */
async function reopen(options: FileJournalOptions = small): Promise<string[]> {
  const journal = await openFileJournal(directory, options);
  const texts = (await textsOf(journal)).map(([, text]) => text);
  await journal.append(texts.length + 1, Buffer.from('one more'));
  await journal.close();
  const again = await openFileJournal(directory, options);
  expect((await textsOf(again)).map(([, text]) => text)).toEqual([...texts, 'one more']);
  await again.close();
  return texts;
}

const someTexts = fc.array(fc.string({ maxLength: 60 }), { minLength: 1, maxLength: 8 });

describe('the file of a journal after a crash', () => {
  const fresh = async (): Promise<void> => {
    await rm(directory, { recursive: true, force: true });
  };

  it('is read up to the last whole entry, wherever it was cut off', async () => {
    const cut = async (texts: string[], where: number): Promise<void> => {
      await fresh();
      const offsets = await journalOf(texts);
      const end = headerBytes + Math.floor(where * ((offsets.at(-1) ?? 0) - headerBytes));
      await changeFile(firstSegment, (bytes) => bytes.subarray(0, end));
      const whole = offsets.filter((offset) => offset <= end).length - 1;
      expect(await reopen()).toEqual(texts.slice(0, whole));
    };
    await fc.assert(fc.asyncProperty(someTexts, fc.double({ min: 0, max: 1, noNaN: true }), cut), { numRuns: 40 });
  });

  it('loses no entry but the last when any bit of that one is wrong', async () => {
    const flip = async (texts: string[], where: number): Promise<void> => {
      await fresh();
      const offsets = await journalOf(texts);
      const [start, end] = offsets.slice(-2) as [number, number];
      const bit = Math.min(Math.floor(where * (end - start) * 8), (end - start) * 8 - 1);
      await changeFile(firstSegment, (bytes) => {
        bytes[start + (bit >> 3)]! ^= 1 << (bit & 7);
        return bytes;
      });
      expect(await reopen()).toEqual(texts.slice(0, -1));
    };
    await fc.assert(fc.asyncProperty(someTexts, fc.double({ min: 0, max: 1, noNaN: true }), flip), { numRuns: 40 });
  });

  it('is refused, naming file and byte, when an entry before the last one is damaged', async () => {
    const flip = async (texts: string[], where: number): Promise<void> => {
      await fresh();
      const offsets = await journalOf([...texts, 'the last']);
      const end = offsets.at(-2) ?? 0;
      const at = Math.min(headerBytes + Math.floor(where * (end - headerBytes)), end - 1);
      await changeFile(firstSegment, (bytes) => {
        bytes[at]! ^= 0x10;
        return bytes;
      });
      const damagedAt = offsets.findLast((offset) => offset <= at) ?? 0;
      await expect(openFileJournal(directory)).rejects.toMatchObject({
        failure: { reason: 'storage-unavailable', message: expect.stringContaining(`at byte ${damagedAt}`) as string },
      });
      await expect(openFileJournal(directory)).rejects.toThrow(firstSegment);
    };
    await fc.assert(fc.asyncProperty(someTexts, fc.double({ min: 0, max: 1, noNaN: true }), flip), { numRuns: 40 });
  });

  it('is not taken for damaged by records that a client made part of an entry of its own', async () => {
    await journalOf(['one', 'two']);
    const record = (await readFile(join(directory, firstSegment))).subarray(headerBytes + 19, headerBytes + 38);
    const fake = Buffer.from(record);
    fake.writeBigUInt64BE(4n, 8);
    await fresh();
    const offsets = await journalOf(['one', 'two', `hidden ${fake.toString('latin1')}`]);
    await changeFile(firstSegment, (bytes) => {
      bytes[offsets[2]! + 1]! ^= 1;
      return bytes;
    });
    expect(await reopen()).toEqual(['one', 'two']);
  });

  it('finds damage behind more than a MiB of rubbish', async () => {
    const offsets = await journalOf(['x'.repeat(2_500_000), 'the last']);
    await changeFile(firstSegment, (bytes) => bytes.fill(0xff, headerBytes, 2_000_000));
    await expect(openFileJournal(directory)).rejects.toThrow(`at byte ${offsets[0]}`);
  });

  it('goes on although a new segment was being made', async () => {
    await journalOf(['one']);
    await writeFile(join(directory, '0000000000000002.new'), 'half');
    expect(await reopen()).toEqual(['one']);
    expect(await readdir(directory)).toEqual([firstSegment]);
  });
});

describe('the segments of a journal', () => {
  const options = { ...small, segmentBytes: 100 };

  it('follow each other, without the room that was kept for more', async () => {
    await journalOf(['a'.repeat(100), 'b'.repeat(100), 'c'], options);
    expect((await readdir(directory)).sort()).toEqual([1, 2, 3].map((n) => `000000000000000${n}.log`));
    expect((await stat(join(directory, firstSegment))).size).toBe(headerBytes + 16 + 100);
    expect(await reopen(options)).toHaveLength(3);
  });

  it('are read in order when one is missing or damaged only as far as they are whole', async () => {
    const offsets = await journalOf(['a'.repeat(100), 'b'.repeat(100), 'c'], options);
    await changeFile('0000000000000002.log', (bytes) => bytes.fill(1, 40, 50));
    const journal = await openFileJournal(directory, options);
    await expect(textsOf(journal)).rejects.toThrow('0000000000000002.log holds no good record at byte 16');
    expect(await textsOf(journal, 2)).toEqual([[3, 'c']]);
    await rm(join(directory, '0000000000000002.log'));
    const gap = await openFileJournal(directory, options);
    await expect(textsOf(gap)).rejects.toThrow(`0000000000000001.log holds no good record at byte ${offsets[1]}`);
    await journal.close();
    await gap.close();
  });

  it('are removed when all of their entries may go', async () => {
    const journal = await openFileJournal(directory, options);
    for (let n = 1; n <= 6; n += 1) await journal.append(n, Buffer.alloc(60));
    expect(await readdir(directory)).toHaveLength(3);
    await journal.trim(3);
    expect((await readdir(directory)).sort()).toEqual(['0000000000000003.log', '0000000000000005.log']);
    await journal.trim(6);
    expect(await readdir(directory)).toEqual(['0000000000000005.log']);
    await journal.close();
  });

  it('may be trimmed while they are read', async () => {
    const journal = await openFileJournal(directory, options);
    for (let n = 1; n <= 6; n += 1) await journal.append(n, Buffer.alloc(60));
    const seen: number[] = [];
    const readAll = async (): Promise<void> => {
      for await (const { sequence } of journal.read(0)) {
        seen.push(sequence);
        await journal.trim(6);
      }
    };
    await expect(readAll()).rejects.toMatchObject({ failure: { reason: 'conflict' } });
    expect(seen).toEqual([1, 2]);
    await journal.close();
  });
});
