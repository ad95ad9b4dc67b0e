import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRandom, imagesFor } from '../rig/registry-model.ts';
import { killAll, sha, startProcess, TestClient, type TestImage } from '../rig/registry-storm.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-registry-storm-'));
});
afterEach(async () => {
  await killAll();
  await rm(directory, { recursive: true, force: true });
});

const clients = 64;
const stormMs = 12_000;

/** What answered with what nobody should get. */
type Faults = string[];

/** One client: pushes, pulls and deletes images that others push, pull and delete too. */
async function play(
  client: TestClient,
  images: readonly TestImage[],
  random: (below: number) => number,
  faults: Faults,
) {
  const image = images[random(images.length)];
  if (image === undefined) return;
  const repository = `team/app${String(random(3))}`;
  const tag = `t${String(random(6))}`;
  const note = (what: string, status: number, allowed: readonly number[]): void => {
    if (!allowed.includes(status)) faults.push(`${what}: ${String(status)} ${client.refusal}`);
  };
  const kind = random(10);
  if (kind < 4) note('push', await client.pushImage(repository, tag, image), [201]);
  else if (kind < 8) await pull(client, { repository, tag }, images, faults);
  else if (kind < 9) {
    note('delete', (await client.ask('DELETE', `/v2/${repository}/manifests/${image.digest}`)).status, [202, 404]);
  } else note('untag', (await client.ask('DELETE', `/v2/${repository}/manifests/${tag}`)).status, [202, 404]);
}

/** What is there has the right bytes; it may be deleted in the middle. */
async function pull(
  client: TestClient,
  { repository, tag }: { readonly repository: string; readonly tag: string },
  images: readonly TestImage[],
  faults: Faults,
): Promise<void> {
  const got = await client.ask('GET', `/v2/${repository}/manifests/${tag}`);
  if (got.status === 404) return;
  const image = images.find(({ manifest }) => manifest.equals(got.body));
  if (got.status !== 200 || image === undefined) {
    faults.push(`pull of ${tag}: ${String(got.status)}, wrong bytes`);
    return;
  }
  for (const part of image.parts) {
    const blob = await client.ask('GET', `/v2/${repository}/blobs/${sha(part)}`);
    // Nobody deletes blobs, and the collector leaves them for longer than a pull takes.
    if (blob.status !== 200 || !blob.body.equals(part)) faults.push(`a blob of ${tag}: ${String(blob.status)}`);
  }
}

describe('64 clients at once', { timeout: 90_000 }, () => {
  it('get no wrong byte and no error while images are deleted and collected', async () => {
    // The grace is longer than a push takes on a machine with much else to do; the delay is not.
    const times = { intervalMs: 50, graceMs: 6000, delayMs: 100, walkEveryMs: 500 };
    const process = await startProcess(directory, times);
    const images = imagesFor('storm');
    const faults: Faults = [];
    const end = performance.now() + stormMs;
    let done = 0;
    const playing = Array.from({ length: clients }, async (_, n) => {
      const client = new TestClient(process.url);
      const random = createRandom(n);
      while (performance.now() < end) {
        await play(client, images, random, faults);
        done += 1;
      }
    });
    await Promise.all(playing);
    expect(faults).toEqual([]);
    expect(process.errors).toEqual([]);
    expect(done).toBeGreaterThan(clients * 2);
    expect(await new TestClient(process.url).check()).toEqual([]);
  });
});
