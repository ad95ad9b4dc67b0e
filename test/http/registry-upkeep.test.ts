import { describe, expect, it } from 'vitest';
import type { CheckMessage } from '../../src/domain/registry-upkeep.ts';
import { startRegistry } from '../registry/rig.ts';
import { basic, startRig } from './rig.ts';

/** The API over a registry with one image. */
async function setUp() {
  const registry = await startRegistry({ collection: { intervalMs: 0 } });
  await registry.pushImage('app', 'v1');
  const { api, url } = await startRig({ upkeep: registry.registry });
  return { registry, api, url };
}

describe('POST /registry/gc', () => {
  it('collects, or says what it would do', async () => {
    const { registry, api } = await setUp();
    await registry.pushBlob('app', 'loose');
    registry.clock.time += 25 * 3_600_000;
    const dry = await api('POST', '/registry/gc', { dryRun: true, walk: true });
    expect([dry.status, dry.body]).toMatchObject([200, { dryRun: true, unlinked: { count: 1, bytes: 5 }, orphans: 0 }]);
    const done = await api('POST', '/registry/gc');
    expect([done.status, done.body]).toMatchObject([200, { dryRun: false, unlinked: { count: 1 }, condemned: 1 }]);
    expect((await api('POST', '/registry/gc', { force: true })).status).toBe(400);
    expect((await api('GET', '/registry/gc')).status).toBe(405);
    await registry.stop();
  });
});

describe('POST /registry/check', () => {
  it('tells what it finds, a line each, the summary last', async () => {
    const { registry, url } = await setUp();
    const headers = { authorization: basic, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/api/v1/registry/check`, { method: 'POST', headers, body: '{"bytes":true}' });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    const lines = (await answer.text()).trim().split('\n');
    const messages = lines.map((line) => JSON.parse(line) as CheckMessage);
    expect(messages.map(({ is }) => is)).not.toContain('finding');
    expect(messages.at(-1)).toMatchObject({ is: 'summary', manifests: 1, left: 0 });
    await registry.stop();
  });

  it('refuses what it does not know', async () => {
    const { registry, api } = await setUp();
    expect((await api('POST', '/registry/check', { bytesPerSecond: 1 })).status).toBe(400);
    await registry.stop();
  });
});
