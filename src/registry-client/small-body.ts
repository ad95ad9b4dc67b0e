import type { Readable } from 'node:stream';
import { fail } from '../domain/failure.ts';
import { headerOf } from './headers.ts';
import type { Answer } from './ports.ts';

/** What is read away so that its connection can be used again, bytes. */
const drainedBytes = 64 * 1024;

/** Reads a body whole. @throws `too-large` beyond `maxBytes`; the body's own error. */
export async function readSmall(body: Readable, maxBytes: number, what: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBytes) throw fail('too-large', `${what} is larger than the ${String(maxBytes)} bytes allowed`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Lets go of an answer that nobody reads. */
export function discard({ body, headers, status }: Answer): void {
  const length = Number(headerOf(headers, 'content-length') ?? (status === 204 || status === 304 ? 0 : Infinity));
  if (length > drainedBytes) body.destroy();
  else body.on('error', () => undefined).resume();
}
