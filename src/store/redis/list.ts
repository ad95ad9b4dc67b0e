import type { Redis } from 'ioredis';
import type { Run, RunId } from '../../domain/run.ts';
import type { RunPage, RunStore } from '../ports.ts';
import { meetsAll } from '../run-conditions.ts';
import { runIdOf, runNumberOf } from '../run-number.ts';
import type { Keys } from './keys.ts';
import { planList, type ListPlan } from './list-plan.ts';
import { idsScript, numbersScript } from './list-scripts.ts';
import type { Records } from './records.ts';
import { runScript } from './script.ts';

/** How many records are read at once where few of them meet the conditions, and first where hardly more than the page is needed. */
const chunkRuns = 250;
const smallChunk = 25;
/** How many records one page may cost. A page for which more would have to be read is short, and the next one goes on from there. */
const mostReads = 500;
/** How many entries of an index one page may cost, and one round trip: Redis does nothing else meanwhile. */
const mostSteps = 20_000;
const stepsAtOnce = 2000;
/** How far the clocks of two processes that make runs may be apart. */
const clockSkewMs = 60_000;

type ListQuery = Parameters<RunStore['list']>[0];

interface Source {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly records: Records;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

interface FoundIds {
  /** No other run is in these indexes. */
  readonly isOver: boolean;
  /** The number of the last run that was looked at. */
  readonly last: number;
  readonly seen: number;
  readonly ids: readonly RunId[];
}

/** The numbers of the runs that the plan leaves; undefined: there are none. */
async function findBounds({ numbers, created }: ListPlan, { redis, keys }: Source): Promise<Bounds | undefined> {
  const { min, max } = created;
  if (min === -Infinity && max === Infinity) return numbers;
  const times = [min - clockSkewMs, max + clockSkewMs].map((time) => (Number.isFinite(time) ? time : ''));
  const reply = (await runScript(redis, numbersScript, [keys.runs], [keys.run('' as RunId), ...times])) as string[];
  if (reply.length === 0) return undefined;
  const [first = '', last = ''] = reply;
  return {
    min: first === '' ? numbers.min : Math.max(numbers.min, Number(first)),
    max: last === '' ? numbers.max : Math.min(numbers.max, Number(last)),
  };
}

function limitText(number: number): string {
  if (Number.isFinite(number)) return String(number);
  return number > 0 ? '+inf' : '-inf';
}

async function findIds(plan: ListPlan, { min, max }: Bounds, count: number, { redis }: Source): Promise<FoundIds> {
  const sizes = plan.groups.map((group) => group.length);
  const args = [limitText(max), limitText(min), count, stepsAtOnce, ...sizes];
  const reply = await runScript(redis, idsScript, plan.groups.flat(), args);
  const [isOver, last, seen, ids] = reply as [number, string, number, RunId[]];
  return { isOver: isOver === 1, last: Number(last), seen, ids };
}

interface Chunk {
  readonly runs: readonly Run[];
  /** Said of the last chunk when the page has cost enough: the number after which a later page goes on. */
  readonly goesOnAfter?: number;
}

/** Runs that the indexes let through, newest first, until there are no more or they have cost enough. */
async function* findChunks(plan: ListPlan, bounds: Bounds, limit: number, source: Source): AsyncGenerator<Chunk> {
  const enoughReads = Math.max(mostReads, limit + 1);
  let { max } = bounds;
  let [reads, steps] = [0, 0];
  let count = plan.isCovered ? Math.min(limit + 1, chunkRuns) : chunkRuns;
  let next = plan.isCovered ? smallChunk : chunkRuns;
  for (;;) {
    const { isOver, last, seen, ids } = await findIds(plan, { min: bounds.min, max }, count, source);
    const runs = await source.records.getAll(ids);
    reads += runs.length;
    steps += seen;
    const isEnough = reads >= enoughReads || steps >= mostSteps;
    yield { runs, ...(isEnough && !isOver && { goesOnAfter: last }) };
    if (isOver || isEnough) return;
    max = last - 1;
    count = next;
    next = Math.min(next * 2, chunkRuns);
  }
}

async function fillPage({ conditions, limit }: ListQuery, chunks: AsyncIterable<Chunk>): Promise<RunPage> {
  const runs: Run[] = [];
  for await (const chunk of chunks) {
    for (const run of chunk.runs) {
      if (!meetsAll(run, conditions)) continue;
      const full = runs.length === limit ? runs.at(-1) : undefined;
      if (full) return { runs, next: full.runId };
      runs.push(run);
    }
    if (chunk.goesOnAfter !== undefined) return { runs, next: runIdOf(chunk.goesOnAfter) };
  }
  return { runs };
}

/**
 * `RunStore.list`: the indexes find what may meet the conditions, from the newest on, until the page is full and it is known whether
 * there are more.
 */
export async function listRuns(query: ListQuery, source: Source): Promise<RunPage> {
  const plan = planList(query.conditions, source.keys);
  const bounds = await findBounds(plan, source);
  if (!bounds) return { runs: [] };
  const before = query.after === undefined ? undefined : runNumberOf(query.after);
  const max = before === undefined ? bounds.max : Math.min(bounds.max, before - 1);
  return fillPage(query, findChunks(plan, { ...bounds, max }, query.limit, source));
}
