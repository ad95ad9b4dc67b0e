import type { TaskImages } from '../../domain/base-image.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { TaskName } from '../../domain/task.ts';
import type { ImageGraph } from '../graph/image-graph.ts';
import { findAffected, type Affected, type NotRebuilt, type RootRules } from './affected.ts';
import { openCircles } from './circles.ts';
import { findOrder, findWaves, type Order } from './order.ts';
import { schedule, type Span } from './schedule.ts';

export type { NotRebuilt } from './affected.ts';

/** A task that is rebuilt. */
export interface Rebuild {
  readonly task: TaskName;
  /** How many tasks, at most, must be rebuilt one after the other before this one. */
  readonly level: number;
  readonly wave: number;
  /** The tasks, of those here, that must have ended before it begins. */
  readonly needs: readonly TaskName[];
  /** Those of them whose images it only reads while it is built: it is not rebuilt for them, and goes on when they fail. Absent: none. */
  readonly onlyReads?: readonly TaskName[];
  /** What it is rebuilt for; with the digest where that was given. */
  readonly bases: readonly ImageIdentity[];
  /** The tags that it makes, with what they were pushed with last. */
  readonly images: readonly ImageIdentity[];
  /** How long its last good run took; absent: nobody knows. */
  readonly durationMs?: number;
  /** Why it is not started by itself; what stands on it is listed all the same. */
  readonly skippedBecause?: string;
}

/** A task that is rebuilt, and about when. */
export type ImpactTask = Rebuild & Span;

/** What changed images make necessary. */
export interface Rebuilds<T extends Rebuild = Rebuild> {
  /** In topological order: by level, and by name within a level. */
  readonly tasks: readonly T[];
  readonly cycles: readonly (readonly TaskName[])[];
  readonly notRebuilt: readonly NotRebuilt[];
}

/** The same with times. */
export interface Impact extends Rebuilds<ImpactTask> {
  /** How long all of it is likely to take, milliseconds. */
  readonly durationMs: number;
}

export interface RebuildOptions extends RootRules {
  /** A task whose runs of campaigns failed this often in a row is not started; absent: it is. */
  readonly breakerAfter?: number;
}

export interface ImpactOptions extends RebuildOptions {
  /** Runs at a time, at least 1. */
  readonly concurrency: number;
}

/** Why a task that keeps failing is not started by itself; undefined: it does not. */
export function breakerReason({ failuresInRow }: TaskImages, breakerAfter: number | undefined): string | undefined {
  if (breakerAfter === undefined || failuresInRow < breakerAfter) return undefined;
  return `its last ${String(failuresInRow)} runs of campaigns failed in a row`;
}

interface Found extends Omit<Rebuilds, 'tasks'> {
  readonly tasks: ReadonlyMap<string, Affected>;
  readonly order: Order;
  readonly waves: ReadonlyMap<string, number>;
}

function find(graph: ImageGraph, images: readonly ImageIdentity[], options: RebuildOptions): Found {
  const { tasks, notRebuilt } = findAffected(graph, images, options);
  const circles = openCircles(tasks);
  const order = findOrder(tasks);
  const cycles = circles.map((circle) => circle.map((name) => nameOf(tasks, name)));
  return { tasks, cycles, notRebuilt, order, waves: findWaves(tasks, order) };
}

function nameOf(tasks: ReadonlyMap<string, Affected>, name: string): TaskName {
  return tasks.get(name)?.task.record.task ?? (name as TaskName);
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Names of tasks, in lower case, as their owners write them. */
function namesOf(tasks: ReadonlyMap<string, Affected>, names: Iterable<string>): readonly TaskName[] {
  return [...names].sort().map((name) => nameOf(tasks, name));
}

/** What a task waits for without being rebuilt for it. */
function readsOf({ needs }: Affected): readonly string[] {
  return [...needs].flatMap(([need, keys]) => (keys.length === 0 ? [need] : []));
}

const none: readonly TaskName[] = [];

/** There can be very many: what is not there is left out without a copy. */
function describe(name: string, { tasks, order, waves }: Found, { breakerAfter }: RebuildOptions): Rebuild | undefined {
  const affected = tasks.get(name);
  if (affected === undefined) return undefined;
  const { task, bases, needs } = affected;
  const { durationMs } = task.record;
  const skippedBecause = breakerReason(task.record, breakerAfter);
  const rebuild: Writable<Rebuild> = {
    task: task.record.task,
    level: order.levels.get(name) ?? 0,
    wave: waves.get(name) ?? 0,
    needs: needs.size === 0 ? none : namesOf(tasks, needs.keys()),
    bases: Array.from(bases.values(), ({ image }) => image),
    images: [...task.images.values()],
  };
  const reads = readsOf(affected);
  if (reads.length > 0) rebuild.onlyReads = namesOf(tasks, reads);
  if (durationMs !== undefined) rebuild.durationMs = durationMs;
  if (skippedBecause !== undefined) rebuild.skippedBecause = skippedBecause;
  return rebuild;
}

function listTasks(found: Found, options: RebuildOptions): Rebuild[] {
  const rebuilds: Rebuild[] = [];
  for (const name of found.order.names) {
    const one = describe(name, found, options);
    if (one !== undefined) rebuilds.push(one);
  }
  return rebuilds;
}

/**
 * What changing `images` makes necessary: every task downstream, also through images that tasks make, each once, in topological order.
 * Given digests matter: a task that was built on them already is not rebuilt for them.
 */
export function findRebuilds(graph: ImageGraph, images: readonly ImageIdentity[], options: RebuildOptions): Rebuilds {
  const found = find(graph, images, options);
  return { tasks: listTasks(found, options), cycles: found.cycles, notRebuilt: found.notRebuilt };
}

function scheduleAll({ tasks, order, waves }: Found, { concurrency, breakerAfter }: ImpactOptions) {
  const durations = new Map<string, number>();
  const needs = new Map<string, number>();
  for (const [name, one] of tasks) {
    const { record } = one.task;
    needs.set(name, one.needs.size);
    if (breakerReason(record, breakerAfter) !== undefined) durations.set(name, 0);
    else if (record.durationMs !== undefined) durations.set(name, record.durationMs);
  }
  return schedule({ order, needs, waves, durations, concurrency });
}

/** {@link findRebuilds}, with about when each task would run and how long it would all take. */
export function findImpact(graph: ImageGraph, images: readonly ImageIdentity[], options: ImpactOptions): Impact {
  const found = find(graph, images, options);
  const spans = scheduleAll(found, options);
  const never = { startMs: 0, endMs: 0 };
  let durationMs = 0;
  const tasks = listTasks(found, options).map((one) => {
    const span = spans.get(one.task.toLowerCase()) ?? never;
    durationMs = Math.max(durationMs, span.endMs);
    return Object.assign(one, span);
  });
  return { tasks, cycles: found.cycles, notRebuilt: found.notRebuilt, durationMs };
}
