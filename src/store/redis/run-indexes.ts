import { isFinal, type Run } from '../../domain/run.ts';
import { defaultPool } from '../run-conditions.ts';
import type { Keys } from './keys.ts';

type Indexed = Omit<Run, 'runId'>;

/** The sorted set that tells a sweeper or a reader how far a run is, apart from its status. */
function stageOf(run: Indexed, keys: Keys): readonly string[] {
  if (!isFinal(run.status)) return [keys.active];
  return run.isArchiveEnabled ? [] : [keys.removable];
}

/**
 * The sorted sets that a run with this record is in. The default pool has none: nearly every run is in it, so an index of it would
 * not make anything quicker.
 */
export function indexesOf(run: Indexed, keys: Keys): readonly string[] {
  return [
    keys.runs,
    keys.index('status', run.status),
    keys.index('type', run.runType),
    ...(run.task === undefined ? [] : [keys.index('task', run.task)]),
    ...(run.pool === undefined || run.pool.toLowerCase() === defaultPool ? [] : [keys.index('pool', run.pool)]),
    ...new Set(run.outputImages.map(({ digest }) => keys.index('image', digest))),
    ...(run.isArchiveEnabled ? [keys.archived] : []),
    ...stageOf(run, keys),
  ];
}

/** The sorted sets that a run leaves and joins when its record changes; a final one gives its place at work back. */
export function movesBetween(before: Run, after: Run, keys: Keys) {
  const [from, to] = [indexesOf(before, keys), indexesOf(after, keys)];
  const place = after.task !== undefined && isFinal(after.status) ? [keys.places(after.task)] : [];
  return {
    leave: [...from.filter((key) => !to.includes(key)), ...place],
    join: to.filter((key) => !from.includes(key)),
  };
}
