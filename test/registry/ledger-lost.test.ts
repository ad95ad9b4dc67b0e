import { describe, expect, it } from 'vitest';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import { startRegistry } from './rig.ts';

describe('a store whose journal has lost its beginning, without a snapshot instead', () => {
  it('is not opened', async () => {
    const storage = createMemoryBlobStore(() => 0);
    const before = await startRegistry({ storage });
    await before.pushImage('app', 'v1');
    await before.stop();
    const [first = ''] = (await storage.list('registry/journal/')).keys;
    await storage.delete(first);
    await expect(startRegistry({ storage })).rejects.toMatchObject({ failure: { reason: 'storage-unavailable' } });
  });
});
