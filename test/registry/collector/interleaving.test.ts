import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Journal } from '../../../src/blob/journal-ports.ts';
import { createMemoryJournal } from '../../../src/blob/memory/journal.ts';
import { createMemoryBlobStore } from '../../../src/blob/memory/store.ts';
import type { BlobStore } from '../../../src/blob/ports.ts';
import { createRandom, imagesFor } from '../../rig/registry-model.ts';
import { sha, TestClient, type TestImage } from '../../rig/registry-storm.ts';
import { basic, startRegistry, type RunningRegistry } from '../rig.ts';

type Random = (below: number) => number;

/** Lets others go first, for none to many turns of the event loop. */
async function dawdle(random: Random): Promise<void> {
  for (let turns = random(10) < 7 ? random(4) : random(40); turns > 0; turns -= 1) await new Promise(setImmediate);
}

const slow = new Set(['stat', 'read', 'readSmall', 'put', 'delete', 'begin', 'commit', 'append', 'list']);

/** The same object, whose operations take their time before and after what they do. */
function dawdling<T extends object>(target: T, random: Random, names: ReadonlySet<string> = slow): T {
  return new Proxy(target, {
    get: (of, name) => {
      const value: unknown = Reflect.get(of, name, of);
      if (typeof value !== 'function') return value;
      const call = (value as (...args: unknown[]) => unknown).bind(of);
      if (!names.has(String(name))) return call;
      return async (...args: unknown[]) => {
        await dawdle(random);
        const result = await call(...args);
        await dawdle(random);
        return name === 'begin' && result !== undefined ? dawdling(result as object, random) : result;
      };
    },
  });
}

class Client extends TestClient {
  override ask(...[method, path, more]: Parameters<TestClient['ask']>): ReturnType<TestClient['ask']> {
    const headers = {
      ...(more?.headers as Record<string, string> | undefined),
      authorization: basic('admin', 'secret'),
    };
    return super.ask(method, path, { ...more, headers });
  }

  /** As clients do, tries again what was answered with 503. */
  override async pushBlob(...args: Parameters<TestClient['pushBlob']>): Promise<number> {
    for (let tries = 0; ; tries += 1) {
      const status = await super.pushBlob(...args);
      if (status !== 503 || tries === 10) return status;
    }
  }
}

const repositories = ['team/a', 'team/b'];

async function play(client: Client, images: readonly TestImage[], random: Random): Promise<string[]> {
  const repository = repositories[random(2)] ?? '';
  const other = repositories[random(2)] ?? '';
  const image = images[random(3)];
  if (image === undefined) return [];
  const kind = random(10);
  if (kind < 5) {
    for (const part of kind < 2 ? image.parts : []) {
      await client.ask('POST', `/v2/${repository}/blobs/uploads/?mount=${sha(part)}&from=${other}`);
    }
    const status = await client.pushImage(repository, `t${String(random(3))}`, image);
    return status === 201 ? [] : [`push: ${String(status)} ${client.refusal}`];
  }
  if (kind < 6) await client.pushBlob(repository, image.parts[random(4)] ?? Buffer.from('x'));
  else if (kind < 9) await client.ask('DELETE', `/v2/${repository}/manifests/${image.digest}`);
  else await client.ask('DELETE', `/v2/${repository}/manifests/t${String(random(3))}`);
  return [];
}

/** Whatever a tag stands for is whole. */
async function verify(client: Client, registry: RunningRegistry, images: readonly TestImage[]): Promise<void> {
  for (const repository of repositories) {
    for (const tag of registry.registry.listTags(repository) ?? []) {
      const { body } = await client.ask('GET', `/v2/${repository}/manifests/${tag}`);
      const image = images.find(({ manifest }) => manifest.equals(body));
      expect(image).toBeDefined();
      for (const part of image?.parts ?? []) {
        const blob = await client.ask('GET', `/v2/${repository}/blobs/${sha(part)}`);
        expect([blob.status, blob.body.equals(part)]).toEqual([200, true]);
      }
    }
  }
}

async function storm(seed: number): Promise<number> {
  const random = createRandom(seed);
  const storage: BlobStore = dawdling(
    createMemoryBlobStore(() => 0),
    random,
  );
  const journal: Journal = dawdling(createMemoryJournal(), random, new Set(['append']));
  const collection = { intervalMs: 0, graceMs: 3_600_000, delayMs: 0 };
  const registry = await startRegistry({ storage, journal, collection });
  const images = imagesFor('interleaved');
  let removed = 0;
  try {
    for (let phase = 0; phase < 4; phase += 1) {
      // Everything that nobody uses is too old from now on; in the phase itself no time passes, as if all of it were quick.
      registry.clock.time += 2 * 3_600_000;
      const stopper = new AbortController();
      const clients = Array.from({ length: 5 }, async (_, n) => {
        const client = new Client(registry.url);
        const own = createRandom(seed * 31 + phase * 7 + n);
        const faults: string[] = [];
        for (let step = 0; step < 6; step += 1) faults.push(...(await play(client, images, own)));
        return faults;
      });
      const collecting = (async () => {
        while (!stopper.signal.aborted) {
          removed += (await registry.registry.collect({ walk: random(3) === 0 })).removed.count;
          await dawdle(random);
        }
      })();
      const faults = await Promise.all(clients);
      stopper.abort();
      await collecting;
      expect(faults.flat()).toEqual([]);
      await verify(new Client(registry.url), registry, images);
    }
    expect(registry.errors).toEqual([]);
    return removed;
  } finally {
    await registry.stop();
  }
}

describe('garbage collection beside pushes, mounts, HEADs and deletions', () => {
  it(
    'in whatever order their steps come, takes nothing that a push was told of or names',
    { timeout: 60_000 },
    async () => {
      let removed = 0;
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), async (seed) => {
          removed += await storm(seed);
        }),
        { numRuns: 3, endOnFailure: true },
      );
      // It had something to do.
      expect(removed).toBeGreaterThan(5);
    },
  );
});
