import type { Readable } from 'node:stream';
import { fail } from '../domain/failure.ts';
import { readArchiveFile } from './archive-file.ts';
import { openFiltered } from './filter-archive.ts';
import type { UploadLocation } from './location.ts';
import type { Context } from './ports.ts';

/** Where uploaded contexts lie; the composition root makes one of the blob store. */
export interface UploadedContexts {
  /** A fresh stream of the archive; undefined when there is no such upload (any more). */
  open(relativePath: string): Promise<Readable | undefined>;
}

/**
 * A context that a client uploaded. It was inspected when it came in, so that it is handed on without being unpacked here.
 * `open` throws `not-found` when the upload is gone.
 */
export function openUploadContext(location: UploadLocation, uploads: UploadedContexts): Context {
  const open = async (): Promise<Readable> => {
    const stream = await uploads.open(location.relativePath);
    if (stream !== undefined) return stream;
    throw fail('not-found', `there is no upload ${location.relativePath}`, {
      field: 'sourceLocation',
      hint: 'uploads are kept for a limited time: upload the context again',
    });
  };
  return {
    description: `upload ${location.relativePath}`,
    open,
    openForBuild: (dockerfile) => openFiltered(open, dockerfile),
    readFile: async (path, maxBytes) => readArchiveFile(await open(), path, maxBytes),
    dispose: async () => undefined,
  };
}
