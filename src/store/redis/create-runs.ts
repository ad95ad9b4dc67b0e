import type { Redis } from 'ioredis';
import type { RunEvent } from '../../domain/event.ts';
import type { Run, RunId } from '../../domain/run.ts';
import type { NewRun } from '../ports.ts';
import { newRecord } from '../run-changes.ts';
import { createScript } from './create-script.ts';
import type { Keys } from './keys.ts';
import type { Records } from './records.ts';
import { indexesOf } from './run-indexes.ts';
import { runScript } from './script.ts';

/** A run that was made now, or before by its idempotency key. */
export interface CreatedRun {
  readonly run: Run;
  readonly created: boolean;
}

/** How many runs one script makes: two milliseconds' work, during which Redis answers nobody else, and less than a socket holds. */
export const createdAtOnce = 100;

const keyLifeSeconds = 24 * 60 * 60;

interface CreateOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly records: Records;
}

type NewRecord = Omit<Run, 'runId'>;

/** The sorted sets that all of the runs join. */
function sharedIndexes(indexes: readonly (readonly string[])[]): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const key of indexes.flat()) counts.set(key, (counts.get(key) ?? 0) + 1);
  return new Set([...counts].filter(([, count]) => count === indexes.length).map(([key]) => key));
}

/** What the script is given: see there. */
function callOf(wanted: readonly NewRun[], records: readonly NewRecord[], { at, keys }: { at: string; keys: Keys }) {
  const indexes = records.map((record) => indexesOf(record, keys));
  const shared = sharedIndexes(indexes);
  const event = JSON.stringify({ kind: 'run-queued', at } satisfies RunEvent & { at: string });
  const names = [keys.nextRun, ...shared];
  const args: (string | number)[] = [keys.prefix, event, keyLifeSeconds, Date.parse(at), shared.size];
  for (const [place, { idempotencyKey }] of wanted.entries()) {
    const own = (indexes[place] ?? []).filter((key) => !shared.has(key));
    names.push(...own);
    if (idempotencyKey !== undefined) names.push(keys.idempotency(idempotencyKey));
    args.push(JSON.stringify(records[place]).slice(1), own.length, idempotencyKey === undefined ? 0 : 1);
  }
  return { names, args };
}

/** The runs of these ids, which keys had made before. */
async function readEarlier(ids: readonly RunId[], records: Records): Promise<(id: RunId) => Run> {
  const found = ids.length > 0 ? await records.getAll([...new Set(ids)]) : [];
  const byId = new Map(found.map((run) => [run.runId, run]));
  return (id) => {
    const run = byId.get(id);
    if (!run) throw new Error(`the run ${id} of an idempotency key does not exist`);
    return run;
  };
}

/**
 * Makes runs at `at` (ISO 8601) in one atomic step, at most {@link createdAtOnce}, in their order: see `RunStore.create`. Rejects with what
 * the Redis client throws.
 */
export async function createRuns(
  wanted: readonly NewRun[],
  at: string,
  { redis, keys, records }: CreateOptions,
): Promise<readonly CreatedRun[]> {
  const made = wanted.map((run) => newRecord(run, at));
  const { names, args } = callOf(wanted, made, { at, keys });
  const reply = (await runScript(redis, createScript, names, args)) as (RunId | number)[];
  const ids = made.map((_, place) => reply[2 * place] as RunId);
  const isNew = (place: number): boolean => reply[2 * place + 1] === 1;
  const earlier = await readEarlier(
    ids.filter((_, place) => !isNew(place)),
    records,
  );
  return made.map((record, place) => {
    const runId = ids[place] as RunId;
    return isNew(place) ? { run: { runId, ...record }, created: true } : { run: earlier(runId), created: false };
  });
}
