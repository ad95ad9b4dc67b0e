import { referenceKeyOf, type TaskImages } from '../../../src/domain/base-image.ts';
import type { Campaign, CampaignNode, CampaignPolicy, TagReturn } from '../../../src/domain/campaign.ts';
import type { ImageIdentity } from '../../../src/domain/dependencies.ts';
import type { Digest } from '../../../src/domain/digest.ts';
import { isFinal, type Run, type RunId, type RunStatus } from '../../../src/domain/run.ts';
import type { BaseImageTrigger, TaskName } from '../../../src/domain/task.ts';
import { createConductor, type Conductor } from '../../../src/patch/campaign/conductor.ts';
import { createGraphCache } from '../../../src/patch/graph/graph-cache.ts';
import type { CampaignRuns, TagKeeper, WantedRun } from '../../../src/patch/ports.ts';
import { findPlatforms } from '../../../src/patch/record/platforms-of-run.ts';
import type { ToldUpdate } from '../../../src/queue/ports.ts';
import { createMemoryStore } from '../../../src/store/memory/store.ts';
import { TestClock } from '../../store/fixtures.ts';
import { Indexes } from './indexes.ts';

/** An image of the test registry: `app` or `app:tag`. */
export function image(name: string): ImageIdentity {
  const [repository = '', tag = 'latest'] = name.split(':');
  return { registry: 'r.io', repository, tag };
}

export const keyOf = (one: ImageIdentity): string => referenceKeyOf(one) ?? '';

export function digestOf(number: number): Digest {
  return `sha256:${number.toString(16).padStart(64, '0')}` as Digest;
}

export const trigger: BaseImageTrigger = { name: 'base', baseImageTriggerType: 'Runtime', status: 'Enabled' };

/** A task of the test: what it stands on and makes; by default it makes an image of its own name. */
export interface TestTask {
  readonly name: string;
  readonly on: readonly string[];
  readonly makes?: readonly string[];
  /** For which it reads its runtime base; absent: not known. */
  readonly platforms?: readonly string[];
  readonly change?: Partial<TaskImages>;
}

/** Full names: `api` is the task `task-api`. */
export const taskName = (name: string): TaskName => `task-${name}` as TaskName;

export function recordOf({ name, on, makes = [name], platforms, change = {} }: TestTask): TaskImages {
  const [base, ...others] = on.map(image);
  const runtime = base && { ...base, ...(platforms && { platforms: platforms.map((platform) => ({ platform })) }) };
  return {
    task: taskName(name),
    taskVersion: 1,
    learned: { from: 'context', at: '2026-11-21T08:00:00.000Z' },
    images: makes.map((one) => ({ image: image(one), ...(runtime && { runtime }), buildTime: others })),
    stepImages: [],
    problems: [],
    trigger: { ...trigger, ...(others.length > 0 && { baseImageTriggerType: 'All' }) },
    isEnabled: true,
    failuresInRow: 0,
    ...change,
  };
}

export interface TestRun {
  run: Run;
  readonly wanted: WantedRun;
  built: Map<string, Digest> | undefined;
}

/** Thrown where a process dies. */
export class Death extends Error {}

/** A world without a network: a registry, tasks whose runs the test begins and ends, and conductors. */
export class World {
  readonly clock = new TestClock();
  readonly store = createMemoryStore({ clock: this.clock });
  readonly registry = new Map<string, Digest>();
  /** Every digest that a reference had, in order. */
  readonly history = new Map<string, Digest[]>();
  readonly runs = new Map<string, TestRun>();
  readonly refused = new Map<string, string>();
  readonly returned: TagReturn[] = [];
  readonly indexes = new Indexes();
  policy: CampaignPolicy = { concurrency: 100, retries: 0, retryBudget: 0, breakerAfter: 5 };
  #digests = 0;
  readonly #records = new Map<TaskName, TaskImages>();

  /** A process with a conductor. `gate` is asked before and after each call that it makes; when it throws, the process is dead. */
  conductor(gate: () => void = () => undefined): Conductor {
    const { baseImages, campaigns } = this.store;
    let isDead = false;
    const pass = (): void => {
      try {
        if (isDead) throw new Death();
        gate();
      } catch (error) {
        isDead = true;
        throw error;
      }
    };
    const watched = <T extends object>(target: T): T =>
      new Proxy(target, {
        get: (object, name) => {
          const method: unknown = Reflect.get(object, name);
          if (typeof method !== 'function') return method;
          return async (...args: unknown[]): Promise<unknown> => {
            pass();
            const result: unknown = await method.apply(object, args);
            pass();
            return result;
          };
        },
      });
    return createConductor({
      campaigns: watched(campaigns),
      baseImages: watched(baseImages),
      graph: createGraphCache(watched(baseImages)),
      runs: watched(this.#runs()),
      tags: watched(this.#tags()),
      platformsOf: this.indexes.platformsOf,
      policy: () => this.policy,
      clock: this.clock,
      logger: { info: () => undefined },
    });
  }

  /** Pushes an index whose manifests have these numbers. */
  pushIndex(name: string, manifests: Readonly<Record<string, number>>): ToldUpdate {
    const told = this.push(name);
    const entries = Object.entries(manifests).map(([platform, number]) => [platform, digestOf(number)] as const);
    this.indexes.add(told.image.digest, new Map(entries));
    return told;
  }

  async define(...tasks: readonly TestTask[]): Promise<void> {
    for (const task of tasks) await this.#put(recordOf(task));
  }

  async #put(record: TaskImages): Promise<void> {
    this.#records.set(record.task, record);
    await this.store.baseImages.put(record);
  }

  record(task: TaskName): TaskImages {
    const record = this.#records.get(task);
    if (!record) throw new Error(`there is no task ${task}`);
    return record;
  }

  /** What is known of the images of a task. */
  async known(name: string): Promise<TaskImages['images']> {
    return (await this.store.baseImages.get(taskName(name)))?.images ?? [];
  }

  /** Gives a reference a new digest, or the one that is named. */
  set(name: string, digest = digestOf(++this.#digests)): Digest {
    const key = keyOf(image(name));
    this.registry.set(key, digest);
    this.history.set(key, [...(this.history.get(key) ?? []), digest]);
    return digest;
  }

  /** Pushes a base; gives what a conductor is told of it. */
  push(name: string): ToldUpdate {
    this.clock.advance(1);
    const digest = this.set(name);
    return { image: { ...image(name), digest }, source: 'registry', at: this.now() };
  }

  now(): string {
    return new Date(this.clock.now()).toISOString();
  }

  active(): readonly TestRun[] {
    return [...this.runs.values()].filter(({ run }) => !isFinal(run.status));
  }

  /** The names of tasks whose runs are not over. */
  atWork(): readonly string[] {
    return this.active()
      .map(({ wanted }) => wanted.task.slice(5))
      .sort();
  }

  runOf(name: string): TestRun {
    const found = this.active().find(({ wanted }) => wanted.task === taskName(name));
    if (!found) throw new Error(`no run of ${name} is at work`);
    return found;
  }

  /** A builder takes a run up, and reads its bases. */
  begin(one: TestRun): void {
    const record = this.record(one.wanted.task);
    const bases = record.images.flatMap(({ runtime, buildTime }) => [...(runtime ? [runtime] : []), ...buildTime]);
    one.built = new Map(bases.flatMap((base) => [[keyOf(base), this.registry.get(keyOf(base)) ?? digestOf(0)]]));
    one.run = { ...one.run, status: 'Running', startTime: this.now() };
  }

  /** Ends a run: with new images, with the same as before, or badly. What it tells of its task is recorded. */
  async end(one: TestRun, how: 'new' | 'same' | 'bad' | 'canceled' = 'new'): Promise<Run> {
    if (!one.built) this.begin(one);
    this.clock.advance(1000);
    const record = this.record(one.wanted.task);
    const made = record.images.flatMap((entry) => entry.image ?? []);
    if (how === 'new') for (const each of made) this.set(`${each.repository}:${each.tag ?? ''}`);
    const status: RunStatus = how === 'bad' ? 'Failed' : how === 'canceled' ? 'Canceled' : 'Succeeded';
    const withDigest = (each: ImageIdentity): ImageIdentity => {
      const digest = one.built?.get(keyOf(each));
      return { ...each, ...(digest !== undefined && { digest }) };
    };
    const built = record.images.map((entry) => ({
      ...entry,
      ...(entry.runtime && { runtime: withDigest(entry.runtime) }),
      buildTime: entry.buildTime.map(withDigest),
    }));
    const dependencies = await findPlatforms(built, undefined, this.indexes.platformsOf);
    const outputImages = made.flatMap((each) => {
      const digest = this.registry.get(keyOf(each));
      return digest === undefined ? [] : [{ ...each, digest }];
    });
    const isGood = status === 'Succeeded';
    one.run = { ...one.run, status, finishTime: this.now(), ...(isGood && { dependencies, outputImages }) };
    if (isGood) {
      const images = dependencies.map(({ image: each, ...rest }) => {
        const digest = each && this.registry.get(keyOf(each));
        return { ...rest, ...(each && { image: { ...each, ...(digest !== undefined && { digest }) } }) };
      });
      const learned = { from: 'run', runId: one.run.runId, at: this.now() } as const;
      await this.#put({ ...record, learned, images, builtTime: this.now(), failuresInRow: 0 });
    }
    return one.run;
  }

  async campaign(id: string): Promise<Campaign> {
    const found = await this.store.campaigns.get(id);
    if (!found) throw new Error(`there is no campaign ${id}`);
    return found;
  }

  async node(id: string, name: string): Promise<CampaignNode> {
    const found = (await this.store.campaigns.nodes(id)).find(({ task }) => task === taskName(name));
    if (!found) throw new Error(`there is no node ${name} in ${id}`);
    return found;
  }

  async states(id: string): Promise<Readonly<Record<string, string>>> {
    const nodes = await this.store.campaigns.nodes(id);
    return Object.fromEntries(nodes.map(({ task, state }) => [task.slice(5), state.kind]).sort());
  }

  #runs(): CampaignRuns {
    const startOne = (wanted: WantedRun) => {
      const because = this.refused.get(wanted.task);
      if (because !== undefined) return { because };
      const key = `${wanted.campaign}/${wanted.task}/${String(wanted.try)}`;
      const before = this.runs.get(key);
      if (before) return { runId: before.run.runId };
      const runId = `r${String(this.runs.size + 1)}` as RunId;
      this.runs.set(key, { run: newRun(wanted, runId, this.now()), wanted, built: undefined });
      return { runId };
    };
    const find = (id: RunId): TestRun | undefined => [...this.runs.values()].find(({ run }) => run.runId === id);
    return {
      start: async (wanted) => wanted.map(startOne),
      get: async (id) => find(id)?.run,
      cancel: async (id, by) => {
        const one = find(id);
        if (one && !isFinal(one.run.status)) one.run = { ...one.run, cancelRequested: { at: this.now(), by } };
      },
    };
  }

  #tags(): TagKeeper {
    return {
      digestOf: async (one) => this.registry.get(keyOf(one)),
      pointBack: async (one) => {
        if (this.registry.get(keyOf(one.image)) !== one.from) return false;
        this.returned.push(one);
        this.registry.set(keyOf(one.image), one.image.digest);
        return true;
      },
    };
  }
}

function newRun(wanted: WantedRun, runId: RunId, at: string): Run {
  return {
    runId,
    status: 'Queued',
    runType: 'AutoBuild',
    createTime: at,
    lastUpdatedTime: at,
    task: wanted.task,
    cause: { kind: 'image-update', id: runId, timestamp: at, images: wanted.images, campaign: wanted.campaign },
    request: {} as Run['request'],
    attempt: 0,
    steps: [],
    outputImages: [],
    isArchiveEnabled: false,
  };
}
