import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { RegistryCredential } from '../../src/domain/run-request.ts';
import { createEgress } from '../../src/egress/egress.ts';
import { createRegistryClients, type RegistryClientOptions } from '../../src/registry-client/client.ts';
import { sha256Of } from '../../src/registry-client/documents.ts';
import type { SentBlob } from '../../src/registry-client/upload-session.ts';
import { createSender } from '../../src/registry-client/sender.ts';

export const bot: RegistryCredential = { userName: 'bot', password: 'pa55word' };

/** A request as a server saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** A server on loopback whose answers a test makes; it reads each request whole first. Ends with the test. */
export async function startServer(answer: (seen: Seen, response: ServerResponse) => void) {
  const requests: Seen[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('error', () => undefined);
    request.on('end', () => {
      const seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers };
      requests.push({ ...seen, body: Buffer.concat(parts) });
      answer({ ...seen, body: Buffer.concat(parts) }, response);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return { host, requests, log: () => requests.map(({ method, path }) => `${method} ${path}`) };
}

/** Clients that never wait, with what tests set of them; `slept` has the pauses that they would have made. */
export function openClients(
  credentials: readonly RegistryCredential[] = [],
  more: Partial<RegistryClientOptions> = {},
  allow: readonly string[] = ['127.0.0.1', 'localhost'],
) {
  let time = Date.parse('2026-11-21T09:00:00.000Z');
  const slept: number[] = [];
  const sender = createSender({ egress: createEgress({ allow }) });
  const clients = createRegistryClients({
    sender,
    clock: { now: () => time },
    credentials: async () => credentials,
    random: () => 0.5,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
    },
    ...more,
  });
  return { clients, slept, advance: (ms: number) => void (time += ms) };
}

/** A blob that is sent in pieces of a few KiB. */
export function blobOf(bytes: Buffer): SentBlob & { readonly bytes: Buffer; readonly digest: Digest } {
  const pieces = Array.from({ length: Math.ceil(bytes.length / 5000) }, (_, at) =>
    bytes.subarray(at * 5000, (at + 1) * 5000),
  );
  return {
    bytes,
    digest: sha256Of(bytes),
    size: bytes.length,
    open: () => Readable.from(pieces, { objectMode: false }),
  };
}

/** Bytes that are the same each time. */
export function someBytes(length: number, seed = 1): Buffer {
  let state = seed;
  return Buffer.from(Uint8Array.from({ length }, () => (state = (state * 1103515245 + 12345) & 0x7fffffff) >> 16));
}
