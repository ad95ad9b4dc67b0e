/*
 * Has the BuildKit of an engine resolve the whole corpus, and says where we read it otherwise:
 *   npx tsx bench/dockerfile-corpus.ts HOST [--mirror=PORT] [--write]
 * HOST is the engine (`unix:///var/run/docker.sock`). With `--mirror` the registry of the test listens where that engine looks for its
 * mirror of Docker Hub. `--write` keeps what it found in test/dockerfile/corpus/resolved.json (format it with Prettier); take the newest engine there is.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectEngine, type Engine } from '../src/runner/docker/client.ts';
import { askBuildKit } from '../test/dockerfile/corpus/ask-buildkit.ts';
import { readCase, type CorpusCase } from '../test/dockerfile/corpus/case.ts';
import { differenceOf, isForEngine, markOf, type RecordedCase } from '../test/dockerfile/corpus/compare.ts';
import { corpus } from '../test/dockerfile/corpus/index.ts';
import { startRecordingRegistry } from '../test/dockerfile/corpus/registry.ts';

const [host = 'unix:///var/run/docker.sock', ...flags] = process.argv.slice(2);
const mirror = flags.find((flag) => flag.startsWith('--mirror='))?.slice('--mirror='.length);

async function resolveAll(engine: Engine, version: string): Promise<Record<string, RecordedCase>> {
  const registry = await startRecordingRegistry(Number(mirror ?? 0));
  const found: Record<string, RecordedCase> = {};
  const work = async (waiting: [number, CorpusCase][]): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, one] = next;
      const truth = await askBuildKit(engine, registry, one, `c${at}`);
      found[one.name] = { of: markOf(one), ...truth };
      const difference = differenceOf(one, truth, readCase(one, registry.open(`c${at}`)));
      if (difference !== undefined) process.stdout.write(`${one.name}: ${difference}\n${one.text}\n\n`);
    }
  };
  const waiting = [...corpus.entries()].filter(([, one]) => isForEngine(one, version, mirror !== undefined));
  // A build's progress may show the parts of another one that it shares; of Docker Hub's images there is no other word.
  const shared = waiting.filter(([, { asksHub }]) => asksHub !== true);
  await Promise.all([work(shared), work(shared), work(shared), work(shared)]);
  await work(waiting.filter(([, { asksHub }]) => asksHub === true));
  await registry.stop();
  return Object.fromEntries(corpus.flatMap(({ name }) => (found[name] ? [[name, found[name]]] : [])));
}

const engine = connectEngine({ host });
const { Version } = (await engine.json({ method: 'GET', path: '/version' })) as { Version: string };
const resolved = await resolveAll(engine, Version);
engine.close();
process.stdout.write(`${Object.keys(resolved).length} of ${corpus.length} cases were asked of ${Version}\n`);
if (flags.includes('--write')) {
  const text = JSON.stringify({ engine: Version, resolved }, null, 2);
  await writeFile(join(import.meta.dirname, '../test/dockerfile/corpus/resolved.json'), `${text}\n`);
}
