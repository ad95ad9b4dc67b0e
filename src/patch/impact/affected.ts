import { referenceKeyOf } from '../../domain/base-image.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { TaskName } from '../../domain/task.ts';
import { compareBases, formatUnchanged, type Comparison } from '../graph/platforms.ts';
import type { Dependant, GraphTask, ImageGraph } from '../graph/image-graph.ts';

/** A task that stands on an image that changes, and is not rebuilt for it. */
export interface NotRebuilt {
  readonly task: TaskName;
  readonly image: ImageIdentity;
  /** A half-sentence whose subject is the task. */
  readonly because: string;
  /** The platforms that its images are built for, where the image changes for others alone: then that is why. */
  readonly unchangedFor?: readonly string[];
}

/** A task that is affected, while the graph is walked. */
export interface Affected {
  readonly task: GraphTask;
  /** What it is rebuilt for, by reference key; those that were given keep their digest, and are reasons of its own. */
  readonly bases: Map<string, { readonly image: ImageIdentity; readonly isGiven: boolean }>;
  /**
   * The affected tasks, in lower case, that come before it, with the keys of those of its bases that they make; no keys: it only reads
   * what they make, while it is built, and is not rebuilt for that.
   */
  readonly needs: Map<string, string[]>;
}

export interface AffectedTasks {
  /** By name in lower case. */
  readonly tasks: Map<string, Affected>;
  readonly notRebuilt: readonly NotRebuilt[];
}

/** Which of the tasks that stand on a given image count. */
export interface RootRules {
  /** Only these, in lower case; absent: all. */
  readonly only?: ReadonlySet<string>;
  /** False: a task of which nobody knows what it was built on is left alone. */
  readonly countsUnknown?: boolean;
  /** These, in lower case, are rebuilt whatever they are known to be built on: their runs are not over, or nobody has looked at them yet. */
  readonly unfinished?: ReadonlySet<string>;
}

/** True when a task is built with what a tag stands for just then, though it may not be rebuilt for it. */
function isRead({ task, base }: Dependant): boolean {
  return !base.isPinned && !task.images.has(base.key);
}

type Reason = Pick<NotRebuilt, 'because' | 'unchangedFor'>;

/** Why a task that compares like this with what its base stands for now need not be rebuilt; undefined: it must. */
function reasonOf(compared: Comparison, countsUnknown: boolean): Reason | undefined {
  switch (compared.kind) {
    case 'unknown':
      return countsUnknown ? undefined : { because: 'was never seen to be built on an older one' };
    case 'same':
      return { because: 'is built on it already' };
    case 'unchanged': {
      const { platforms } = compared;
      return { because: `stands on what is ${formatUnchanged(platforms)}`, unchangedFor: platforms };
    }
    case 'other':
      return undefined;
  }
}

class Walk {
  readonly tasks = new Map<string, Affected>();
  readonly #against: NotRebuilt[] = [];
  readonly #reads: { readonly reader: string; readonly maker: string }[] = [];
  readonly #queue: string[] = [];
  readonly #graph: ImageGraph;
  readonly #rules: RootRules;

  constructor(graph: ImageGraph, rules: RootRules) {
    this.#graph = graph;
    this.#rules = rules;
  }

  /** The tasks that stand on an image that was given. */
  begin(image: ImageIdentity): void {
    const key = referenceKeyOf(image);
    if (key === undefined) return;
    for (const dependant of this.#graph.dependants(key)) this.#addRoot(dependant, image);
    for (const dependant of this.#graph.followers(image)) this.#addRoot(dependant, image);
  }

  /** The tasks that stand on what the affected ones make, and so on. */
  run(): void {
    // It grows on the way.
    for (const name of this.#queue) {
      const images = this.tasks.get(name)?.task.images;
      if (images) for (const [key, image] of images) this.#spread(name, key, image);
    }
    this.#orderReads();
  }

  notRebuilt(): readonly NotRebuilt[] {
    const first = new Map<string, NotRebuilt>();
    for (const one of this.#against) {
      const name = one.task.toLowerCase();
      if (!this.tasks.has(name) && !first.has(name)) first.set(name, one);
    }
    return [...first.values()];
  }

  #addRoot(dependant: Dependant, { platforms, ...image }: ImageIdentity): void {
    const against = this.#reasonAgainstRoot(dependant, { ...image, ...(platforms && { platforms }) });
    if (against === undefined) this.#add(dependant, image, true);
    else this.#against.push({ task: dependant.task.record.task, image, ...against });
  }

  #reasonAgainstRoot({ task, base, because }: Dependant, image: ImageIdentity): Reason | undefined {
    const { only, countsUnknown = true, unfinished } = this.#rules;
    if (only?.has(task.name) === false) return { because: 'is not looked at' };
    if (because !== undefined) return { because };
    return base.kind === 'followed' || unfinished?.has(task.name) === true
      ? undefined
      : reasonOf(compareBases(base.used, image), countsUnknown);
  }

  #spread(maker: string, key: string, { registry, repository, tag }: ImageIdentity): void {
    const image = { registry, repository, ...(tag !== undefined && { tag }) };
    for (const dependant of this.#graph.dependants(key)) {
      const { because } = dependant;
      if (because !== undefined) {
        this.#against.push({ task: dependant.task.record.task, image, because });
        if (isRead(dependant)) this.#reads.push({ reader: dependant.task.name, maker });
        continue;
      }
      const { needs } = this.#add(dependant, image, false);
      const made = needs.get(maker);
      if (made === undefined) needs.set(maker, [key]);
      else made.push(key);
    }
  }

  /** What is only read comes before the tasks that are rebuilt anyway, and makes no others so. */
  #orderReads(): void {
    for (const { reader, maker } of this.#reads) {
      const needs = this.tasks.get(reader)?.needs;
      if (needs?.has(maker) === false) needs.set(maker, []);
    }
  }

  #add({ task, base }: Dependant, image: ImageIdentity, isGiven: boolean): Affected {
    const { name } = task;
    let affected = this.tasks.get(name);
    if (affected === undefined) {
      affected = { task, bases: new Map(), needs: new Map() };
      this.tasks.set(name, affected);
      this.#queue.push(name);
    }
    if (!affected.bases.has(base.key)) affected.bases.set(base.key, { image, isGiven });
    return affected;
  }
}

/**
 * Finds every task downstream of images that change: those that stand on them, those that stand on what these make, and so on. An image
 * that is given with its digest does not count for a task that was built on that digest already, nor, where it is also given what it has for
 * platforms, for one that was built with the same manifests. What an affected task only reads while it is built comes before it.
 */
export function findAffected(
  graph: ImageGraph,
  images: readonly ImageIdentity[],
  rules: RootRules = {},
): AffectedTasks {
  const walk = new Walk(graph, rules);
  for (const image of images) walk.begin(image);
  walk.run();
  return { tasks: walk.tasks, notRebuilt: walk.notRebuilt() };
}
