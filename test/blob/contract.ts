import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../../src/blob/ports.ts';

/** A store under test, and how to leave nothing behind. */
export interface StoreUnderTest {
  readonly store: BlobStore;
  dispose(): Promise<void>;
}

async function* chunksOf(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

async function* breaksAfter(...texts: string[]): AsyncGenerator<Buffer> {
  yield* chunksOf(...texts);
  throw new Error('the client went away');
}

/** What every blob store does: the contract written at {@link BlobStore}. */
export function describeBlobStore(name: string, create: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let under: StoreUnderTest;
    let store: BlobStore;
    beforeEach(async () => {
      under = await create();
      store = under.store;
    });
    afterEach(() => under.dispose());

    const textOf = async (key: string): Promise<string | undefined> => (await store.readSmall(key))?.toString();

    describe('small objects', () => {
      it('are read back as they were put, and replaced whole', async () => {
        expect(await store.put('logs/run-1', Buffer.from('first'))).toBe(true);
        await store.put('logs/run-1', Buffer.from('second, longer'));
        expect(await textOf('logs/run-1')).toBe('second, longer');
        expect(await store.stat('logs/run-1')).toMatchObject({ size: 14 });
      });

      it('are left alone by a put that wants none to be there', async () => {
        expect(await store.put('a/b', Buffer.from('one'), { ifAbsent: true })).toBe(true);
        expect(await store.put('a/b', Buffer.from('two'), { ifAbsent: true })).toBe(false);
        expect(await textOf('a/b')).toBe('one');
      });

      it('have one winner when several want to be the first', async () => {
        const puts = ['x', 'y', 'z'].map((text) => store.put('race', Buffer.from(text), { ifAbsent: true }));
        expect((await Promise.all(puts)).filter(Boolean)).toHaveLength(1);
      });

      it('are gone after delete, which says whether there was one', async () => {
        await store.put('a/b', Buffer.from('one'));
        expect(await store.delete('a/b')).toBe(true);
        expect(await store.delete('a/b')).toBe(false);
        expect(await store.stat('a/b')).toBeUndefined();
        expect(await store.readSmall('a/b')).toBeUndefined();
        expect(await store.read('a/b')).toBeUndefined();
      });

      it('are refused by readSmall when they are large', async () => {
        await store.put('big', Buffer.alloc(100));
        await expect(store.readSmall('big', 99)).rejects.toMatchObject({ failure: { reason: 'too-large' } });
      });

      it('cannot be the folder of another object', async () => {
        await store.put('a/b', Buffer.from('one'));
        await expect(store.put('a/b/c', Buffer.from('two'))).rejects.toMatchObject({ failure: { reason: 'conflict' } });
        await expect(store.put('a', Buffer.from('two'))).rejects.toMatchObject({ failure: { reason: 'conflict' } });
        expect(await store.stat('a')).toBeUndefined();
      });

      it('are never seen half-written, however many write and read at once', async () => {
        const texts = ['a'.repeat(50_000), 'b'.repeat(60_000)];
        await store.put('hot', Buffer.from(texts[0] ?? ''));
        const writes = Array.from({ length: 20 }, (_, n) => store.put('hot', Buffer.from(texts[n % 2] ?? '')));
        const reads = await Promise.all(Array.from({ length: 40 }, () => textOf('hot')));
        await Promise.all(writes);
        expect(reads.every((text) => text !== undefined && texts.includes(text))).toBe(true);
      });
    });

    describe('reading as a stream', () => {
      const rangeOf = async (start: number, end?: number): Promise<string> => {
        const reading = await store.read('text', end === undefined ? { start } : { start, end });
        if (reading === undefined) throw new Error('the object is there');
        expect(reading.size).toBe(10);
        return (await buffer(reading.stream)).toString();
      };

      it('gives the range that was asked for, clipped at the end of the object', async () => {
        await store.put('text', Buffer.from('0123456789'));
        expect(await rangeOf(0)).toBe('0123456789');
        expect(await rangeOf(3, 5)).toBe('345');
        expect(await rangeOf(8, 500)).toBe('89');
        expect(await rangeOf(9)).toBe('9');
      });

      it('refuses a range that begins beyond the end', async () => {
        await store.put('text', Buffer.from('0123456789'));
        await expect(store.read('text', { start: 10 })).rejects.toMatchObject({
          failure: { reason: 'invalid-request' },
        });
      });

      it('gives an empty stream for an empty object', async () => {
        await store.put('empty', Buffer.alloc(0));
        const reading = await store.read('empty');
        expect(reading?.size).toBe(0);
        expect(await buffer(reading?.stream ?? chunksOf('x'))).toHaveLength(0);
      });

      it('goes on with the bytes it began with when the object is replaced or deleted', async () => {
        await store.put('text', Buffer.from('before'));
        const reading = await store.read('text');
        await store.put('text', Buffer.from('after'));
        await store.delete('text');
        expect((await buffer(reading?.stream ?? chunksOf())).toString()).toBe('before');
      });
    });

    describe('listing', () => {
      it('gives keys in ascending order, by prefix, page by page', async () => {
        const keys = ['a/b', 'a-c', 'a.d', 'a0', 'b/x/1', 'b/x/10', 'b/x/2', 'b/x.y', 'c'];
        for (const key of keys) await store.put(key, Buffer.from(key));
        expect((await store.list('')).keys).toEqual([...keys].sort());
        expect((await store.list('b/x')).keys).toEqual(['b/x.y', 'b/x/1', 'b/x/10', 'b/x/2']);
        expect((await store.list('b/x/')).keys).toEqual(['b/x/1', 'b/x/10', 'b/x/2']);
        expect(await store.list('none/')).toEqual({ keys: [] });
      });

      it('loses and repeats nothing, whatever the page size', async () => {
        const key = fc.array(fc.constantFrom('a', 'b', 'a-', 'a0', 'B'), { minLength: 1, maxLength: 4 });
        await fc.assert(
          fc.asyncProperty(fc.array(key, { maxLength: 12 }), fc.integer({ min: 1, max: 5 }), async (paths, limit) => {
            const fresh = await create();
            // The last part ends every path, so that no key is the folder of another one.
            const keys = [...new Set(paths.map((parts) => [...parts, 'end'].join('/')))].sort();
            for (const each of keys) await fresh.store.put(each, Buffer.from('x'));
            const seen: string[] = [];
            for (let after: string | undefined = ''; after !== undefined;) {
              const page = await fresh.store.list('', { after, limit });
              seen.push(...page.keys);
              after = page.next;
            }
            await fresh.dispose();
            expect(seen).toEqual(keys);
          }),
          { numRuns: 15 },
        );
      });

      it('does not show uploads under way', async () => {
        const upload = await store.begin('u-1');
        await upload.append(chunksOf('bytes'));
        expect((await store.list('')).keys).toEqual([]);
        await upload.discard();
      });
    });

    describe('uploads', () => {
      it('become an object in one step, whatever the number of appends', async () => {
        const upload = await store.begin('u-1');
        expect(await upload.append(chunksOf('one ', 'two '))).toBe(8);
        expect(await upload.append(chunksOf('three'))).toBe(13);
        expect(await store.stat('blobs/x')).toBeUndefined();
        await upload.commit('blobs/x');
        expect(await textOf('blobs/x')).toBe('one two three');
        expect(await store.listStaged('u')).toEqual([]);
        expect(await store.resume('u-1')).toBeUndefined();
      });

      it('can be empty', async () => {
        const upload = await store.begin('u-1');
        expect(await buffer(upload.read())).toHaveLength(0);
        await upload.commit('blobs/empty');
        expect(await store.stat('blobs/empty')).toMatchObject({ size: 0 });
      });

      it('replace an object of the same key', async () => {
        await store.put('contexts/c', Buffer.from('old'));
        const upload = await store.begin('u-1');
        await upload.append(chunksOf('new'));
        await upload.commit('contexts/c');
        expect(await textOf('contexts/c')).toBe('new');
      });

      it('show every chunk once and in order to the observer, many megabytes included', async () => {
        const upload = await store.begin('u-1');
        const piece = Buffer.alloc(700_000, 7);
        let seen = 0;
        async function* source(): AsyncGenerator<Buffer> {
          for (let n = 0; n < 40; n += 1) yield await Promise.resolve(piece);
        }
        await upload.append(source(), (chunk) => (seen += chunk.length));
        expect(seen).toBe(28_000_000);
        await upload.commit('blobs/large');
        expect(await store.stat('blobs/large')).toMatchObject({ size: 28_000_000 });
      });

      it('keep what arrived when the source breaks, and go on from there', async () => {
        const upload = await store.begin('u-1');
        await expect(upload.append(breaksAfter('one ', 'two '))).rejects.toThrow('the client went away');
        expect(upload.offset).toBe(8);
        await upload.release();
        const resumed = await store.resume('u-1');
        expect(resumed?.offset).toBe(8);
        expect((await buffer(resumed?.read() ?? chunksOf())).toString()).toBe('one two ');
        await resumed?.append(chunksOf('three'));
        await resumed?.commit('blobs/x');
        expect(await textOf('blobs/x')).toBe('one two three');
      });

      it('end their append with what the observer throws, without the chunk that it refused', async () => {
        const upload = await store.begin('u-1');
        const refuse = (chunk: Uint8Array): void => {
          if (chunk.length > 4) throw new Error('too much');
        };
        await expect(upload.append(chunksOf('four', 'fifth'), refuse)).rejects.toThrow('too much');
        expect(upload.offset).toBe(4);
        await upload.discard();
      });

      it('leave nothing when discarded, twice if need be', async () => {
        const upload = await store.begin('u-1');
        await upload.append(chunksOf('bytes'));
        await upload.discard();
        await upload.discard();
        expect(await store.listStaged('')).toEqual([]);
      });

      it('are listed by the prefix of their ids', async () => {
        for (const id of ['registry-1', 'registry-2', 'context-1']) await (await store.begin(id)).release();
        const staged = await store.listStaged('registry-');
        expect(staged.map(({ id }) => id).sort()).toEqual(['registry-1', 'registry-2']);
      });

      it('cannot take an id that is in use', async () => {
        const upload = await store.begin('u-1');
        await expect(store.begin('u-1')).rejects.toMatchObject({ failure: { reason: 'conflict' } });
        await upload.discard();
      });
    });

    describe('hostile keys', () => {
      const hostile = [
        '',
        '/',
        '/etc/passwd',
        '..',
        '../x',
        'a/../b',
        'a//b',
        'a/',
        './a',
        '.staging/x',
        'a\0b',
        'a\\b',
        'é',
        'a'.repeat(256),
      ];
      const failing = { failure: { reason: 'invalid-request' } };

      it.each(hostile)('refuse %j everywhere', async (key) => {
        await expect(store.put(key, Buffer.from('x'))).rejects.toMatchObject(failing);
        await expect(store.stat(key)).rejects.toMatchObject(failing);
        await expect(store.read(key)).rejects.toMatchObject(failing);
        await expect(store.readSmall(key)).rejects.toMatchObject(failing);
        await expect(store.delete(key)).rejects.toMatchObject(failing);
        const upload = await store.begin('u-1');
        await expect(upload.commit(key)).rejects.toMatchObject(failing);
        await upload.discard();
        await expect(store.begin(`${key}/x`)).rejects.toMatchObject(failing);
        await expect(store.resume(`${key}.`)).rejects.toMatchObject(failing);
      });

      it('list nothing for a prefix that leads out of the root', async () => {
        expect((await store.list('../')).keys).toEqual([]);
        expect((await store.list('/')).keys).toEqual([]);
      });
    });
  });
}
