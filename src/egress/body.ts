import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { fail } from '../domain/failure.ts';
import type { Deadline } from './deadline.ts';

interface Bounds {
  readonly host: string;
  readonly maxBytes: number;
  readonly deadline: Deadline;
}

/** The body of an answer with its byte cap; its errors are FailureErrors, and destroying it closes the connection. */
export function guardBody(response: IncomingMessage, bounds: Bounds): Readable {
  // Without a listener an abort that comes before the first read would be an uncaught error.
  response.on('error', () => undefined);
  const body = Readable.from(readBounded(response, bounds), { objectMode: false });
  body.once('close', () => response.destroy());
  return body;
}

async function* readBounded(response: IncomingMessage, bounds: Bounds): AsyncGenerator<Buffer> {
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bounds.maxBytes) {
        throw fail('too-large', `what ${bounds.host} sends is more than the ${String(bounds.maxBytes)} bytes allowed`);
      }
      yield chunk;
    }
  } catch (error) {
    throw bounds.deadline.explain(error, bounds.host);
  }
}
