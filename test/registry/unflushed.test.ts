import { describe, expect, it } from 'vitest';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { contentKey } from '../../src/registry/layout.ts';
import { sha, startRegistry } from './rig.ts';

describe('after a power cut', () => {
  it.each(['nothing', 'other bytes of the same size', 'the beginning'])(
    'what the journal has is put into the store again where that has %s',
    async (what) => {
      const storage = createMemoryBlobStore(() => 0);
      const before = await startRegistry({ storage });
      const { digest, bytes } = await before.pushImage('app', 'v1');
      await before.stop();
      for (const [one, text] of [
        [digest, bytes],
        [sha('layer of v1'), 'layer of v1'],
      ] as const) {
        const left = { nothing: '', 'the beginning': text.slice(0, 4) }[what] ?? text.replace(/./g, '\0');
        await storage.put(contentKey(one as Digest), Buffer.from(left));
      }
      const after = await startRegistry({ storage });
      expect(await (await after.send('GET', '/v2/app/manifests/v1')).text()).toBe(bytes);
      const layer = await after.send('GET', `/v2/app/blobs/${sha('layer of v1')}`);
      expect(await layer.text()).toBe('layer of v1');
      await after.stop();
      expect((await storage.readSmall(contentKey(sha('layer of v1') as Digest)))?.toString()).toBe('layer of v1');
    },
  );
});
