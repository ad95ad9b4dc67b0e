import type { Redis } from 'ioredis';
import type { RunId } from '../../domain/run.ts';
import type { Keys } from './keys.ts';
import type { Records, Seen } from './records.ts';
import { indexesOf } from './run-indexes.ts';
import { removeRunScript } from './run-scripts.ts';
import { runScript } from './script.ts';

/** How many runs are looked at and removed at once. */
const chunkRuns = 100;

interface Source {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly records: Records;
}

/** False when the run has changed since it was looked at: the next sweep looks again. */
async function remove({ run, version }: Seen, { redis, keys }: Source): Promise<boolean> {
  const { runId } = run;
  const own = [keys.run(runId), keys.events(runId), keys.plan(runId)];
  const names = [...own, ...indexesOf(run, keys), keys.unarchived];
  return (await runScript(redis, removeRunScript, names, [runId, version])) === 1;
}

/** `RunStore.removeOld`: runs that may go, oldest first, until one is young enough. */
export async function removeOldRuns(before: string, limit: number, source: Source): Promise<readonly RunId[]> {
  const { redis, keys, records } = source;
  const removed: RunId[] = [];
  while (removed.length < limit) {
    const count = Math.min(chunkRuns, limit - removed.length);
    const ids = (await redis.zrange(keys.removable, '0', String(count - 1))) as RunId[];
    const seen = await records.loadAll(ids);
    const old = seen.filter(({ run }) => Date.parse(run.createTime) < Date.parse(before));
    const outcomes = await Promise.all(old.map(async (one) => ((await remove(one, source)) ? one.run.runId : [])));
    const gone = outcomes.flat();
    removed.push(...gone);
    if (gone.length < count) break;
  }
  return removed;
}
