import { request as plainRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as secureRequest } from 'node:https';
import { pipeline, Transform, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { FailureError } from '../domain/failure.ts';
import { failureOfAnswer, failureOfConnection } from './api-errors.ts';
import type { UploadOptions } from './api-types.ts';

/** Counts what passes. Counted here and not in the socket, the last few hundred KiB are told before they have left. */
function countBytes(onBytes: (bytes: number) => void): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      onBytes(bytes);
      done(null, chunk);
    },
  });
}

function open(url: string, more: UploadOptions['headers']): ClientRequest {
  const request = url.startsWith('https:') ? secureRequest : plainRequest;
  const headers = { 'content-type': 'application/octet-stream', 'x-ms-blob-type': 'BlockBlob', ...more };
  return request(url, { method: 'PUT', headers });
}

async function judge(server: string, response: IncomingMessage): Promise<void> {
  const body = await text(response);
  const status = response.statusCode ?? 0;
  if (status < 200 || status > 299) throw failureOfAnswer(server, status, body);
}

/**
 * Sends a stream with PUT, reading no faster than it is sent. A server that refuses early is heard at once, and the rest is not sent:
 * the reason why this is no fetch, which waits for its own body.
 * @throws the stream's own failure, the answer's, `server-unreachable` when the connection breaks, or the signal's reason.
 */
export async function putStream(server: string, url: string, stream: Readable, options: UploadOptions): Promise<void> {
  const { signal, onBytes = () => undefined } = options;
  const request = open(url, options.headers);
  const onAbort = (): void => void request.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  let ownFault: unknown;
  try {
    signal.throwIfAborted();
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request
        .on('response', resolve)
        .on('error', reject)
        .on('close', () => reject(Object.assign(new Error('closed without an answer'), { code: 'ECONNRESET' })));
    });
    stream.on('error', (error) => (ownFault ??= error));
    pipeline(stream, countBytes(onBytes), request, () => undefined);
    await judge(server, await answered);
  } catch (error) {
    signal.throwIfAborted();
    if (ownFault instanceof FailureError) throw ownFault;
    throw error instanceof FailureError ? error : failureOfConnection(server, error);
  } finally {
    signal.removeEventListener('abort', onAbort);
    stream.destroy();
    request.destroy();
  }
}
