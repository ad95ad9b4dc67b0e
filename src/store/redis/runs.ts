import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Clock } from '../../domain/clock.ts';
import type { RunEvent } from '../../domain/event.ts';
import { toFailure } from '../../domain/failure.ts';
import { isFinal, type Run, type RunId } from '../../domain/run.ts';
import type { RunStore } from '../ports.ts';
import { inSlices } from '../../domain/slices.ts';
import * as changes from '../run-changes.ts';
import { runNumberOf } from '../run-number.ts';
import { guard } from './connection.ts';
import { createdAtOnce, createRuns, type CreatedRun } from './create-runs.ts';
import type { Keys } from './keys.ts';
import { listRuns } from './list.ts';
import type { Records } from './records.ts';
import { removeOldRuns } from './remove-old.ts';
import { takePlaceScript } from './run-scripts.ts';
import { runScript } from './script.ts';
import type { Subscriber } from './subscriber.ts';

export interface RedisRunsOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly records: Records;
  readonly subscriber: Subscriber;
  readonly clock: Clock;
}

const unarchivedPage = 1000;
/** More than any run may last. */
const planLifeSeconds = 10 * 60 * 60;

/** Writes the events of a batch once, however often it is handed in because Redis did not answer. */
function createAppend({ records }: RedisRunsOptions, now: () => string) {
  const unsure = new WeakMap<readonly RunEvent[], string>();

  const write = async (id: RunId, attempt: number, batch: readonly RunEvent[], token: string): Promise<void> => {
    const events = changes.untilEnd(batch);
    const at = now();
    const isOutput = events.every((event) => event.kind === 'output');
    if (isOutput) await records.appendOutput(id, attempt, events, { at, token });
    else await records.append(id, changes.appendTo(attempt, events, at), { at, token });
  };
  return async (id: RunId, attempt: number, batch: readonly RunEvent[]): Promise<void> => {
    const earlier = unsure.get(batch);
    if (earlier !== undefined && (await guard(() => records.wasWritten(id, earlier)))) {
      unsure.delete(batch);
      return;
    }
    const token = earlier ?? randomUUID();
    try {
      await guard(() => write(id, attempt, batch, token));
      unsure.delete(batch);
    } catch (error) {
      if (toFailure(error).reason === 'redis-unavailable') unsure.set(batch, token);
      throw error;
    }
  };
}

/** Tells of each cancel request; after a lost connection, of all those that are not answered yet. */
function createOnCancel({ subscriber, keys }: RedisRunsOptions, listActive: RunStore['listActive']) {
  return (listener: (id: RunId) => void): Promise<() => Promise<void>> => {
    const catchUp = async (): Promise<void> => {
      for (const run of await listActive()) if (run.cancelRequested) listener(run.runId);
    };
    return subscriber.subscribe(keys.cancel, (id) => {
      if (id !== undefined) listener(id as RunId);
      // When Redis is away again, its next return brings this about once more.
      else catchUp().catch(() => undefined);
    });
  };
}

/** The runs of a Redis store: {@link RunStore} to the letter. */
export function createRedisRuns(options: RedisRunsOptions): RunStore {
  const { redis, keys, records, clock } = options;
  const now = (): string => new Date(clock.now()).toISOString();
  const change = (id: RunId, decide: changes.Decide): Promise<Run | undefined> =>
    guard(() => records.change(id, now(), decide));
  const listActive = (): Promise<readonly Run[]> =>
    guard(async () => records.getAll((await redis.zrange(keys.active, '0', '-1')) as RunId[]));

  return {
    async create(wanted) {
      const [made] = await guard(() => createRuns([wanted], now(), options));
      return made as CreatedRun;
    },
    createMany: (wanted) => inSlices(wanted, createdAtOnce, (slice) => guard(() => createRuns(slice, now(), options))),
    get: (id) => guard(() => records.get(id)),
    list: (query) => guard(() => listRuns(query, options)),
    async begin(id, worker) {
      const run = await change(id, changes.begin(worker, now()));
      return run && !isFinal(run.status) ? run : undefined;
    },
    append: createAppend(options, now),
    async release(id, attempt) {
      if (!(await change(id, changes.release(attempt, now())))) throw changes.supersededError(id);
    },
    async requestCancel(id, by) {
      const run = await change(id, changes.requestCancel(by, now()));
      if (run && !isFinal(run.status)) await guard(() => redis.publish(keys.cancel, id));
      return run;
    },
    async end(id, status, message) {
      await change(id, changes.end(status, message, now()));
    },
    setArchived: (id, isArchiveEnabled) => change(id, changes.setArchived(isArchiveEnabled, now())),
    async keepPlan(id, sealed, seconds = planLifeSeconds) {
      await guard(() => redis.set(keys.plan(id), sealed, 'EX', seconds));
    },
    findPlan: async (id) => (await guard(() => redis.get(keys.plan(id)))) ?? undefined,
    takePlace: (id, task, limit) =>
      guard(async () => {
        const args = [keys.run('' as RunId), id, runNumberOf(id) ?? 0, limit];
        return (await runScript(redis, takePlaceScript, [keys.places(task), keys.run(id)], args)) === 1;
      }),
    removeOld: (before, limit) => guard(() => removeOldRuns(before, limit, options)),
    listActive,
    listUnarchived: () =>
      guard(() => redis.zrange(keys.unarchived, '0', String(unarchivedPage - 1)) as Promise<RunId[]>),
    onCancel: createOnCancel(options, listActive),
  };
}
