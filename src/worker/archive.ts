import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { SequencedEvent } from '../domain/event.ts';
import type { RunId } from '../domain/run.ts';
import type { EventLog } from '../store/ports.ts';
import { readEvents } from './read-events.ts';

/** The part of a blob store that archived logs need: small whole objects by key. */
export interface ArchiveStorage {
  put(key: string, bytes: Buffer): Promise<void>;
  get(key: string): Promise<Buffer | undefined>;
  /** Not there is fine. */
  delete(key: string): Promise<unknown>;
}

export interface Archive {
  /** Copies a finished run's events out of the live log, and lets the live copy go. May be repeated. */
  save(id: RunId): Promise<void>;
  /** The events of a run that was saved; undefined when it was not. */
  load(id: RunId): Promise<readonly SequencedEvent[] | undefined>;
  /** Forgets what was saved of a run. */
  remove(id: RunId): Promise<void>;
}

/** How long the live copy stays after it was archived, for readers that are following. */
const keepLiveSeconds = 3600;

function keyOf(id: RunId): string {
  return `logs/${id}.ndjson.gz`;
}

/** Keeps the events of finished runs as one compressed object each: a JSON document a line. */
export function createArchive(storage: ArchiveStorage, events: EventLog): Archive {
  return {
    async save(id) {
      const all = await readEvents(events, id);
      if (all.at(-1)?.kind !== 'run-ended') return;
      const text = all.map((event) => `${JSON.stringify(event)}\n`).join('');
      await storage.put(keyOf(id), await promisify(gzip)(text));
      await events.expire(id, keepLiveSeconds);
    },
    async load(id) {
      const bytes = await storage.get(keyOf(id));
      if (!bytes) return undefined;
      const text = (await promisify(gunzip)(bytes)).toString('utf8');
      const lines = text.split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as SequencedEvent);
    },
    async remove(id) {
      await storage.delete(keyOf(id));
    },
  };
}
