import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { fail } from '../domain/failure.ts';
import { ArchiveRules } from './archive-rules.ts';
import type { ContextLimits } from './ports.ts';
import { TarReader } from './tar-reader.ts';

/** What is known of an archive that passed. */
export interface Inspection {
  readonly compression: 'none' | 'gzip';
  readonly entries: number;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  /** True when the archive holds a file (or link) of that name. */
  hasFile(path: string): boolean;
}

/** The first unpacked bytes are free of the ratio: small archives of text are dense. */
const ratioFreeBytes = 64 * 1024 * 1024;

/**
 * Reads a tar or tar.gz to its end and checks every header; file data is skipped, so memory stays flat but for the
 * names. Meant as a second reader beside the one that stores the bytes. On failure `stream` is destroyed.
 * @throws `invalid-context`, `too-large`; the signal's reason when it aborts; the stream's own error when it breaks.
 */
export async function inspectArchive(
  stream: Readable,
  limits: ContextLimits,
  signal?: AbortSignal,
): Promise<Inspection> {
  const stop = (): void => void stream.destroy(asError(signal?.reason));
  signal?.addEventListener('abort', stop, { once: true });
  try {
    signal?.throwIfAborted();
    return await inspect(stream, limits);
  } catch (error) {
    signal?.throwIfAborted();
    throw toContextFailure(error);
  } finally {
    signal?.removeEventListener('abort', stop);
    if (!stream.readableEnded) stream.destroy();
  }
}

interface Tally {
  packed: number;
  unpacked: number;
  entries: number;
}

async function inspect(stream: Readable, limits: ContextLimits): Promise<Inspection> {
  const tally: Tally = { packed: 0, unpacked: 0, entries: 0 };
  const packed = countPacked(stream, tally, limits);
  const head = await readHead(packed);
  const compression = detectCompression(head);
  const rules = new ArchiveRules();
  const reader = new TarReader((entry) => {
    tally.entries += 1;
    if (tally.entries > limits.maxEntries) {
      throw fail('too-large', `the archive has more than the ${String(limits.maxEntries)} entries allowed`);
    }
    rules.add(entry);
  });
  const bytes = join(head, packed);
  for await (const chunk of compression === 'gzip' ? gunzip(bytes) : bytes) {
    tally.unpacked += chunk.length;
    checkUnpacked(tally, limits);
    reader.write(chunk);
  }
  reader.end();
  rules.finish();
  if (tally.entries === 0) throw fail('invalid-context', 'the archive is empty');
  return {
    compression,
    entries: tally.entries,
    packedBytes: tally.packed,
    unpackedBytes: tally.unpacked,
    hasFile: (path) => rules.hasFile(path),
  };
}

async function* countPacked(stream: Readable, tally: Tally, limits: ContextLimits): AsyncGenerator<Buffer, void> {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    tally.packed += chunk.length;
    if (tally.packed > limits.maxBytes) {
      throw fail('too-large', `the archive is larger than the ${String(limits.maxBytes)} bytes allowed`);
    }
    yield chunk;
  }
}

/** The first block, or all there is when that is less. */
async function readHead(bytes: AsyncGenerator<Buffer, void>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let have = 0; have < 512;) {
    const next = await bytes.next();
    if (next.done === true) break;
    parts.push(next.value);
    have += next.value.length;
  }
  return Buffer.concat(parts);
}

async function* join(head: Buffer, rest: AsyncGenerator<Buffer, void>): AsyncGenerator<Buffer, void> {
  yield head;
  yield* rest;
}

/** By the bytes themselves: names and content types of uploads say nothing reliable. */
function detectCompression(head: Buffer): 'none' | 'gzip' {
  if (head.length === 0) throw fail('invalid-context', 'the archive is empty: not one byte was sent');
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  const isTar =
    head.toString('latin1', 257, 262) === 'ustar' || (head.length >= 512 && head.every((byte) => byte === 0));
  if (isTar) return 'none';
  throw fail('invalid-context', 'what was sent is neither a tar nor a gzip-compressed tar archive');
}

async function* gunzip(bytes: AsyncGenerator<Buffer, void>): AsyncGenerator<Buffer, void> {
  const unpacked = createGunzip({ chunkSize: 64 * 1024 });
  // The callback only keeps the error from being uncaught; the reader below meets it as well.
  pipeline(bytes, unpacked, () => undefined);
  for await (const chunk of unpacked as AsyncIterable<Buffer>) yield chunk;
}

function checkUnpacked(tally: Tally, limits: ContextLimits): void {
  if (tally.unpacked > limits.maxUnpackedBytes) {
    throw fail('too-large', `the archive unpacks to more than the ${String(limits.maxUnpackedBytes)} bytes allowed`);
  }
  if (tally.unpacked > ratioFreeBytes && tally.unpacked > tally.packed * limits.maxRatio) {
    throw fail('invalid-context', `the archive unpacks to more than ${String(limits.maxRatio)} times its size`);
  }
}

function toContextFailure(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'Z_BUF_ERROR') {
    return fail('invalid-context', 'the archive cannot be used: it ends in the middle (was the upload cut short?)');
  }
  if (typeof code === 'string' && code.startsWith('Z_')) {
    return fail('invalid-context', 'the archive cannot be used: its gzip compression is damaged', { cause: error });
  }
  return error;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted');
}
