import express, { type RequestHandler } from 'express';
import { fail } from '../../domain/failure.ts';

/** Bodies beyond this size, and those that do not say theirs, are few at a time: anybody may send them. */
const smallBytes = 1024 * 1024;
const largeAtOnce = 8;
/** No forge takes longer than this to send what it has. */
const maxMs = 30_000;

function isLarge(length: string | undefined): boolean {
  return length === undefined || !(Number(length) <= smallBytes);
}

function toFailure(error: unknown, maxBytes: number): unknown {
  const { type } = (error ?? {}) as { readonly type?: unknown };
  return type === 'entity.too.large' ? fail('too-large', `the payload is larger than ${maxBytes} bytes`) : error;
}

/** Reads a body of any media type as the bytes that were sent, at most `maxBytes`, into `request.body`. */
export function readRaw(maxBytes: number): RequestHandler {
  const read: RequestHandler = express.raw({ type: () => true, limit: maxBytes, inflate: false });
  let large = 0;
  return (request, response, next) => {
    const counts = isLarge(request.headers['content-length']) ? 1 : 0;
    if (large + counts > largeAtOnce) {
      throw fail('rate-limited', 'too many large payloads arrive at the same time', { retryAfterSeconds: 2 });
    }
    large += counts;
    const timer = setTimeout(() => request.destroy(), maxMs);
    const done: typeof next = (error?: unknown) => {
      clearTimeout(timer);
      large -= counts;
      next(toFailure(error, maxBytes));
    };
    return read(request, response, done);
  };
}
