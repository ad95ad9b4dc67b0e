import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { RunEvent } from '../../domain/event.ts';
import { fail, toFailure } from '../../domain/failure.ts';
import type { Run, RunId } from '../../domain/run.ts';
import { cutEvent, type OutputLimit } from '../output-limit.ts';
import { phaseOf, supersededError, type Decide, type RunChange } from '../run-changes.ts';
import { runNumberOf } from '../run-number.ts';
import { commitTo, type Commit, type Committed } from './commit-script.ts';
import type { Keys } from './keys.ts';
import { movesBetween } from './run-indexes.ts';

/** A record as it was when last seen. */
export interface Seen {
  readonly run: Run;
  readonly version: string;
}

/** A change to make at `at` (ISO 8601); `token` tells it from all others, so that a repeated one has an effect once. */
interface Write {
  readonly at: string;
  readonly token: string;
}

const keptRecords = 500;
const maxTries = 100;
/** How many records are asked for in one round trip. */
const mostAtOnce = 1000;

function stamp(events: readonly RunEvent[], at: string): Commit['events'] {
  return events.map((event) => ({ isOutput: event.kind === 'output', json: JSON.stringify({ ...event, at }) }));
}

function parseSeen([json, version]: readonly (string | null)[]): Seen | undefined {
  return typeof json !== 'string' || typeof version !== 'string'
    ? undefined
    : { run: JSON.parse(json) as Run, version };
}

function isConflict(error: unknown): boolean {
  return toFailure(error).reason === 'conflict';
}

/**
 * The records of runs: JSON in Redis, changed by compare-and-set on a version. A change is computed here; the script writes it only when
 * the record is still the one that it was computed from. All methods reject with what the Redis client throws.
 */
export class Records {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #limit: OutputLimit;
  /** Records of the runs that this process writes events of, so that each write is one round trip. */
  readonly #kept = new LRUCache<RunId, Seen>({ max: keptRecords });

  constructor(redis: Redis, keys: Keys, limit: OutputLimit) {
    this.#redis = redis;
    this.#keys = keys;
    this.#limit = limit;
  }

  async get(id: RunId): Promise<Run | undefined> {
    return (await this.#load(id))?.run;
  }

  /** The records of several runs with their versions, in the order given; those that do not exist are left out. */
  async loadAll(ids: readonly RunId[]): Promise<readonly Seen[]> {
    const seen: Seen[] = [];
    for (let start = 0; start < ids.length; start += mostAtOnce) {
      const pipeline = this.#redis.pipeline();
      for (const id of ids.slice(start, start + mostAtOnce)) pipeline.hmget(this.#keys.run(id), 'record', 'version');
      for (const [error, reply] of (await pipeline.exec()) ?? []) {
        if (error) throw error;
        const one = parseSeen(reply as (string | null)[]);
        if (one) seen.push(one);
      }
    }
    return seen;
  }

  /** The records of {@link loadAll}. */
  async getAll(ids: readonly RunId[]): Promise<readonly Run[]> {
    return (await this.loadAll(ids)).map(({ run }) => run);
  }

  /**
   * Decides on the current record and writes what was decided in one atomic step; decides anew when another write came between.
   * Gives the record as it is then; undefined: no such run.
   */
  async change(id: RunId, at: string, decide: Decide): Promise<Run | undefined> {
    const seen = await this.#load(id);
    return seen && this.#changeFrom(id, seen, decide, { at, token: randomUUID() });
  }

  /** Adds events that change the record: {@link change}, starting from the record that this process saw last. */
  async append(id: RunId, decide: Decide, write: Write): Promise<void> {
    const kept = this.#kept.get(id);
    if (kept) {
      try {
        await this.#changeFrom(id, kept, decide, write);
        return;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
    const seen = await this.#load(id);
    if (!seen) throw supersededError(id);
    await this.#changeFrom(id, seen, decide, write);
  }

  /** Adds output, which changes no record: nothing is read, compared or rewritten. */
  async appendOutput(id: RunId, attempt: number, events: readonly RunEvent[], write: Write): Promise<void> {
    const reply = await this.#commit(id, { ...write, attempt, events });
    if (reply.kind === 'unknown' || reply.kind === 'superseded') throw supersededError(id);
  }

  /** True when a write with this token was the run's last. */
  async wasWritten(id: RunId, token: string): Promise<boolean> {
    return (await this.#redis.hget(this.#keys.run(id), 'token')) === token;
  }

  async #load(id: RunId): Promise<Seen | undefined> {
    return parseSeen(await this.#redis.hmget(this.#keys.run(id), 'record', 'version'));
  }

  async #changeFrom(id: RunId, start: Seen, decide: Decide, write: Write): Promise<Run | undefined> {
    let seen = start;
    for (let tries = 0; tries < maxTries; tries++) {
      const change = decide(seen.run);
      if (!change) return seen.run;
      const reply = await this.#commit(id, { ...write, events: change.events, record: { seen, change } });
      switch (reply.kind) {
        case 'done':
          return this.#keep(change.run, reply.version);
        case 'repeated':
          return this.get(id);
        case 'unknown':
        case 'superseded':
          return undefined;
        case 'changed':
          seen = { run: JSON.parse(reply.json) as Run, version: reply.version };
      }
    }
    throw fail('conflict', `run ${id} is changed by too many at once; try again`);
  }

  #keep(run: Run, version: string): Run {
    if (phaseOf(run) === 'active') this.#kept.set(run.runId, { run, version });
    else this.#kept.delete(run.runId);
    return run;
  }

  #commit(
    id: RunId,
    write: Write & {
      readonly attempt?: number;
      readonly events: readonly RunEvent[];
      readonly record?: { readonly seen: Seen; readonly change: RunChange };
    },
  ): Promise<Committed> {
    const { at, token, attempt, record } = write;
    return commitTo(this.#redis, this.#keys, {
      id,
      number: runNumberOf(id) ?? 0,
      token,
      ...(attempt !== undefined && { attempt }),
      ...(record && {
        record: {
          from: record.seen.version,
          json: JSON.stringify(record.change.run),
          phase: phaseOf(record.change.run),
          attempt: record.change.run.attempt,
          ...movesBetween(record.seen.run, record.change.run, this.#keys),
        },
      }),
      events: stamp(write.events, at),
      limit: { ...this.#limit, cutJson: JSON.stringify({ ...cutEvent(this.#limit), at }) },
    });
  }
}
