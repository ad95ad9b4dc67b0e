import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { fail } from '../domain/failure.ts';

/** How names are compared: without `./` in front, doubled slashes and the like. */
function normalizeName(name: string): string {
  return posix.normalize(name).replace(/^\.\//, '').replace(/^\/+/, '');
}

/** The stream's bytes, unpacked when they begin like gzip. */
export async function unpack(stream: Readable): Promise<Readable> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next();
  const all = async function* (): AsyncGenerator<Buffer> {
    for (let next = first; next.done !== true; next = await chunks.next()) yield next.value;
  };
  const bytes = Readable.from(all(), { objectMode: false });
  const isGzip = first.done !== true && first.value[0] === 0x1f && first.value[1] === 0x8b;
  if (!isGzip) return bytes;
  const gunzip = createGunzip();
  pipeline(bytes, gunzip).catch((error: unknown) => gunzip.destroy(error as Error));
  return gunzip;
}

/**
 * The texts of some files of a tar or tar.gz archive that was inspected before, by the paths as given; of several of the same name the last
 * one, as unpacking would have it. What is not there is left out. Rejects with `too-large` beyond `maxBytes`.
 */
export async function readArchiveFiles(
  stream: Readable,
  paths: readonly string[],
  maxBytes: number,
): Promise<ReadonlyMap<string, string>> {
  const wanted = new Map(paths.map((path) => [normalizeName(path), path]));
  const entries = extract();
  const unpacked = await unpack(stream);
  pipeline(unpacked, entries).catch((error: unknown) => {
    entries.destroy(error as Error);
  });
  const texts = new Map<string, string>();
  try {
    for await (const entry of entries) {
      const { name, type, size } = entry.header;
      const path = type === 'file' ? wanted.get(normalizeName(name)) : undefined;
      if (path !== undefined && size > maxBytes) {
        throw fail('too-large', `${path} has ${size} bytes; at most ${maxBytes} are read`, { field: path });
      }
      if (path !== undefined) texts.set(path, (await buffer(entry)).toString('utf8'));
      else entry.resume();
    }
  } finally {
    stream.destroy();
    unpacked.destroy();
  }
  return texts;
}

/** The text of one file of an archive, as {@link readArchiveFiles} reads it; undefined when there is none. */
export async function readArchiveFile(stream: Readable, path: string, maxBytes: number): Promise<string | undefined> {
  return (await readArchiveFiles(stream, [path], maxBytes)).get(path);
}
