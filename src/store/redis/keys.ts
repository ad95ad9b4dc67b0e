import { createHash } from 'node:crypto';
import type { RunId } from '../../domain/run.ts';

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * The names of everything that the store keeps in Redis; all start with the prefix, so that an ACL user can be held to it
 * (`~prefix:*`, channels `&prefix:*`).
 *
 * - `run:<id>` a hash: `record` (JSON), `version` (of the record), `attempt`, `phase`, `seq` (of the last event), `outputs`, `bytes`, `cut`, `token`
 * - `events:<id>` a stream: one entry for each event, its id `<seq>-0`, its field `e` the event with its time as JSON
 * - `runs`, `active`, `unarchived` sorted sets of run ids by their number; `next-run` the last number given
 * - `key:<hash>` the run that an idempotency key made; `once:<hash>` a claim; `worker:<name>` a beat, `workers` their names
 */
export function createKeys(prefix: string) {
  return {
    prefix,
    run: (id: RunId) => `${prefix}:run:${id}`,
    events: (id: RunId) => `${prefix}:events:${id}`,
    runs: `${prefix}:runs`,
    active: `${prefix}:active`,
    unarchived: `${prefix}:unarchived`,
    nextRun: `${prefix}:next-run`,
    idempotency: (key: string) => `${prefix}:key:${hash(key)}`,
    once: (key: string) => `${prefix}:once:${hash(key)}`,
    worker: (name: string) => `${prefix}:worker:${name}`,
    workers: `${prefix}:workers`,
    /** Channel: a run has new events; the message is the number of the last one. */
    wake: (id: RunId) => `${prefix}:wake:${id}`,
    /** Channel: a cancel was requested; the message is the run's id. */
    cancel: `${prefix}:cancel`,
  };
}

export type Keys = ReturnType<typeof createKeys>;
