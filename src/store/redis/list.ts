import type { Redis } from 'ioredis';
import type { Run, RunId } from '../../domain/run.ts';
import type { RunPage, RunStore } from '../ports.ts';
import { meetsAll } from '../run-conditions.ts';
import { runNumberOf } from '../run-number.ts';
import type { Keys } from './keys.ts';
import type { Records } from './records.ts';

/** How many records are read at once: enough for a page without conditions, and bounded with them. */
const chunkRuns = 250;

interface Source {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly records: Records;
}

/** All runs older than `before`, newest first. */
async function* runsBefore(before: string, chunk: number, { redis, keys, records }: Source): AsyncGenerator<Run> {
  let from = before;
  for (;;) {
    const ids = (await redis.zrevrangebyscore(keys.runs, from, '-inf', 'LIMIT', 0, chunk)) as RunId[];
    yield* await records.getAll(ids);
    const last = ids.at(-1);
    if (last === undefined || ids.length < chunk) return;
    from = `(${runNumberOf(last) ?? 0}`;
  }
}

/** `RunStore.list`: reads from the newest on until the page is full and it is known whether there are more. */
export async function listRuns(query: Parameters<RunStore['list']>[0], source: Source): Promise<RunPage> {
  const { conditions, limit, after } = query;
  const number = after === undefined ? undefined : runNumberOf(after);
  const chunk = conditions.length === 0 ? Math.min(limit + 1, chunkRuns) : chunkRuns;
  const runs: Run[] = [];
  for await (const run of runsBefore(number === undefined ? '+inf' : `(${number}`, chunk, source)) {
    if (!meetsAll(run, conditions)) continue;
    const last = runs.at(-1);
    if (runs.length === limit) return { runs, ...(last && { next: last.runId }) };
    runs.push(run);
  }
  return { runs };
}
