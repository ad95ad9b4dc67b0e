import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract, pack, type Header, type Pack } from 'tar-stream';
import { fail } from '../domain/failure.ts';
import { unpack } from './archive-file.ts';

/** A layer that lies on disk, checked. */
export interface StoredLayer {
  readonly path: string;
  /** The name of the file that it is; undefined: it is a tar archive, compressed or not. */
  readonly file?: string;
}

/** A name relative to the folder that is kept; undefined: it lies elsewhere. */
function place(name: string, folder: string | undefined): string | undefined {
  const plain = posix
    .normalize(name)
    .replace(/^\.?\/+/, '')
    .replace(/\/+$/, '');
  if (plain === '' || plain === '.') return undefined;
  if (folder === undefined) return plain;
  return plain.startsWith(`${folder}/`) ? plain.slice(folder.length + 1) : undefined;
}

/** What an entry is called in the folder; undefined: it is left out. Extended headers go: they would bring the old names back. */
function rename(header: Header, folder: string | undefined) {
  const name = place(header.name, folder);
  if (name === undefined) return undefined;
  const { mode, mtime, type, size } = header;
  const linkname = type === 'link' ? place(header.linkname, folder) : header.linkname;
  if (linkname === undefined)
    throw fail('invalid-context', `${header.name} is a hard link to a file outside ${folder ?? 'the artifact'}`);
  return { name, linkname, mode, mtime, type, size, uid: 0, gid: 0 };
}

async function copyArchive(path: string, folder: string | undefined, target: Pack): Promise<number> {
  const entries = extract();
  const feeding = pipeline(await unpack(createReadStream(path)), entries);
  feeding.catch((error: unknown) => entries.destroy(error as Error));
  let kept = 0;
  for await (const entry of entries) {
    const header = rename(entry.header, folder);
    if (header === undefined) {
      entry.resume();
      continue;
    }
    kept += 1;
    await pipeline(entry, target.entry(header));
  }
  await feeding;
  return kept;
}

async function copyFile({ path, file = '' }: StoredLayer, folder: string | undefined, target: Pack): Promise<number> {
  const name = place(file, folder);
  if (name === undefined) return 0;
  const { size } = await stat(path);
  await pipeline(createReadStream(path), target.entry({ name, size, mode: 0o644, mtime: new Date(0) }));
  return 1;
}

/**
 * Makes one tar archive of layers, in order: of several files of one name, the last one counts. With a folder, what is in it becomes the
 * root. The result has yet to be inspected: layers that are fit for themselves need not be so together.
 * @throws `invalid-context` for a hard link out of the folder, `invalid-request` when there is no such folder.
 */
export async function joinLayers(
  layers: readonly StoredLayer[],
  {
    folder,
    target,
    signal,
  }: { readonly folder: string | undefined; readonly target: string; readonly signal: AbortSignal },
): Promise<void> {
  const joined = pack();
  const writing = pipeline(joined, createWriteStream(target), { signal });
  writing.catch(() => undefined);
  let kept = 0;
  try {
    for (const layer of layers) {
      signal.throwIfAborted();
      kept +=
        layer.file === undefined
          ? await copyArchive(layer.path, folder, joined)
          : await copyFile(layer, folder, joined);
    }
  } catch (error) {
    joined.destroy();
    throw error;
  }
  joined.finalize();
  await writing;
  if (kept > 0 || folder === undefined) return;
  throw fail('invalid-request', `the folder ${JSON.stringify(folder)} does not exist in the artifact`, {
    field: 'sourceLocation',
  });
}
