import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { SequencedEvent } from '../domain/event.ts';
import type { RunId } from '../domain/run.ts';
import type { EventLog } from '../store/ports.ts';

/** The part of a blob store that archived logs need: small whole objects by key. */
export interface ArchiveStorage {
  put(key: string, bytes: Buffer): Promise<void>;
  get(key: string): Promise<Buffer | undefined>;
}

export interface Archive {
  /** Copies a finished run's events out of the live log, and lets the live copy go. May be repeated. */
  save(id: RunId): Promise<void>;
  /** The events of a run that was saved; undefined when it was not. */
  load(id: RunId): Promise<readonly SequencedEvent[] | undefined>;
}

const pageEvents = 5000;
/** How long the live copy stays after it was archived, for readers that are following. */
const keepLiveSeconds = 3600;

function keyOf(id: RunId): string {
  return `logs/${id}.ndjson.gz`;
}

async function readAll(events: EventLog, id: RunId): Promise<SequencedEvent[]> {
  const all: SequencedEvent[] = [];
  for (;;) {
    const page = await events.read(id, all.at(-1)?.seq ?? 0, pageEvents);
    if (page.length === 0) return all;
    all.push(...page);
  }
}

/** Keeps the events of finished runs as one compressed object each: a JSON document a line. */
export function createArchive(storage: ArchiveStorage, events: EventLog): Archive {
  return {
    async save(id) {
      const all = await readAll(events, id);
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
  };
}
