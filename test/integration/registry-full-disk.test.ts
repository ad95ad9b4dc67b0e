import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytesOf, imageOf, killAll, sha, startProcess, TestClient, type TestImage } from '../rig/registry-storm.ts';

const run = promisify(execFile);
const megabyte = 1024 * 1024;
let directory: string;
let isMounted = false;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-registry-full-'));
  // Only root may mount; elsewhere there is no disk that could be filled.
  isMounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'slipway-test', directory]).then(
    () => true,
    () => false,
  );
});
afterEach(async () => {
  await killAll();
  if (isMounted) await run('umount', [directory]);
  await rm(directory, { recursive: true, force: true });
});

function image(n: number, bytes: number): TestImage {
  return imageOf([Buffer.from(`{"n":${String(n)}}`), bytesOf(`layer ${String(n)}`, bytes)]);
}

/** Pushes images until one is refused; resolves to those that were taken. */
async function pushUntilFull(client: TestClient): Promise<TestImage[]> {
  const taken: TestImage[] = [];
  for (let n = 0; n < 200; n += 1) {
    const one = image(n, n % 3 === 0 ? 1.5 * megabyte : 20_000);
    const status = await client.pushImage('app', `v${String(n)}`, one);
    if (status !== 201) {
      expect([status, client.refusal]).toEqual([503, expect.stringContaining('"code":"UNAVAILABLE"')]);
      return taken;
    }
    taken.push(one);
  }
  throw new Error('the disk never was full');
}

async function expectWhole(client: TestClient, images: readonly TestImage[], from: number): Promise<void> {
  for (const [n, { manifest, parts }] of images.entries()) {
    if (n < from) continue;
    const got = await client.ask('GET', `/v2/app/manifests/v${String(n)}`);
    expect([got.status, got.body.equals(manifest)]).toEqual([200, true]);
    for (const part of parts) {
      const blob = await client.ask('GET', `/v2/app/blobs/${sha(part)}`);
      expect([blob.status, blob.body.equals(part)]).toEqual([200, true]);
    }
  }
}

describe('a registry whose disk is full', () => {
  it('refuses pushes, goes on with pulls and deletions, and takes pushes again when there is room', async (context) => {
    if (!isMounted) context.skip();
    await writeFile(join(directory, 'filler'), Buffer.alloc(8 * megabyte));
    const process = await startProcess(directory, { intervalMs: 0, graceMs: 0, delayMs: 0 });
    const client = new TestClient(process.url);
    const taken = await pushUntilFull(client);
    expect(taken.length).toBeGreaterThan(3);
    await expectWhole(client, taken, 0);
    expect((await client.ask('DELETE', '/v2/app/manifests/v0')).status).toBe(202);
    expect((await client.ask('DELETE', `/v2/app/manifests/${taken[1]?.digest ?? ''}`)).status).toBe(202);
    expect((await client.ask('GET', '/v2/app/manifests/v0')).status).toBe(404);
    await expectWhole(client, taken, 2);

    await rm(join(directory, 'filler'));
    for (let n = 300; n < 304; n += 1) {
      expect(await client.pushImage('app', `v${String(n)}`, image(n, megabyte))).toBe(201);
    }
    await expectWhole(client, taken, 2);
    expect(await client.check()).toEqual([]);
    await process.kill();
    const again = new TestClient((await startProcess(directory, {})).url);
    await expectWhole(again, taken, 2);
    expect(await again.check()).toEqual([]);
  });

  it('gets room by deletions and garbage collection alone', async (context) => {
    if (!isMounted) context.skip();
    const process = await startProcess(directory, { intervalMs: 0, graceMs: 0, delayMs: 0 });
    const client = new TestClient(process.url);
    const taken = await pushUntilFull(client);
    for (const { digest } of taken.slice(0, 6)) {
      expect((await client.ask('DELETE', `/v2/app/manifests/${digest}`)).status).toBe(202);
    }
    expect((await client.ask('POST', '/collect')).status).toBe(200);
    expect(await client.pushImage('app', 'next', image(500, megabyte))).toBe(201);
    await expectWhole(client, taken, 6);
    expect(await client.check()).toEqual([]);
  });
});
