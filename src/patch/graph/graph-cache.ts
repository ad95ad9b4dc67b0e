import type { BaseImageStore } from '../../store/ports.ts';
import { createImageGraph, type ImageGraph } from './image-graph.ts';

/** The graph as the store has it now. */
export interface GraphCache {
  /** Takes in what has changed since the last call. Rejects with `redis-unavailable` when the store is away. */
  read(): Promise<ImageGraph>;
}

/** Keeps a graph in memory, and brings it up to date at each read by what has changed since. */
export function createGraphCache(store: Pick<BaseImageStore, 'changes'>): GraphCache {
  const graph = createImageGraph();
  let cursor: string | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const refresh = async (): Promise<ImageGraph> => {
    const changes = await store.changes(cursor);
    if (changes.isWhole) graph.clear();
    for (const task of changes.removed) graph.remove(task);
    for (const record of changes.records) graph.put(record);
    cursor = changes.cursor;
    return graph;
  };
  return {
    // One after the other: an older answer must not overwrite a newer one.
    read: () => {
      const next = last.then(refresh, refresh);
      last = next;
      return next;
    },
  };
}
