import type { TaskImages } from '../../domain/base-image.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { Digest } from '../../domain/digest.ts';
import type { TaskName } from '../../domain/task.ts';
import type { BaseImageStore } from '../../store/ports.ts';
import { parseTagPattern, type TagPattern } from '../graph/followed-tags.ts';
import { basesOf, reasonAgainst } from '../graph/task-bases.ts';

/** Something of a foreign registry that tasks are to be rebuilt for. */
export type Watched = {
  readonly key: string;
  readonly registry: string;
  /** Those that are rebuilt for it. */
  readonly tasks: readonly TaskName[];
} & (
  | {
      readonly kind: 'tag';
      readonly image: ImageIdentity;
      /** What tasks were built on when they were built last; empty: nobody knows. */
      readonly digests: ReadonlySet<Digest>;
    }
  | { readonly kind: 'pattern'; readonly pattern: TagPattern }
);

/** All that is watched, each once however many tasks stand on it. */
export interface WatchList {
  /** The same object as long as nothing has changed. Rejects with `redis-unavailable` when the store is away. */
  read(): Promise<ReadonlyMap<string, Watched>>;
}

type Growing = { tasks: TaskName[] } & (
  | { key: string; registry: string; kind: 'tag'; image: ImageIdentity; digests: Set<Digest> }
  | { key: string; registry: string; kind: 'pattern'; pattern: TagPattern }
);

function* watchedBy(record: TaskImages): Generator<Growing> {
  const tasks = [record.task];
  for (const base of basesOf(record).values()) {
    const { registry, repository, tag } = base.image;
    if (tag === undefined || reasonAgainst(record, base) !== undefined) continue;
    const image = { registry, repository, tag };
    yield { key: base.key, registry, tasks, kind: 'tag', image, digests: new Set(base.digests) };
  }
  if (!record.isEnabled || record.trigger?.status !== 'Enabled') return;
  for (const { pattern: text } of record.trigger.follow ?? []) {
    const pattern = parseTagPattern(text);
    if (pattern === undefined) continue;
    const { registry, repository } = pattern;
    const key = `follow ${registry}/${repository}${text.slice(text.lastIndexOf(':'))}`;
    yield { key, registry, tasks, kind: 'pattern', pattern };
  }
}

function build(records: Iterable<TaskImages>, isForeign: (registry: string) => boolean): Map<string, Growing> {
  const found = new Map<string, Growing>();
  for (const record of records)
    for (const watched of watchedBy(record)) {
      if (!isForeign(watched.registry)) continue;
      const before = found.get(watched.key);
      if (before === undefined) found.set(watched.key, { ...watched, tasks: [...watched.tasks] });
      else before.tasks.push(record.task);
      if (before?.kind === 'tag' && watched.kind === 'tag')
        for (const digest of watched.digests) before.digests.add(digest);
    }
  return found;
}

/** Keeps the list, and makes it anew when what is known of tasks has changed. */
export function createWatchList(store: Pick<BaseImageStore, 'changes'>, registryHost: string): WatchList {
  const own = registryHost.toLowerCase();
  const records = new Map<string, TaskImages>();
  let cursor: string | undefined;
  let list: ReadonlyMap<string, Watched> = new Map();
  return {
    async read() {
      const changes = await store.changes(cursor);
      if (changes.isWhole) records.clear();
      for (const task of changes.removed) records.delete(task.toLowerCase());
      for (const record of changes.records) records.set(record.task.toLowerCase(), record);
      cursor = changes.cursor;
      if (changes.isWhole || changes.records.length > 0 || changes.removed.length > 0)
        list = build(records.values(), (registry) => registry !== own);
      return list;
    },
  };
}
