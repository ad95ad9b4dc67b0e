import type { TaskImages } from '../../domain/base-image.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import { followedBy, isNewerTag, type Followed } from './followed-tags.ts';
import { basesOf, imagesOf, reasonAgainst, type TaskBase } from './task-bases.ts';

/** What the graph knows of a task. */
export interface GraphTask {
  /** Its name in lower case. */
  readonly name: string;
  readonly record: TaskImages;
  /** The tags that it makes, by reference key. */
  readonly images: ReadonlyMap<string, ImageIdentity>;
}

/** A task that stands on an image. */
export interface Dependant {
  readonly task: GraphTask;
  readonly base: TaskBase;
  /** Why it is not rebuilt when the image changes, as a half-sentence whose subject is the task; absent: it is. */
  readonly because?: string;
}

/** Which tasks stand on which images, and which make them. It changes in place: do not keep what it gave across an `await`. */
export interface ImageGraph {
  /** How many tasks it knows. */
  readonly size: number;
  /** Every task, in no order. */
  tasks(): Iterable<GraphTask>;
  /** By the task's name, in any letter case. */
  task(name: string): GraphTask | undefined;
  /** The tasks that stand on a reference (`referenceKeyOf`), whether they are to be rebuilt for it or not. */
  dependants(key: string): Iterable<Dependant>;
  /** How one task, by its name in lower case, stands on a reference. */
  dependant(key: string, name: string): Dependant | undefined;
  /** The tasks that follow tags of which this image has a newer one than they stand on. */
  followers(image: ImageIdentity): Iterable<Dependant>;
  /** The names, in lower case, of the tasks that make a reference. */
  makers(key: string): Iterable<string>;
}

/** A graph with the means to change it. */
export interface GrowingGraph extends ImageGraph {
  put(record: TaskImages): void;
  remove(task: string): void;
  clear(): void;
}

interface Entry extends GraphTask {
  readonly standing: ReadonlyMap<string, Dependant>;
  readonly followed: readonly Followed[];
}

function describeDependant(task: GraphTask, base: TaskBase): Dependant {
  const because = reasonAgainst(task.record, base);
  return { task, base, ...(because !== undefined && { because }) };
}

function describeTask(name: string, record: TaskImages): Entry {
  const task = { name, record, images: imagesOf(record) };
  const bases = [...basesOf(record)];
  const standing = new Map(bases.map(([key, base]) => [key, describeDependant(task, base)]));
  return { ...task, standing, followed: followedBy(record.trigger) };
}

/** Names by key, and no key without a name. */
class Index {
  readonly #names = new Map<string, Set<string>>();

  add(key: string, name: string): void {
    const names = this.#names.get(key);
    if (names === undefined) this.#names.set(key, new Set([name]));
    else names.add(name);
  }

  delete(key: string, name: string): void {
    const names = this.#names.get(key);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(key);
  }

  get(key: string): Iterable<string> {
    return this.#names.get(key) ?? [];
  }

  clear(): void {
    this.#names.clear();
  }
}

const repositoryOf = ({ registry, repository }: Pick<ImageIdentity, 'registry' | 'repository'>) =>
  `${registry}/${repository}`;

class Graph implements GrowingGraph {
  readonly #entries = new Map<string, Entry>();
  readonly #standing = new Index();
  readonly #making = new Index();
  readonly #following = new Index();

  get size(): number {
    return this.#entries.size;
  }

  put(record: TaskImages): void {
    const name = record.task.toLowerCase();
    this.remove(name);
    const entry = describeTask(name, record);
    this.#entries.set(name, entry);
    for (const key of entry.standing.keys()) this.#standing.add(key, name);
    for (const key of entry.images.keys()) this.#making.add(key, name);
    for (const { pattern } of entry.followed) this.#following.add(repositoryOf(pattern), name);
  }

  remove(task: string): void {
    const name = task.toLowerCase();
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    for (const key of entry.standing.keys()) this.#standing.delete(key, name);
    for (const key of entry.images.keys()) this.#making.delete(key, name);
    for (const { pattern } of entry.followed) this.#following.delete(repositoryOf(pattern), name);
  }

  clear(): void {
    this.#entries.clear();
    for (const index of [this.#standing, this.#making, this.#following]) index.clear();
  }

  tasks(): Iterable<GraphTask> {
    return this.#entries.values();
  }

  task(name: string): GraphTask | undefined {
    return this.#entries.get(name.toLowerCase());
  }

  *dependants(key: string): Iterable<Dependant> {
    for (const name of this.#standing.get(key)) {
      const dependant = this.#entries.get(name)?.standing.get(key);
      if (dependant) yield dependant;
    }
  }

  dependant(key: string, name: string): Dependant | undefined {
    return this.#entries.get(name)?.standing.get(key);
  }

  *followers(image: ImageIdentity): Iterable<Dependant> {
    const key = `${repositoryOf(image)}:${image.tag ?? ''}`;
    for (const name of this.#following.get(repositoryOf(image))) {
      const entry = this.#entries.get(name);
      if (!entry || entry.standing.has(key)) continue;
      const bases = [...entry.standing.values()].map(({ base }) => base.image);
      if (!isNewerTag(image, entry.followed, bases)) continue;
      yield describeDependant(entry, { key, image, kind: 'followed', digests: [], used: [], isPinned: false });
    }
  }

  makers(key: string): Iterable<string> {
    return this.#making.get(key);
  }
}

/** Makes a graph of what is known of tasks; more can be put into it later. */
export function createImageGraph(records: Iterable<TaskImages> = []): GrowingGraph {
  const graph = new Graph();
  for (const record of records) graph.put(record);
  return graph;
}
