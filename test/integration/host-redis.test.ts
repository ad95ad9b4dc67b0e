import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inspectHost } from '../../src/host/inspect.ts';
import { probeRedis } from '../../src/host/redis-probe.ts';
import { ensureRedis } from '../../src/host/redis.ts';
import { stopHost } from '../../src/host/stop.ts';
import { createHostTools } from '../../src/host/tools.ts';

describe('a private Redis', () => {
  const tools = createHostTools(() => undefined);
  let home: string;
  let dataDir: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'slipway-redis-'));
    dataDir = join(home, 'data');
  });
  afterEach(async () => {
    await stopHost(tools, { dataDir, purge: true });
    rmSync(home, { recursive: true, force: true });
  });
  const wish = () => ({ dataDir, install: false, usual: [] });

  async function write(url: string, key: string): Promise<string | null> {
    const redis = new Redis(url, { lazyConnect: true });
    await redis.connect();
    const before = await redis.get(key);
    await redis.set(key, 'kept');
    redis.disconnect();
    return before;
  }

  it('is started once, however many ask at the same time', async () => {
    const found = await Promise.all([ensureRedis(tools, wish()), ensureRedis(tools, wish())]);
    expect(found.map(({ started }) => started).sort()).toEqual([false, true]);
    expect(found[0].url).toBe(found[1].url);
  });

  it('keeps what was written when it is stopped and started', async () => {
    const { url } = await ensureRedis(tools, wish());
    expect(await write(url, 'a')).toBeNull();
    expect(await stopHost(tools, { dataDir })).toEqual({ redis: true, engine: false });
    const again = await ensureRedis(tools, wish());
    expect(again.started).toBe(true);
    expect(await write(again.url, 'a')).toBe('kept');
  });

  it('stays the one in use once it has data, whatever else runs on the host', async () => {
    const other = await ensureRedis(tools, { ...wish(), dataDir: join(home, 'other', 'slipway') });
    await ensureRedis(tools, wish());
    expect((await ensureRedis(tools, { ...wish(), usual: [other.url] })).isPrivate).toBe(true);
    await stopHost(tools, { dataDir: join(home, 'other', 'slipway'), purge: true });
  });

  it('has its socket elsewhere when the data directory has a long name', async () => {
    dataDir = join(home, 'long'.repeat(30));
    const { url } = await ensureRedis(tools, wish());
    expect(url.length).toBeLessThan(108);
    expect(await probeRedis(url)).toMatchObject({ ok: true, facts: { policy: 'noeviction', isPrimary: true } });
  });

  it('is not started when another one of the host will do', async () => {
    const other = await ensureRedis(tools, wish());
    const found = await ensureRedis(tools, { ...wish(), dataDir: join(home, 'second'), usual: [other.url] });
    expect(found).toEqual({ url: other.url, started: false, isPrivate: false });
  });

  it('is seen by the doctor', async () => {
    await ensureRedis(tools, wish());
    const look = { dataDir, usualEngines: [], usualRedis: [], nodeVersion: '20.20.0' };
    const findings = await inspectHost(tools, look);
    expect(findings.find(({ name }) => name === 'Redis')).toMatchObject({ status: 'ok' });
  });

  it('is never a stand-in for a REDIS_URL that does not answer, and the password stays out of the message', async () => {
    const asked = ensureRedis(tools, { ...wish(), url: 'redis://me:hunter2@127.0.0.1:1/0' });
    await expect(asked).rejects.toMatchObject({ failure: { reason: 'redis-unavailable' } });
    await expect(asked).rejects.not.toThrow('hunter2');
  });

  it('is told from a server that speaks something else', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const answer = await probeRedis(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.close();
    expect(answer).toMatchObject({ ok: false });
  });
});
