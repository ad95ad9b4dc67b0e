import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { SequencedEvent } from '../domain/event.ts';
import type { FinalStatus } from '../domain/run.ts';
import type { StreamMessage } from './api-types.ts';

export interface EventStreamOptions {
  /** Milliseconds without a byte after which the connection is given up. */
  readonly silenceMs: number;
  /** Ends the connection. */
  readonly stop: () => void;
}

function parseMessage({ event, data }: EventSourceMessage): StreamMessage | undefined {
  try {
    const value = JSON.parse(data) as SequencedEvent & { readonly status: FinalStatus };
    if (event === 'end') return { end: value.status };
    return typeof value.seq === 'number' ? { event: value } : undefined;
  } catch {
    return undefined;
  }
}

/** Takes the server-sent events of a run out of a response's bytes, each the moment it is whole. Ends, or rejects, as the bytes do. */
export async function* readEventStream(
  bytes: AsyncIterable<Uint8Array>,
  { silenceMs, stop }: EventStreamOptions,
): AsyncGenerator<StreamMessage> {
  let waiting: StreamMessage[] = [];
  const parser = createParser({
    onEvent: (message) => {
      const parsed = parseMessage(message);
      if (parsed !== undefined) waiting.push(parsed);
    },
  });
  const decoder = new TextDecoder();
  const timer = setTimeout(stop, silenceMs);
  try {
    for await (const chunk of bytes) {
      timer.refresh();
      parser.feed(decoder.decode(chunk, { stream: true }));
      const ready = waiting;
      waiting = [];
      yield* ready;
    }
  } finally {
    clearTimeout(timer);
  }
}
