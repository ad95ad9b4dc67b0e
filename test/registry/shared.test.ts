import { afterEach, describe, expect, it } from 'vitest';
import { createMemoryJournal, JournalMemory } from '../../src/blob/memory/journal.ts';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import { startRegistry, until, type RunningRegistry } from './rig.ts';

const running: RunningRegistry[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

/** Starts a registry of several that share a store and a journal in memory. */
function shareStore(): (options?: Parameters<typeof startRegistry>[0]) => Promise<RunningRegistry> {
  const storage = createMemoryBlobStore(() => Date.now());
  const memory = new JournalMemory();
  return async (options = {}) => {
    const journal = createMemoryJournal({ memory, isShared: true });
    const started = await startRegistry({ storage, journal, ...options });
    running.push(started);
    return started;
  };
}

describe('registries that share a store', () => {
  it('know all when they were away for longer than the journal reaches back, and answer well while they learn it', async () => {
    const start = shareStore();
    const limits = { snapshotEntries: 8, eventTakeoverMs: 50 };
    const deaf = { onEvent: () => Promise.reject(new Error('deaf')), limits };
    const away = await start({ limits: { eventTakeoverMs: 50 } });
    const busy = await start(deaf);
    const { digest } = await away.pushImage('old', 'v1');
    for (let n = 0; n < 30; n += 1) await busy.pushImage('app', `v${String(n)}`);
    await until(async () => (await busy.storage.list('registry/snapshots/')).keys.length > 0);
    await busy.pushImage('app', 'last');
    const paths = Array.from({ length: 30 }, (_, n) => `/v2/app/manifests/v${String(n)}`);
    const all = [...paths, '/v2/app/manifests/last', `/v2/old/manifests/${digest}`];
    const asked = all.map(async (path) => (await away.send('GET', path)).status);
    expect(new Set(await Promise.all(asked))).toEqual(new Set([200]));
    await until(() => away.events.filter(({ repository }) => repository === 'app').length >= 31);
  });

  it('write snapshots one at a time, and one is enough for all', async () => {
    const start = shareStore();
    const limits = { snapshotEntries: 10 };
    const [a, b, c] = [await start({ limits }), await start({ limits }), await start({ limits })];
    for (let n = 0; n < 40; n += 1) {
      await a.pushImage('app', `v${String(n)}`);
      await Promise.all([b, c].map((each) => each.send('GET', '/v2/')));
    }
    const late = await start();
    expect((await late.send('GET', '/v2/app/manifests/v0')).status).toBe(200);
    expect((await late.storage.list('registry/snapshots/')).keys).toHaveLength(1);
    expect([...a.errors, ...b.errors, ...c.errors]).toEqual([]);
  });
});
