import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BucketSettings } from '../../src/config/registry-storage.ts';
import { basic, indexType, sha, until } from '../registry/rig.ts';
import { startRedis, type PrivateRedis } from '../rig/redis.ts';
import { startProcess, type RegistryProcess } from '../rig/registry-processes.ts';
import { startS3, type S3Server } from '../rig/s3-server.ts';

let redis: PrivateRedis;
let server: S3Server;
beforeAll(async () => {
  [redis, server] = await Promise.all([startRedis(), startS3()]);
}, 120_000);
afterAll(async () => {
  await redis.dispose();
  await server.dispose();
});

async function bucketSettings(): Promise<BucketSettings> {
  const { endpoint, region, accessKeyId = '', secretAccessKey = '' } = server.settings;
  return {
    ...{ endpoint, region, bucket: await server.newBucket(), prefix: 'registry-of/us' },
    ...{ credentials: { accessKeyId, secretAccessKey: { value: secretAccessKey } }, forcePathStyle: true },
  };
}

describe.each([
  { where: 'one directory', rounds: 1000, inBucket: false },
  { where: 'one bucket', rounds: 300, inBucket: true },
])('three processes with $where', ({ rounds, inBucket }) => {
  let dataDir: string;
  let settings: Parameters<typeof startProcess>[0];
  let all: RegistryProcess[] = [];
  let [a, b, c] = [] as unknown as [RegistryProcess, RegistryProcess, RegistryProcess];
  const at = (n: number): RegistryProcess => all[n % all.length] as RegistryProcess;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'slipway-shared-'));
    const base = { dataDir, redis: redis.url, entries: 200 };
    settings = inBucket ? { ...base, s3: await bucketSettings() } : base;
    all = await Promise.all([1, 2, 3].map(() => startProcess(settings)));
    [a, b, c] = all as [RegistryProcess, RegistryProcess, RegistryProcess];
  }, 120_000);
  afterAll(async () => {
    await Promise.all(all.map((one) => one.kill()));
    await rm(dataDir, { recursive: true, force: true });
  });

  it('take an upload that is begun at one, continued at the next and closed at the third', async () => {
    for (const size of [10, 400_000, 9_000_000]) {
      const bytes = randomBytes(size);
      const [first, second] = [bytes.subarray(0, size / 2), bytes.subarray(size / 2)];
      let n = 0;
      const step = async (method: string, path: string, body?: Buffer): Promise<Response> => {
        n += 1;
        return at(n).send(method, path, body && { body });
      };
      const begun = await step('POST', '/v2/team/app/blobs/uploads/');
      const path = begun.headers.get('location') ?? '';
      expect((await step('PATCH', path, first)).status).toBe(202);
      expect((await step('GET', path)).headers.get('range')).toBe(`0-${String(first.length - 1)}`);
      expect((await step('PATCH', path, second)).status).toBe(202);
      expect((await step('PUT', `${path}?digest=${sha(bytes)}`)).status).toBe(201);
      for (const each of all) {
        const pulled = await each.send('GET', `/v2/team/app/blobs/${sha(bytes)}`);
        expect(sha(Buffer.from(await pulled.arrayBuffer()))).toBe(sha(bytes));
        expect((await each.send('GET', path)).status).toBe(404);
      }
    }
  }, 60_000);

  it('let one request at a time write to an upload, whatever processes they reach', async () => {
    const bytes = [randomBytes(300_000), randomBytes(300_000), randomBytes(300_000)];
    const begun = await a.send('POST', '/v2/team/app/blobs/uploads/');
    const path = begun.headers.get('location') ?? '';
    const headers = { 'content-range': '0-299999' };
    const tries = bytes.map((body, n) => at(n).send('PATCH', path, { body, headers }));
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([202, 416, 416]);
    const kept = bytes[statuses.indexOf(202)] ?? Buffer.alloc(0);
    expect((await c.send('GET', path)).headers.get('range')).toBe('0-299999');
    expect((await b.send('PUT', `${path}?digest=${sha(kept)}`)).status).toBe(201);
    const pulled = await c.send('GET', `/v2/team/app/blobs/${sha(kept)}`);
    expect(sha(Buffer.from(await pulled.arrayBuffer()))).toBe(sha(kept));
  }, 30_000);

  it(`show what was pushed at one at once at the others, ${String(rounds)} times`, async () => {
    let stale = 0;
    const push = async (lane: number): Promise<void> => {
      for (let n = lane; n < rounds; n += 4) {
        const bytes = JSON.stringify({
          schemaVersion: 2,
          mediaType: indexType,
          manifests: [],
          annotations: { n: String(n) },
        });
        const init = { body: bytes, headers: { 'content-type': indexType } };
        const path = `/v2/fresh/app${String(n % 7)}/manifests/v${String(n)}`;
        expect((await at(n).send('PUT', path, init)).status).toBe(201);
        const pulled = await at(n + 1).send('GET', path);
        if (pulled.status !== 200 || (await pulled.text()) !== bytes) stale += 1;
        if ((await at(n + 2).send('HEAD', path)).status !== 200) stale += 1;
      }
    };
    await Promise.all([0, 1, 2, 3].map(push));
    expect(stale).toBe(0);
  }, 240_000);

  it('agree on where a tag is that all move, and on where it was', async () => {
    const digests = await Promise.all(
      Array.from({ length: 15 }, (_, n) => at(n).pushImage('race/app', 'latest', `layer ${String(n)}`)),
    );
    expect(new Set(digests).size).toBe(15);
    const seen = await Promise.all(
      all.map(async (each) =>
        (await each.send('GET', '/v2/race/app/manifests/latest')).headers.get('docker-content-digest'),
      ),
    );
    expect(new Set(seen).size).toBe(1);
    expect(digests).toContain(seen[0]);
    await until(
      () => all.flatMap(({ events }) => events).filter(({ repository }) => repository === 'race/app').length >= 15,
    );
    // Each move tells what the tag stood for before: a chain without a gap, whoever was first.
    const moves = all
      .flatMap(({ events }) => events)
      .filter((event) => event.repository === 'race/app' && event.kind === 'push');
    const before = moves.map((move) => ('previousDigest' in move ? move.previousDigest : undefined));
    expect(new Set(before).size).toBe(15);
    expect(digests.filter((digest) => !before.includes(digest as never))).toEqual([seen[0]]);
  }, 60_000);

  it('know nothing any more of what was deleted at one', async () => {
    for (let n = 0; n < 30; n += 1) {
      const digest = await at(n).pushImage('gone/app', 'v1', `gone ${String(n)}`);
      expect((await at(n + 1).send('DELETE', `/v2/gone/app/manifests/${digest}`)).status).toBe(202);
      for (const each of all) {
        expect((await each.send('GET', `/v2/gone/app/manifests/${digest}`)).status).toBe(404);
        expect((await each.send('GET', '/v2/gone/app/manifests/v1')).status).toBe(404);
      }
    }
  }, 60_000);

  it('take the tokens of each other', async () => {
    await a.pushImage('token/app', 'v1', 'x');
    const asked = await fetch(`${a.url}/oauth2/token?service=x&scope=repository:token/app:pull`, {
      headers: { authorization: basic('admin', 'secret') },
    });
    const { access_token: token } = (await asked.json()) as { access_token: string };
    for (const each of all) {
      const headers = { authorization: `Bearer ${token}` };
      expect((await fetch(`${each.url}/v2/token/app/manifests/v1`, { headers })).status).toBe(200);
      expect((await fetch(`${each.url}/v2/other/app/manifests/v1`, { headers })).status).toBe(401);
    }
  });

  it('go on when one is killed in the middle, and tell what it had not told', async () => {
    const doomed = await startProcess({ ...settings, isDeaf: true });
    const accepted: string[] = [];
    const pushing = Promise.allSettled(
      Array.from({ length: 40 }, async (_, n) => {
        accepted.push(await doomed.pushImage('doomed/app', `v${String(n)}`, `doomed ${String(n)}`));
      }),
    );
    const meanwhile = Promise.all(
      Array.from({ length: 20 }, (_, n) => at(n).pushImage('calm/app', `v${String(n)}`, 'calm')),
    );
    await until(() => accepted.length >= 5);
    await doomed.kill();
    await pushing;
    await meanwhile;
    for (const each of all) {
      for (const digest of accepted)
        expect((await each.send('GET', `/v2/doomed/app/manifests/${digest}`)).status).toBe(200);
    }
    await until(() => {
      const told = new Set(all.flatMap(({ events }) => events).map(({ digest }) => digest as string));
      return accepted.every((digest) => told.has(digest));
    });
  }, 60_000);

  it('go on after one that stood still, and after Redis came back empty', async () => {
    c.signal('SIGSTOP');
    await a.pushImage('slow/app', 'v1', 'one');
    await b.pushImage('slow/app', 'v2', 'two');
    c.signal('SIGCONT');
    expect((await c.send('GET', '/v2/slow/app/manifests/v2')).status).toBe(200);
    await redis.stop();
    for (let n = 0; n < 3; n += 1) {
      await at(n).pushImage('slow/app', `away${String(n)}`, 'three');
      for (const each of all)
        expect((await each.send('GET', `/v2/slow/app/manifests/away${String(n)}`)).status).toBe(200);
    }
    await redis.start();
    for (let n = 0; n < 30; n += 1) {
      await at(n).pushImage('slow/app', `back${String(n)}`, 'four');
      for (const each of all)
        expect((await each.send('GET', `/v2/slow/app/manifests/back${String(n)}`)).status).toBe(200);
    }
  }, 60_000);

  it('leave snapshots that a new process starts from, with all that the others have', async () => {
    if (!inBucket) expect((await readdir(join(dataDir, 'registry/registry/snapshots'))).length).toBeGreaterThan(0);
    const fresh = await startProcess(settings);
    const list = async (each: RegistryProcess): Promise<unknown> => (await each.send('GET', '/v2/_catalog')).json();
    const tags = async (each: RegistryProcess): Promise<unknown> =>
      (await each.send('GET', '/v2/fresh/app3/tags/list')).json();
    expect(await list(fresh)).toEqual(await list(a));
    expect(await tags(fresh)).toEqual(await tags(b));
    expect(all.flatMap(({ errors }) => errors)).toEqual([]);
    await fresh.kill();
  }, 60_000);
});
