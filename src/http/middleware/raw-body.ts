import type { IncomingMessage } from 'node:http';
import { fail } from '../../domain/failure.ts';

/** Bodies beyond this size, and those that do not say theirs, are few at a time: anybody may send them. */
const smallBytes = 1024 * 1024;
const largeAtOnce = 8;
/** No forge takes longer than this to send what it has. */
const maxMs = 30_000;

function isLarge(length: string | undefined): boolean {
  return length === undefined || !(Number(length) <= smallBytes);
}

/** Collects a body up to `maxBytes`. What comes beyond it is let pass by, so that the client gets to read the answer. */
function collect(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const add = (chunk: Buffer): void => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes <= maxBytes) return;
      request.off('data', add).resume();
      reject(fail('too-large', `the payload is larger than ${maxBytes} bytes`));
    };
    request.on('data', add);
    request.once('end', () => {
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    });
    const giveUp = (): void => {
      if (request.readableEnded) return;
      reject(fail('invalid-request', 'the connection broke while the request body was being read'));
    };
    request.once('error', giveUp).once('close', giveUp);
  });
}

/** Throws what can be said against a body before it is read. */
function refuse({ headers }: IncomingMessage, maxBytes: number): void {
  const { 'content-encoding': encoding = 'identity', 'content-length': length = '0' } = headers;
  if (encoding.toLowerCase() !== 'identity') {
    throw fail('invalid-request', 'the payload is compressed, which is not understood here');
  }
  if (Number(length) > maxBytes) throw fail('too-large', `the payload is larger than ${maxBytes} bytes`);
}

/**
 * Makes the reader of bodies of any media type: as the bytes that were sent, at most `maxBytes`. Rejects with `too-large`, `rate-limited`
 * or `invalid-request`, and then lets the rest of the body pass by; who has not sent all of it in 30 s is cut off in any case.
 */
export function createRawReader(maxBytes: number): (request: IncomingMessage) => Promise<Buffer> {
  let large = 0;
  return async (request) => {
    const timer = setTimeout(() => request.destroy(), maxMs);
    const stopTimer = (): void => {
      clearTimeout(timer);
    };
    request.once('end', stopTimer).once('close', stopTimer);
    const counts = isLarge(request.headers['content-length']) ? 1 : 0;
    try {
      refuse(request, maxBytes);
      if (large + counts > largeAtOnce) {
        throw fail('rate-limited', 'too many large payloads arrive at the same time', { retryAfterSeconds: 2 });
      }
    } catch (error) {
      request.resume();
      throw error;
    }
    large += counts;
    try {
      return await collect(request, maxBytes);
    } finally {
      large -= counts;
    }
  };
}
