/** An image put on a new base in the registry, beside the smallest rebuild and push of the same, in turns. */
import { randomBytes } from 'node:crypto';
import type { ImageAtDigest } from '../src/domain/base-image.ts';
import { createRebaseRig, line, pushLayer, type Ran, type RebaseRig } from '../test/rebase/rig.ts';
import { tarOf } from '../test/rig/contexts.ts';
import { createEngineFloor } from './engine-floor.ts';
import { startOurs } from './registry-peers.ts';
import { median, type Row } from './table.ts';

const images = 8;
/** The first ones are not counted: worker and registry are as after a while of work then, for both sides. */
const [rounds, warmUps] = [10, 3];
const base = 'bench-base:v1';

/** Milliseconds. `first`: the first image on a base that the engine and we see for the first time. */
interface Figures {
  readonly rebase: { readonly first: number[]; readonly others: number[] };
  readonly rebuild: { readonly first: number[]; readonly others: number[] };
  /** By the engine alone, which has the base. */
  readonly raw: number[];
}

function noFigures(): Figures {
  return { rebase: { first: [], others: [] }, rebuild: { first: [], others: [] }, raw: [] };
}

function wanted(index: number) {
  const files = { a: `image ${index}` };
  return { name: `bench-rebase-${index}:v1`, text: `FROM $R/${base}\nCOPY a /app/a\n`, files };
}

/** As a campaign asks for it: on a base at its new digest. */
async function rebase(rig: RebaseRig, index: number, made: Ran[], images: readonly ImageAtDigest[]): Promise<number> {
  const ran = await rig.rebase({ ...wanted(index), made: made[index]?.found ?? [], images });
  if (!ran.text.includes('no build')) throw new Error(ran.text);
  made[index] = ran;
  return ran.tookMs;
}

/** The run that there would be otherwise. */
async function rebuild(rig: RebaseRig, index: number, images: readonly ImageAtDigest[]): Promise<number> {
  const build = { ...wanted(index), name: `bench-rebuild-${index}:v1` };
  const ran = await rig.rebase({ ...build, made: [], strategy: 'rebuild', images });
  if (ran.outcome.kind !== 'succeeded') throw new Error(ran.text);
  return ran.tookMs;
}

/** The same by the engine's own API. */
async function rawBuild(host: string, rig: RebaseRig, index: number): Promise<number> {
  const { text, files } = wanted(index);
  const floor = createEngineFloor(host, { username: 'admin', password: 'secret' });
  const context = await tarOf({ ...files, Dockerfile: text.replaceAll('$R', rig.host) });
  const image = `${rig.host}/bench-raw-${index}:v1`;
  const began = performance.now();
  await floor.build(context, image);
  await floor.push(image);
  return performance.now() - began;
}

async function measureRound(host: string, rig: RebaseRig, made: Ran[], figures: Figures): Promise<void> {
  const noise = randomBytes(16).toString('hex');
  const digest = await pushLayer(rig, base, { 'version.txt': noise });
  const bases = [{ registry: rig.host, repository: 'bench-base', tag: 'v1', digest }];
  for (let index = 0; index < images; index += 1) {
    const which = index === 0 ? 'first' : 'others';
    const turns = [
      async () => void figures.rebase[which].push(await rebase(rig, index, made, bases)),
      async () => void figures.rebuild[which].push(await rebuild(rig, index, bases)),
    ];
    for (const turn of index % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  // Last, for it wants the base among the engine's images.
  await rig.pull(base);
  for (let index = 0; index < images; index += 1) figures.raw.push(await rawBuild(host, rig, index));
  await rig.forget(base);
}

function rowsOf({ rebase: ours, rebuild: others, raw }: Figures): Row[] {
  const row = (name: string, values: readonly number[], floors: readonly number[], target: string): Row => {
    const [one, floor] = [median(values), median(floors)];
    return { name: `rebase, ${name}`, ours: one, floor, ratio: one / floor, unit: 'ms', target };
  };
  return [
    row('one image (floor: the smallest rebuild and push)', ours.others, others.others, 'ratio ≤ 0.05'),
    row('the first on a new base (floor: the same)', ours.first, others.first, 'ratio ≤ 0.05'),
    row('one image (floor: build and push by the engine alone)', ours.others, raw, ''),
  ];
}

/** About a minute. */
export async function benchRebase(host: string): Promise<Row[]> {
  const registry = await startOurs();
  const rig = createRebaseRig(new URL(registry.url).host);
  try {
    await rig.publishBase(base, `${line}\nRUN echo 0 > /version.txt`);
    const made: Ran[] = [];
    for (let index = 0; index < images; index += 1) made.push(await rig.build(wanted(index)));
    const [none, figures] = [noFigures(), noFigures()];
    for (let round = 0; round < rounds; round += 1)
      await measureRound(host, rig, made, round < warmUps ? none : figures);
    return rowsOf(figures);
  } finally {
    for (let index = 0; index < images; index += 1) await rig.forget(`bench-raw-${index}:v1`);
    await rig.forget(base);
    await rig.close();
    await registry.stop();
  }
}
