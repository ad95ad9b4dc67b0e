import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { readArchiveFile } from './archive-file.ts';
import { openFiltered } from './filter-archive.ts';
import type { Context } from './ports.ts';

/** Makes a context of an archive that lies on the disk and was checked whole; `facts` is all else that there is to it. */
export function contextOfFile(
  file: string,
  facts: Pick<Context, 'description' | 'digest' | 'revision' | 'dispose'>,
): Context {
  const open = async (): Promise<Readable> => createReadStream(file);
  return {
    ...facts,
    open,
    openForBuild: (dockerfile) => openFiltered(open, dockerfile),
    readFile: (name, maxBytes) => readArchiveFile(createReadStream(file), name, maxBytes),
  };
}
