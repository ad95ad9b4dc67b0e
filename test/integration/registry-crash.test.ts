import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { baseLayer, createRandom, RepositoryModel } from '../rig/registry-model.ts';
import { killAll, startProcess, TestClient } from '../rig/registry-storm.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-registry-crash-'));
});
afterEach(async () => {
  await killAll();
  await rm(directory, { recursive: true, force: true });
});

/** Collects all the time, what is hardly old. */
const times = { intervalMs: 60, graceMs: 8000, delayMs: 300, walkEveryMs: 1000 };
const kills = 25;

describe('a registry that is killed', () => {
  it(
    'in the middle of pushes, deletions and garbage collection, has all that it acknowledged, and nothing by halves',
    { timeout: 180_000 },
    async () => {
      const random = createRandom(7);
      const models = Array.from(
        { length: 8 },
        (_, n) => new RepositoryModel(`team${String(n % 3)}/app${String(n)}`, n),
      );
      const countPushes = (): number => models.reduce((sum, { pushes }) => sum + pushes, 0);
      for (let round = 0; round <= kills; round += 1) {
        const process = await startProcess(directory, times);
        const client = new TestClient(process.url);
        const clients = models.map(() => new TestClient(process.url));
        expect(await client.pushBlob('base', baseLayer)).toBeLessThan(300);
        await Promise.all(models.map((model) => model.verify(client)));
        if (round === kills || round % 8 === 7) expect(await client.check()).toEqual([]);
        if (round === kills) break;
        let isOver = false;
        const working = models.map((model, at) => model.work(clients[at] ?? client, () => isOver));
        await sleep(50 + random(700));
        const wanted = ((round + 1) * 510) / kills;
        for (let waits = 0; waits < 200 && countPushes() < wanted; waits += 1) await sleep(10 + random(10));
        await process.kill();
        isOver = true;
        await Promise.all(working);
        expect(process.errors).toEqual([]);
      }
      expect(countPushes()).toBeGreaterThan(500);
    },
  );
});
