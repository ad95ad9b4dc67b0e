import { posix } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, pack, type Header } from 'tar-stream';
import { fail } from '../../domain/failure.ts';

/** What becomes of an archive on its way. */
export interface ArchiveChange {
  /** Only what is in this folder stays, with its paths relative to it; empty: everything. */
  readonly folder: string;
  /** A file that is added at the end. */
  readonly add?: { readonly name: string; readonly text: string };
}

/** The archive itself, unpacked where it came in gzip. */
async function unpack(source: Readable): Promise<Readable> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next();
  async function* all(): AsyncGenerator<Buffer> {
    for (let next = first; next.done !== true; next = await chunks.next()) yield next.value;
  }
  const whole = Readable.from(all(), { objectMode: false });
  const isGzip = first.done !== true && first.value[0] === 0x1f && first.value[1] === 0x8b;
  if (!isGzip) return whole;
  const plain = createGunzip();
  pipeline(whole, plain).catch((error: unknown) => plain.destroy(error as Error));
  return plain;
}

/** The path inside `folder`; undefined for what is not in it, and for the folder itself. */
function pathBelow(name: string, folder: string): string | undefined {
  const path = posix.relative(folder, posix.normalize(name).replace(/^\/+/, ''));
  return path === '' || path === '..' || path.startsWith('../') ? undefined : path;
}

/** The entry as it is called in the part of the archive; undefined when it is not in it. */
function moveEntry(header: Header, folder: string): Header | undefined {
  const name = pathBelow(header.name, folder);
  if (name === undefined) return undefined;
  const { pax, ...rest } = header as Header & { pax?: Record<string, string> | null };
  const kept = Object.entries(pax ?? {}).filter(([key]) => key.startsWith('SCHILY.xattr.'));
  const moved = { ...rest, name, ...(kept.length > 0 && { pax: Object.fromEntries(kept) }) };
  if (header.type !== 'link') return moved;
  const target = pathBelow(header.linkname, folder);
  if (target !== undefined) return { ...moved, linkname: target };
  throw fail('invalid-context', `${header.name} is a hard link to a file outside the context`);
}

/** Rewrites a tar archive (plain or gzip) while it is read; whatever breaks on the way breaks the result. */
export async function changeArchive(source: Readable, { folder, add }: ArchiveChange): Promise<Readable> {
  const [entries, kept, output] = [extract(), pack(), new PassThrough()];
  const plain = await unpack(source);
  let found = folder === '';
  const copy = async (): Promise<void> => {
    for await (const entry of entries) {
      const header = moveEntry(entry.header, folder);
      found ||= header !== undefined || posix.normalize(`${entry.header.name}/`) === `${folder}/`;
      if (header) await pipeline(entry, kept.entry(header));
      else entry.resume();
    }
    if (!found) throw fail('invalid-context', `there is no folder ${folder} in the context`);
    if (add) kept.entry({ name: add.name, mtime: new Date(0) }, add.text);
    kept.finalize();
  };
  for (const part of [pipeline(plain, entries), copy(), pipeline(kept, output)]) {
    part.catch((error: unknown) => output.destroy(error as Error));
  }
  return output;
}
