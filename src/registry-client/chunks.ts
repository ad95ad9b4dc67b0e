import type { Caller } from './caller.ts';
import { headerOf } from './headers.ts';
import type { AnswerHeaders } from './ports.ts';
import { mayPass, misbehaves, RegistryRefusal } from './refusal.ts';
import { discard } from './small-body.ts';
import { closingOf, sessionOf, type SentBlob } from './upload-session.ts';

interface ChunkedUpload {
  readonly repository: string;
  readonly session: string;
  readonly blob: SentBlob;
  readonly chunkBytes: number;
  /** With what the registry began the upload. */
  readonly begun: AnswerHeaders;
}

/** A registry that wants larger parts than that gets none: they are held in memory. */
const maxChunkBytes = 64 * 1024 * 1024;
const mostTries = 4;

function chunkSize(caller: Caller, { chunkBytes, begun }: ChunkedUpload): number {
  const least = Number(headerOf(begun, 'oci-chunk-min-length') ?? 0) || 0;
  if (least > maxChunkBytes) throw misbehaves(caller.registry, `wants parts of ${String(least)} bytes`);
  return Math.max(chunkBytes, least);
}

/** Gathers a stream into parts of one size; the last one may be shorter. */
async function* partsOf(stream: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let kept: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    let rest = chunk;
    while (bytes + rest.length >= size) {
      const taken = rest.subarray(0, size - bytes);
      yield Buffer.concat([...kept, taken]);
      [kept, bytes, rest] = [[], 0, rest.subarray(taken.length)];
    }
    if (rest.length > 0) kept.push(rest);
    bytes += rest.length;
  }
  if (bytes > 0) yield Buffer.concat(kept);
}

/** How many bytes a registry has, by `Range: 0-<last>` (distribution-spec, "Pushing a blob in chunks"); nothing is said of none. */
function offsetOf(headers: AnswerHeaders): number {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headerOf(headers, 'range') ?? '')?.[1];
  return last === undefined || last === '0' ? 0 : Number(last) + 1;
}

function mayGoOn(error: unknown): boolean {
  if (!(error instanceof RegistryRefusal)) return false;
  const { status } = error;
  return status === undefined ? mayPass(error) : status === 416 || status === 429 || status >= 500;
}

/** The session of one upload, which moves on with each part. */
class Session {
  readonly #caller: Caller;
  readonly #repository: string;
  #url: string;
  #offset = 0;

  constructor(caller: Caller, repository: string, url: string) {
    this.#caller = caller;
    this.#repository = repository;
    this.#url = url;
  }

  /** Sends a part; asks how much of it is there when that fails, and sends the rest. */
  async send(part: Buffer): Promise<void> {
    const begin = this.#offset;
    for (let tries = 1; ; tries += 1) {
      try {
        if (tries > 1) await this.#look(begin, part.length);
        await this.#patch(part.subarray(this.#offset - begin));
        return;
      } catch (error) {
        this.#caller.signal?.throwIfAborted();
        if (tries === mostTries || !mayGoOn(error)) throw error;
        await this.#caller.pause(tries);
      }
    }
  }

  async close(digest: SentBlob['digest']): Promise<void> {
    const path = closingOf(this.#url, digest);
    await this.#caller.read({ method: 'PUT', repository: this.#repository, path, rights: 'push' }, [201]);
  }

  async #patch(bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return;
    const end = this.#offset + bytes.length;
    const headers = {
      'content-type': 'application/octet-stream',
      'content-range': `${String(this.#offset)}-${String(end - 1)}`,
    };
    const call = { method: 'PATCH', path: this.#url, headers, body: bytes, rights: 'push', isOnce: true } as const;
    const answer = await this.#caller.expect({ ...call, repository: this.#repository }, [202]);
    discard(answer);
    this.#url = sessionOf(this.#caller, this.#repository, answer.headers);
    this.#offset = end;
  }

  async #look(begin: number, length: number): Promise<void> {
    const call = { method: 'GET', repository: this.#repository, path: this.#url, rights: 'push' } as const;
    const { headers } = await this.#caller.read(call, [204]);
    if (headerOf(headers, 'location') !== undefined) this.#url = sessionOf(this.#caller, this.#repository, headers);
    const offset = offsetOf(headers);
    if (offset < begin || offset > begin + length)
      throw misbehaves(this.#caller.registry, 'has lost parts of an upload');
    this.#offset = offset;
  }
}

/** Sends a blob in parts; a part that fails is gone on with where the registry says. Rejects as `uploadBlob` does. */
export async function sendChunks(caller: Caller, upload: ChunkedUpload): Promise<void> {
  const session = new Session(caller, upload.repository, upload.session);
  const stream = await upload.blob.open();
  try {
    for await (const part of partsOf(stream as AsyncIterable<Buffer>, chunkSize(caller, upload)))
      await session.send(part);
  } finally {
    stream.destroy();
  }
  await session.close(upload.blob.digest);
}
