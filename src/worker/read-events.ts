import type { SequencedEvent } from '../domain/event.ts';
import type { RunId } from '../domain/run.ts';
import type { EventLog } from '../store/ports.ts';

const pageEvents = 5000;

/** All events of a run that are in the live log, in order. */
export async function readEvents(events: Pick<EventLog, 'read'>, id: RunId): Promise<readonly SequencedEvent[]> {
  const all: SequencedEvent[] = [];
  for (;;) {
    const page = await events.read(id, all.at(-1)?.seq ?? 0, pageEvents);
    if (page.length === 0) return all;
    all.push(...page);
  }
}
