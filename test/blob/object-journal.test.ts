import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/blob/journal-ports.ts';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import { createObjectJournal } from '../../src/blob/object-journal.ts';
import type { BlobStore } from '../../src/blob/ports.ts';
import { fail } from '../../src/domain/failure.ts';
import { appendMany, entriesOf, textsOf } from './journal-contract.ts';

const prefix = 'registry/journal/';
const second = 1000;
const minute = 60 * second;
const conflict = { failure: { reason: 'conflict' } };

let now: number;
let storage: BlobStore;
beforeEach(() => {
  now = 1_700_000_000_000;
  storage = createMemoryBlobStore(() => now);
});
const open = (store = storage): Journal => createObjectJournal({ storage: store, prefix, clock: { now: () => now } });
const keyOf = (sequence: number): string => `${prefix}${String(sequence).padStart(16, '0')}`;

/** The store with some of its methods replaced. */
function storeWith(methods: (inner: BlobStore) => Partial<BlobStore>): BlobStore {
  const replaced: Partial<Record<PropertyKey, unknown>> = { ...methods(storage) };
  return new Proxy(storage, {
    get: (target, name) => {
      const value: unknown = replaced[name] ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}

/** Yields to whatever else is under way, several times. */
async function rest(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
}

describe('several processes with one journal of objects', () => {
  it('give every number once and lose no entry, however they take turns', async () => {
    const race = async (turns: number[][]): Promise<void> => {
      storage = createMemoryBlobStore(() => now);
      const slow = (delays: number[]): BlobStore => {
        let at = 0;
        const wait = (): Promise<void> => rest(delays[at++ % delays.length] ?? 0);
        return storeWith((inner) => ({
          put: async (...args) => {
            await wait();
            const isFirst = await inner.put(...args);
            await wait();
            return isFirst;
          },
          readSmall: async (...args) => {
            await wait();
            return inner.readSmall(...args);
          },
        }));
      };
      const write = async (name: string, delays: number[]): Promise<string[]> => {
        const journal = open(slow(delays));
        const seen: string[] = [];
        for (let own = 0; own < 8;) {
          for await (const { bytes } of journal.read(seen.length)) seen.push(bytes.toString());
          const text = `${name} ${String(own)}`;
          if (!(await journal.append(seen.length + 1, Buffer.from(text)))) continue;
          seen.push(text);
          own += 1;
        }
        for await (const { bytes } of journal.read(seen.length)) seen.push(bytes.toString());
        return seen;
      };
      const views = await Promise.all(turns.map((delays, index) => write(`writer ${String(index)}`, delays)));
      const all = (await textsOf(open())).map(([, text]) => text);
      expect(all).toHaveLength(turns.length * 8);
      expect(new Set(all).size).toBe(all.length);
      for (const view of views) expect(view).toEqual(all.slice(0, view.length));
    };
    const delays = fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 7 });
    await fc.assert(fc.asyncProperty(fc.array(delays, { minLength: 2, maxLength: 3 }), race), { numRuns: 40 });
  });

  it('see what another one appends, and go on from there', async () => {
    const [one, two] = [open(), open()];
    await appendMany(one, 2);
    expect(await textsOf(two)).toHaveLength(2);
    await appendMany(two, 1, 3);
    expect(await one.append(3, Buffer.from('x'))).toBe(false);
    expect(await textsOf(one, 2)).toEqual([[3, 'entry 3']]);
    await appendMany(one, 1, 4);
  });
});

describe('reading a journal of objects', () => {
  it('reads ahead when it is far behind, at most 32 at once, and looks once when nothing is new', async () => {
    await appendMany(open(), 200);
    let under = 0;
    let most = 0;
    let reads = 0;
    const counting = storeWith((inner) => ({
      readSmall: async (...args) => {
        reads += 1;
        under += 1;
        most = Math.max(most, under);
        await rest(3);
        under -= 1;
        return inner.readSmall(...args);
      },
    }));
    const journal = open(counting);
    expect(await textsOf(journal)).toHaveLength(200);
    expect(most).toBe(32);
    expect(reads).toBeLessThan(240);
    reads = 0;
    expect(await textsOf(journal, 200)).toEqual([]);
    expect(reads).toBe(1);
  });

  it('tells somebody who was away that later entries are there, and the next is not', async () => {
    const [away, other] = [open(), open()];
    await appendMany(away, 3);
    await textsOf(other);
    await appendMany(other, 30, 4);
    now += 11 * minute;
    await other.trim(20);
    await expect(textsOf(away, 3)).rejects.toMatchObject(conflict);
    await expect(away.append(4, Buffer.from('x'))).rejects.toMatchObject(conflict);
    expect(await textsOf(away, 20)).toHaveLength(13);
    await appendMany(away, 1, 34);
  });

  it('lists only when it has not looked for half a minute', async () => {
    let lists = 0;
    const counting = storeWith((inner) => ({
      list: (...args) => {
        lists += 1;
        return inner.list(...args);
      },
    }));
    const journal = open(counting);
    await textsOf(journal);
    await appendMany(journal, 20);
    lists = 0;
    for (let n = 0; n < 20; n += 1) {
      now += 5 * second;
      expect(await textsOf(journal, 20)).toEqual([]);
    }
    expect(lists).toBe(0);
    now += 31 * second;
    await textsOf(journal, 20);
    expect(lists).toBe(1);
  });

  it('goes on when entries arrive between looking and listing', async () => {
    const late = open();
    const journal = open(
      storeWith((inner) => ({
        list: async (...args) => {
          if ((await inner.stat(keyOf(1))) === undefined) await appendMany(late, 3);
          return inner.list(...args);
        },
      })),
    );
    expect(await textsOf(journal)).toHaveLength(3);
  });

  it('finds out an entry that came in under an old number', async () => {
    const journal = open();
    await appendMany(journal, 10);
    await storage.put(keyOf(5), Buffer.alloc(40));
    await expect(entriesOf(open())).rejects.toMatchObject(conflict);
    expect(await textsOf(open(), 6)).toHaveLength(4);
  });

  it('says which object is no entry', async () => {
    await storage.put(keyOf(1), Buffer.from('short'));
    await expect(entriesOf(open())).rejects.toMatchObject({
      failure: { reason: 'storage-unavailable', message: expect.stringContaining(keyOf(1)) as string },
    });
  });
});

describe('appending to a journal of objects', () => {
  it('holds when the store had tried twice, and met its own first try', async () => {
    const journal = open(
      storeWith((inner) => ({
        put: async (...args) => {
          await inner.put(...args);
          return inner.put(...args);
        },
      })),
    );
    expect(await journal.append(1, Buffer.from('once'))).toBe(true);
    expect(await textsOf(journal)).toEqual([[1, 'once']]);
    expect(await open().append(1, Buffer.from('once'))).toBe(false);
  });

  it('can be tried again when the storage failed, whether the entry arrived or not', async () => {
    let arrives = false;
    const failing = storeWith((inner) => ({
      put: async (...args) => {
        if (arrives) await inner.put(...args);
        throw fail('storage-unavailable', 'no answer');
      },
    }));
    const append = (store: BlobStore): Promise<boolean> => open(store).append(1, Buffer.from('x'));
    await expect(append(failing)).rejects.toMatchObject({ failure: { reason: 'storage-unavailable' } });
    expect(await textsOf(open())).toEqual([]);
    arrives = true;
    await expect(append(failing)).rejects.toMatchObject({ failure: { reason: 'storage-unavailable' } });
    expect(await append(storage)).toBe(false);
    expect(await textsOf(open())).toEqual([[1, 'x']]);
  });

  /** An append of entry 4 whose `put` hangs while others do something. */
  const hanging = async (meanwhile: (other: Journal) => Promise<void>, putFirst = false): Promise<boolean> => {
    await appendMany(open(), 3);
    const other = open();
    await textsOf(other);
    const slow = open(
      storeWith((inner) => ({
        put: async (...args) => {
          const isFirst = putFirst && (await inner.put(...args));
          await meanwhile(other);
          return putFirst ? isFirst : inner.put(...args);
        },
      })),
    );
    return slow.append(4, Buffer.from('slow'));
  };

  it('takes back an entry whose number had been given away and trimmed while it hung', async () => {
    const appended = hanging(async (other) => {
      await appendMany(other, 30, 4);
      now += 20 * minute;
      await other.trim(10);
    });
    await expect(appended).rejects.toMatchObject(conflict);
    expect(await storage.stat(keyOf(4))).toBeUndefined();
    expect(await textsOf(open(), 10)).toHaveLength(23);
  });

  it('takes it back, too, when it would stand just before what is left', async () => {
    const appended = hanging(async (other) => {
      await appendMany(other, 30, 4);
      now += 20 * minute;
      await other.trim(4);
    });
    await expect(appended).rejects.toMatchObject(conflict);
    expect(await storage.stat(keyOf(4))).toBeUndefined();
  });

  it('keeps an entry that was in place however long the answer took', async () => {
    const goOn = async (other: Journal): Promise<void> => {
      now += 2 * minute;
      await textsOf(other, 3);
      await appendMany(other, 5, 5);
    };
    expect(await hanging(goOn, true)).toBe(true);
    expect((await textsOf(open(), 3)).map(([, text]) => text)).toEqual([
      'slow',
      ...[5, 6, 7, 8, 9].map((n) => `entry ${n}`),
    ]);
  });

  it('holds when nobody did anything while it hung', async () => {
    expect(
      await hanging(async () => {
        now += 5 * minute;
        return Promise.resolve();
      }),
    ).toBe(true);
  });
});
