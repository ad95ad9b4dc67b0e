import { describe, expect, it } from 'vitest';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import { stagedSnapshotPrefix } from '../../src/registry/layout.ts';
import { Sessions } from '../../src/registry/sessions.ts';
import type { RepositoryName } from '../../src/domain/image-reference.ts';
import type { RegistryState } from '../../src/registry/state.ts';
import { startRegistry } from './rig.ts';

const dayMs = 24 * 60 * 60 * 1000;

describe('uploads that are begun and never gone on with', () => {
  it('take bounded memory: of too many, the oldest have to be begun again', async () => {
    let count = 0;
    const storage = createMemoryBlobStore(() => 0);
    const parts = {
      storage,
      clock: { now: () => 0 },
      ledger: { isShared: false },
      newId: () => `id-${String(++count)}`,
    };
    const sessions = new Sessions(parts as unknown as RegistryState);
    const owner = { repository: 'app' as RepositoryName, by: 'admin' };
    for (let at = 0; at < 20_001; at += 1) await sessions.begin(owner, 'sha256');
    const offset = (id: string): Promise<number> => sessions.hold(id, owner, (one) => Promise.resolve(one.offset));
    await expect(offset('id-1')).rejects.toMatchObject({ status: 404 });
    expect(await offset('id-2')).toBe(0);
    expect(await offset('id-20001')).toBe(0);
  });
});

describe('a snapshot that a crash broke off', () => {
  it('is removed a day later', async () => {
    const running = await startRegistry();
    const staged = await running.storage.begin(`${stagedSnapshotPrefix}left`);
    await staged.release();
    await running.registry.removeExpiredUploads();
    expect(await running.storage.listStaged(stagedSnapshotPrefix)).toHaveLength(1);
    running.clock.time += 2 * dayMs;
    await running.registry.removeExpiredUploads();
    expect(await running.storage.listStaged(stagedSnapshotPrefix)).toEqual([]);
    await running.stop();
  });
});
