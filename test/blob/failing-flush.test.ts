import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDiskBlobStore } from '../../src/blob/disk/store.ts';

/** Makes syncs of files fail while `work` runs. */
async function withFailingSyncs(folder: string, work: () => Promise<void>): Promise<void> {
  const file = await open(join(folder, 'any'), 'w');
  const prototype = Object.getPrototypeOf(file) as Pick<FileHandle, 'datasync'>;
  await file.close();
  const own = Object.getOwnPropertyDescriptor(prototype, 'datasync') ?? {};
  const failed = Object.assign(new Error('i/o error'), { code: 'EIO' });
  Object.defineProperty(prototype, 'datasync', { ...own, value: () => Promise.reject(failed) });
  try {
    await work();
  } finally {
    Object.defineProperty(prototype, 'datasync', own);
  }
}

describe('a disk that failed to flush', () => {
  it('is not believed the next time: the kernel says once that bytes are lost', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-flush-'));
    const store = await createDiskBlobStore(join(folder, 'store'), () => 0);
    await store.put('a/b', Buffer.from('text'), { isLasting: false });
    const refused = { failure: { reason: 'storage-unavailable' } };
    await withFailingSyncs(folder, () => expect(store.flush()).rejects.toMatchObject(refused));
    await expect(store.flush()).rejects.toMatchObject(refused);
    await rm(folder, { recursive: true });
  });
});
