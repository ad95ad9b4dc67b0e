import { beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/blob/journal-ports.ts';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import { createObjectJournal } from '../../src/blob/object-journal.ts';
import type { BlobStore } from '../../src/blob/ports.ts';
import { appendMany } from './journal-contract.ts';

const prefix = 'registry/journal/';
const minute = 60_000;

let now: number;
let storage: BlobStore;
beforeEach(() => {
  now = 1_700_000_000_000;
  storage = createMemoryBlobStore(() => now);
});
const open = (): Journal => createObjectJournal({ storage, prefix, clock: { now: () => now } });
const keyOf = (sequence: number): string => `${prefix}${String(sequence).padStart(16, '0')}`;

describe('trimming a journal of objects', () => {
  const numbersLeft = async (): Promise<number> => (await storage.list(prefix)).keys.length;

  it('leaves what this process has not seen for ten minutes', async () => {
    const journal = open();
    await appendMany(journal, 10);
    now += 5 * minute;
    await appendMany(journal, 10, 11);
    await journal.trim(20);
    expect(await numbersLeft()).toBe(20);
    now += 6 * minute;
    await journal.trim(20);
    expect(await numbersLeft()).toBe(10);
    await open().trim(20);
    expect(await numbersLeft()).toBe(10);
    now += 6 * minute;
    await journal.trim(15);
    expect(await numbersLeft()).toBe(5);
  });

  it('removes thousands, and what an earlier trim did not come to', async () => {
    const journal = open();
    await appendMany(journal, 2500);
    now += 11 * minute;
    await storage.delete(keyOf(7));
    await journal.trim(2400);
    expect(await numbersLeft()).toBe(100);
    await storage.put(keyOf(3), Buffer.alloc(20));
    await journal.trim(2401);
    expect(await numbersLeft()).toBe(99);
  });
});
