import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEngine, type Engine } from '../../src/runner/docker/client.ts';
import { askBuildKit } from '../dockerfile/corpus/ask-buildkit.ts';
import { readCase, type CorpusCase } from '../dockerfile/corpus/case.ts';
import { differenceOf, isForEngine } from '../dockerfile/corpus/compare.ts';
import { corpus } from '../dockerfile/corpus/index.ts';
import { startRecordingRegistry, type RecordingRegistry } from '../dockerfile/corpus/registry.ts';
import { engineHost } from '../runner/rig.ts';

/** Builds at the same time. */
const workers = 4;

let engine: Engine;
let registry: RecordingRegistry;

beforeAll(async () => {
  engine = connectEngine({ host: engineHost });
  registry = await startRecordingRegistry();
});
afterAll(async () => {
  await registry.stop();
  engine.close();
});

describe('what Dockerfiles stand on', () => {
  it('is what the engine’s own BuildKit asks a registry for', async () => {
    const { Version: version } = (await engine.json({ method: 'GET', path: '/version' })) as { Version: string };
    const waiting: CorpusCase[] = corpus.filter((one) => isForEngine(one, version));
    const count = waiting.length;
    const differences: string[] = [];
    let built = 0;
    const work = async (): Promise<void> => {
      for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
        const folder = `c${waiting.length}`;
        const truth = await askBuildKit(engine, registry, one, folder);
        const difference = differenceOf(one, truth, readCase(one, registry.open(folder)));
        if (difference !== undefined) differences.push(`${one.name}: ${difference}`);
        if (truth.refused === undefined) built += 1;
      }
    };
    await Promise.all(Array.from({ length: workers }, work));
    expect(differences).toEqual([]);
    expect(built).toBeGreaterThan(count / 2);
  }, 300_000);
});
