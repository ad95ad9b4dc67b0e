import { PassThrough, Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { fail, FailureError } from '../../domain/failure.ts';

export interface UploadBounds {
  readonly maxBytes: number;
  /** Milliseconds without a byte after which the upload is given up. */
  readonly idleMs: number;
}

export function tooLarge(maxBytes: number): FailureError {
  return fail('too-large', `the archive is larger than ${maxBytes} bytes, which is what this server takes`, {
    hint: 'leave out what the build does not need with a .dockerignore file',
  });
}

/** The connection, not the archive, was at fault. */
function brokenOff(cause: unknown): FailureError {
  return fail('invalid-request', 'the connection broke before the whole archive had arrived', {
    cause,
    hint: 'send it again; the URL is still good',
  });
}

/**
 * The bytes of a request body, in order, within bounds. Leaves the request open when its reader stops early, so that an answer can
 * still be sent. Throws `too-large`, `timed-out`, or `invalid-request` when the connection broke.
 */
export async function* readBody(request: IncomingMessage, bounds: UploadBounds): AsyncGenerator<Buffer> {
  let bytes = 0;
  const idle = fail('timed-out', `the upload sent nothing for ${bounds.idleMs / 1000} seconds`);
  const timer = setTimeout(() => request.destroy(idle), bounds.idleMs);
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      const part = chunk as Buffer;
      bytes += part.length;
      if (bytes > bounds.maxBytes) throw tooLarge(bounds.maxBytes);
      timer.refresh();
      yield part;
      timer.refresh();
    }
  } catch (error) {
    if (error instanceof FailureError) throw error;
    throw brokenOff(error);
  } finally {
    clearTimeout(timer);
  }
  if (!request.complete) throw brokenOff(undefined);
}

/** Resolves when `stream` takes more, or is closed. */
async function waitForDrain(stream: PassThrough): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}

/**
 * The same bytes as a stream that ends well only when `inspect` has read them all and found nothing wrong: whoever stores the stream
 * whole or not at all then stores nothing that was refused. Neither side runs ahead of the other.
 */
export function createInspectedStream(
  body: AsyncIterable<Buffer>,
  inspect: (stream: Readable, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Readable {
  return Readable.from(passInspected(body, inspect, signal), { objectMode: false });
}

async function* passInspected(
  body: AsyncIterable<Buffer>,
  inspect: (stream: Readable, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const copy = new PassThrough({ highWaterMark: 1024 * 1024 });
  // What goes wrong in the copy is told by `inspect`, which reads it.
  copy.on('error', () => undefined);
  let refusal: unknown;
  const inspection = inspect(copy, signal).then(
    () => void copy.resume(),
    (error: unknown) => {
      refusal = error;
      copy.destroy();
    },
  );
  try {
    for await (const chunk of body) {
      if (refusal !== undefined) break;
      if (!copy.destroyed && !copy.write(chunk)) await waitForDrain(copy);
      yield chunk;
    }
    if (!copy.destroyed) copy.end();
    await inspection;
    if (refusal !== undefined) throw refusal as Error;
  } finally {
    copy.destroy();
    await inspection;
  }
}
