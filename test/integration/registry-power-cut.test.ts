import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileJournal } from '../../src/blob/disk/journal.ts';
import { createDiskBlobStore } from '../../src/blob/disk/store.ts';
import { systemClock } from '../../src/domain/clock.ts';
import { startRegistry, type RunningRegistry } from '../registry/rig.ts';
import { PowerCut } from '../rig/power-cut.ts';
import { createRandom } from '../rig/registry-model.ts';
import { bytesOf, imageOf, imageType, sha, type TestImage } from '../rig/registry-storm.ts';

let directory: string;
let cut: PowerCut | undefined;
const running: RunningRegistry[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-power-'));
});
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
  cut?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function start(root: string): Promise<RunningRegistry> {
  const small = { stepBytes: 64 * 1024, segmentBytes: 128 * 1024 };
  const registry = await startRegistry({
    storage: await createDiskBlobStore(root, () => systemClock.now()),
    journal: await openFileJournal(join(root, '.journal'), small),
    clock: systemClock,
    collection: { intervalMs: 0, delayMs: 0 },
  });
  running.push(registry);
  return registry;
}

async function push({ send }: RunningRegistry, tag: string, image: TestImage): Promise<void> {
  for (const [at, part] of image.parts.entries()) {
    const path = `/v2/app/blobs/uploads/?digest=${sha(part)}`;
    let answer: Response;
    if (at % 2 === 0) answer = await send('POST', path, { body: part });
    else {
      const begun = (await send('POST', '/v2/app/blobs/uploads/')).headers.get('location') ?? '';
      await send('PATCH', begun, { body: part });
      answer = await send('PUT', `${begun}?digest=${sha(part)}`);
    }
    expect(answer.status).toBe(201);
  }
  const headers = { 'content-type': imageType };
  const answer = await send('PUT', `/v2/app/manifests/${tag}`, { body: image.manifest, headers });
  expect(answer.status).toBe(201);
}

/** What was acknowledged is there, and nothing else is wrong. */
async function verify(root: string, acknowledged: ReadonlyMap<string, TestImage | undefined>): Promise<void> {
  const registry = await start(root);
  for (const [tag, image] of acknowledged) {
    const answer = await registry.send('GET', `/v2/app/manifests/${tag}`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect([tag, answer.status]).toEqual([tag, image === undefined ? 404 : 200]);
    if (image !== undefined) expect(bytes.equals(image.manifest)).toBe(true);
    for (const part of image?.parts ?? []) {
      const blob = await registry.send('GET', `/v2/app/blobs/${sha(part)}`);
      expect([blob.status, sha(Buffer.from(await blob.arrayBuffer()))]).toEqual([200, sha(part)]);
    }
  }
  for await (const message of registry.registry.check()) {
    if (message.is === 'finding') expect(message.severity).toBe('note');
  }
  expect(registry.errors).toEqual([]);
  running.splice(running.indexOf(registry), 1);
  await registry.stop();
}

describe('a power cut', () => {
  it('takes nothing that was acknowledged, whatever of the unsynced rest is left', { timeout: 120_000 }, async () => {
    const root = join(directory, 'before');
    await mkdir(root);
    cut = await PowerCut.watch(root);
    const registry = await start(root);
    const acknowledged = new Map<string, TestImage | undefined>();
    const random = createRandom(3);
    for (let n = 0; n < 24; n += 1) {
      const tag = `v${String(n % 10)}`;
      const parts = [100, 50_000, 3000, 20_000].map((size, at) =>
        bytesOf(`${String(n)} ${String(at)}`, size + n * 1000),
      );
      const image = imageOf(parts);
      await push(registry, tag, image);
      acknowledged.set(tag, image);
      if (n % 5 === 4) {
        expect((await registry.send('DELETE', `/v2/app/manifests/${image.digest}`)).status).toBe(202);
        acknowledged.set(tag, undefined);
        await registry.registry.collect();
      }
      // At once, before anything else gets to be written.
      const places = ['nothing', 'some'].map((what) => join(directory, `${what}${String(n)}`));
      await cut.leave(places[0] ?? '');
      await cut.leave(places[1] ?? '', () => random(2) === 0);
      for (const place of places) {
        await verify(place, acknowledged);
        await rm(place, { recursive: true });
      }
    }
  });
});
