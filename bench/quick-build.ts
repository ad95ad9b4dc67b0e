/** Quick builds beside the engine's own API doing the same build and push, in turns. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createParser } from 'eventsource-parser';
import type { SequencedEvent } from '../src/domain/event.ts';
import { tarOf } from '../test/rig/contexts.ts';
import type { Installation } from '../test/rig/installation.ts';
import { schedule, upload } from '../test/rig/quick-build.ts';
import { nodeStandIn } from '../test/rig/stand-ins.ts';
import type { EngineFloor } from './engine-floor.ts';
import { median, percentile, type Row } from './table.ts';

type Files = Readonly<Record<string, string>>;

export interface Rig {
  readonly slipway: Installation;
  readonly floor: EngineFloor;
}

/** Follows a run's events to its end. */
async function follow({ slipway }: Rig, runId: string, see: (event: SequencedEvent) => void): Promise<void> {
  const response = await slipway.request(`/api/v1/runs/${runId}/events`);
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event !== 'end') see(JSON.parse(data) as SequencedEvent);
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    parser.feed(decoder.decode(chunk, { stream: true }));
  }
}

/** One quick build, from the request for an upload URL to the run's end as a following client sees it. Milliseconds. */
async function quickBuild(rig: Rig, files: Files, change: Readonly<Record<string, unknown>>): Promise<number> {
  const began = performance.now();
  const sourceLocation = await upload(rig.slipway, files);
  const { properties } = await schedule(rig.slipway, { sourceLocation, ...change });
  let status = '';
  await follow(rig, properties.runId, (event) => {
    if (event.kind === 'run-ended') status = event.status;
  });
  const took = performance.now() - began;
  if (status === 'Succeeded') return took;
  throw new Error(await (await rig.slipway.request(`/api/v1/runs/${properties.runId}/log`)).text());
}

/** The same by the engine alone. Milliseconds. */
async function rawBuild(
  { slipway, floor }: Rig,
  files: Files,
  query: Readonly<Record<string, string>>,
): Promise<number> {
  const image = `${slipway.registryHost}/bench-raw:v1`;
  const began = performance.now();
  await floor.build(await tarOf(files), image, query);
  await floor.push(image);
  return performance.now() - began;
}

/** Both in turns, each of them first as often as the other; `restMs` lets what goes on behind a build come to its end. */
async function inTurns(
  { rounds, restMs = 0 }: { readonly rounds: number; readonly restMs?: number },
  one: () => Promise<number>,
  other: () => Promise<number>,
) {
  const figures: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const turn of order) {
      figures[turn === 0 ? 0 : 1].push(await (turn === 0 ? one() : other()));
      await new Promise((resolve) => setTimeout(resolve, restMs));
    }
  }
  return figures;
}

/** A build of four instructions that are all cached. */
export async function benchCachedBuild(rig: Rig, rounds = 30): Promise<Row[]> {
  const files = { Dockerfile: 'FROM busybox:latest\nCOPY a /a\nRUN echo one >/one\nRUN echo two >/two\n', a: 'a' };
  await quickBuild(rig, files, { imageNames: ['bench:v1'] });
  await rawBuild(rig, files, {});
  const [ours, raw] = await inTurns(
    { rounds },
    () => quickBuild(rig, files, { imageNames: ['bench:v1'] }),
    () => rawBuild(rig, files, {}),
  );
  const row = (name: string, of: (values: readonly number[]) => number): Row => {
    const target = name.includes('median') ? `at most 120 ms more: ${(of(ours) - of(raw)).toFixed(1)} more` : '';
    return {
      name: `cached quick build, ${name}`,
      ours: of(ours),
      floor: of(raw),
      ratio: of(ours) / of(raw),
      unit: 'ms',
      target,
    };
  };
  return [row('median', median), row('90th percentile', (values) => percentile(values, 0.9))];
}

async function readTree(root: string, folder: string): Promise<Record<string, string>> {
  const entries = await readdir(join(root, folder), { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile() && /\.(?:d\.ts|json|js)$/.test(entry.name));
  const texts = await Promise.all(
    files.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(root.length + 1), await readFile(path, 'utf8')] as const;
    }),
  );
  return Object.fromEntries(texts);
}

/** A build that works for about twenty seconds: a compiler run again and again over its own and Node's declarations. */
export async function benchRealBuild(rig: Rig, rounds = 3): Promise<Row[]> {
  const root = new URL('..', import.meta.url).pathname.replace(/\/$/, '');
  const folders = ['node_modules/typescript', 'node_modules/@types/node', 'node_modules/undici-types'];
  const trees = await Promise.all(folders.map((folder) => readTree(root, folder)));
  const compile = 'node node_modules/typescript/lib/tsc.js --noEmit --types node --lib es2023,dom main.ts';
  const files: Files = {
    ...Object.assign({}, ...trees),
    'main.ts': "import { readFileSync } from 'node:fs';\nexport const text: string = readFileSync('x', 'utf8');\n",
    Dockerfile: [
      `FROM ${nodeStandIn}`,
      'WORKDIR /app',
      'COPY . .',
      `RUN for n in 1 2 3 4 5 6; do echo round $n && ${compile} || exit 1; done`,
      'RUN for n in 1 2 3; do cp -r node_modules/typescript copy-$n || exit 1; done',
    ].join('\n'),
  };
  const [ours, raw] = await inTurns(
    { rounds, restMs: 5000 },
    () => quickBuild(rig, files, { imageNames: ['bench-real:v1'], noCache: true }),
    () => rawBuild(rig, files, { nocache: '1' }),
  );
  const row = { name: 'real build, nothing cached, median', ours: median(ours), floor: median(raw) };
  return [{ ...row, ratio: row.ours / row.floor, unit: 'ms', target: 'ratio ≤ 1.03' }];
}

/** From the moment a container prints a line to the moment a following client has it. */
export async function benchLogLatency(rig: Rig): Promise<Row[]> {
  const print =
    'let n = 0; const t = setInterval(() => { console.log("at " + Date.now()); if (++n === 100) clearInterval(t); }, 50);';
  const files = { Dockerfile: `FROM ${nodeStandIn}\nRUN node -e '${print}'\n` };
  const sourceLocation = await upload(rig.slipway, files);
  const { properties } = await schedule(rig.slipway, {
    sourceLocation,
    imageNames: ['bench-log'],
    noCache: true,
    isPushEnabled: false,
  });
  const ours: number[] = [];
  const engine: number[] = [];
  await follow(rig, properties.runId, (event) => {
    const printed = event.kind === 'output' ? /\bat (\d{13})$/.exec(event.text)?.[1] : undefined;
    if (printed === undefined) return;
    ours.push(Date.now() - Number(printed));
    engine.push(Date.parse(event.at) - Number(printed));
  });
  const row = (name: string, of: (values: readonly number[]) => number, target: string): Row => ({
    name: `log line, container to client, ${name}`,
    ours: of(ours),
    floor: of(engine),
    ratio: of(ours) / of(engine),
    unit: 'ms',
    target,
  });
  return [
    row('median (floor: to the store)', median, '< 50 ms'),
    row('99th percentile', (values) => percentile(values, 0.99), ''),
  ];
}
