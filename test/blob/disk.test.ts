import { mkdtemp, mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDiskBlobStore } from '../../src/blob/disk/store.ts';
import { describeBlobStore } from './contract.ts';

describeBlobStore('the blob store on disk', async () => {
  const root = await mkdtemp(join(tmpdir(), 'slipway-blob-'));
  const store = await createDiskBlobStore(root, () => Date.now());
  return { store, dispose: () => rm(root, { recursive: true, force: true }) };
});

describe('the directory of a blob store', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'slipway-blob-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('keeps objects for the next process', async () => {
    const first = await createDiskBlobStore(root, () => Date.now());
    await first.put('a/b/c', Buffer.from('kept'));
    const second = await createDiskBlobStore(root, () => Date.now());
    expect((await second.readSmall('a/b/c'))?.toString()).toBe('kept');
  });

  it('loses writes that a crash left behind once they are old, and leaves those under way', async () => {
    await mkdir(join(root, '.staging'));
    const [old, young] = ['put.old', 'put.young'].map((name) => join(root, '.staging', name)) as [string, string];
    await writeFile(old, 'half');
    await writeFile(young, 'half');
    await utimes(old, new Date(0), new Date(0));
    await createDiskBlobStore(root, () => Date.now());
    expect(await readdir(join(root, '.staging'))).toEqual(['put.young']);
  });

  it('leaves no temporary file after a put, a refused put and a failed put', async () => {
    const store = await createDiskBlobStore(root, () => Date.now());
    await store.put('a', Buffer.from('1'));
    await store.put('a', Buffer.from('2'), { ifAbsent: true });
    await expect(store.put('a/b', Buffer.from('3'))).rejects.toThrow();
    expect(await readdir(join(root, '.staging'))).toEqual([]);
  });

  it('holds committed uploads read-only', async () => {
    const store = await createDiskBlobStore(root, () => Date.now());
    const upload = await store.begin('u');
    await upload.commit('blobs/x');
    expect((await stat(join(root, 'blobs/x'))).mode & 0o777).toBe(0o444);
  });

  it('says that storage is unavailable when it is gone', async () => {
    const store = await createDiskBlobStore(root, () => Date.now());
    await rm(join(root, '.staging'), { recursive: true });
    await expect(store.begin('u')).rejects.toMatchObject({ failure: { reason: 'storage-unavailable' } });
  });
});
