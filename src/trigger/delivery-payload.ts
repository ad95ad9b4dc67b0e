import type { GitEvent, ParsedDelivery } from './git/event.ts';

/** What the store takes of one delivery (`DeliveryStore.receive`). */
const maxBytes = 1024 * 1024;
const cutMessage = 500;

/** Without the list of paths, which a path filter then cannot skip by. */
function dropPaths(event: GitEvent): GitEvent {
  return event.kind === 'push' ? { ...event, changed: { paths: [], isComplete: false } } : event;
}

function cutTexts(event: GitEvent): GitEvent {
  if (!('message' in event)) return event;
  return { ...event, message: event.message.slice(0, cutMessage) };
}

function dropTexts(event: GitEvent): GitEvent {
  if (!('message' in event)) return event;
  const { message: _, ...rest } = event;
  return rest;
}

/** A read delivery as it is kept until it is worked off: as JSON, in at most 1 MiB, long lists and texts given up first. */
export function encodeParsed(parsed: ParsedDelivery): string {
  let events = parsed.events;
  let text = JSON.stringify(parsed);
  for (const shrink of [dropPaths, cutTexts, dropTexts]) {
    if (Buffer.byteLength(text) <= maxBytes) break;
    events = events.map(shrink);
    text = JSON.stringify({ events, ignored: parsed.ignored.slice(0, 100) });
  }
  return text;
}

/** What {@link encodeParsed} made. */
export function decodeParsed(text: string): ParsedDelivery {
  return JSON.parse(text) as ParsedDelivery;
}
