import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';
import { readArchiveFiles, unpack } from './archive-file.ts';
import { parseDockerignore, type IgnoreRules, type IgnoreState } from './dockerignore.ts';

const maxIgnoreBytes = 1024 * 1024;

async function readRules(archive: Readable, dockerfile: string): Promise<IgnoreRules | undefined> {
  const names = [`${dockerfile}.dockerignore`, '.dockerignore'];
  const texts = await readArchiveFiles(archive, names, maxIgnoreBytes);
  const name = names.find((one) => texts.has(one));
  return name === undefined ? undefined : parseDockerignore(texts.get(name) ?? '', name);
}

/** Says of any path of an archive whether the rules leave it out; directories need not come before what is in them. */
function createJudge(rules: IgnoreRules, always: ReadonlySet<string>): (path: string) => boolean {
  const known = new Map<string, IgnoreState>();
  const stateOf = (path: string): IgnoreState => {
    const found = known.get(path);
    if (found) return found;
    const parent = posix.dirname(path);
    const state = rules.judge(path, parent === '.' ? undefined : stateOf(parent));
    known.set(path, state);
    return state;
  };
  return (path) => !always.has(path) && path !== '' && path !== '.' && stateOf(path).isIgnored;
}

function filter(source: Readable, isIgnored: (path: string) => boolean): Readable {
  const [entries, kept] = [extract(), pack()];
  const output = new PassThrough();
  const copy = async (): Promise<void> => {
    for await (const entry of entries) {
      const name = posix.normalize(entry.header.name).replace(/\/$/, '');
      if (isIgnored(name)) entry.resume();
      else await pipeline(entry, kept.entry(entry.header));
    }
    kept.finalize();
  };
  // Whatever breaks, the reader of the output is told.
  for (const part of [pipeline(source, entries), copy(), pipeline(kept, output)]) {
    part.catch((error: unknown) => output.destroy(error as Error));
  }
  return output;
}

async function applyRules(archive: Readable, rules: IgnoreRules | undefined, dockerfile: string): Promise<Readable> {
  if (!rules) return archive;
  const always = new Set([posix.normalize(dockerfile), '.dockerignore', `${dockerfile}.dockerignore`]);
  return filter(await unpack(archive), createJudge(rules, always));
}

/**
 * Leaves out of a tar archive (plain or gzip) what its own `.dockerignore` (or `<Dockerfile>.dockerignore`) says; the Dockerfile and the
 * ignore file stay, as docker does. `open` is called twice, since the rules may come last in the archive.
 * @throws `invalid-context` when the ignore file is malformed; what `open` rejects with.
 */
export async function openFiltered(open: () => Promise<Readable>, dockerfile = 'Dockerfile'): Promise<Readable> {
  const rules = await readRules(await open(), dockerfile);
  return applyRules(await open(), rules, dockerfile);
}

/**
 * Does the same with an archive that can be read once: it lies in `tempRoot` while it is read; no name of it is left there.
 * @throws like {@link openFiltered}.
 */
export async function filterArchive(tar: Readable, dockerfile: string, tempRoot: string): Promise<Readable> {
  const file = join(tempRoot, `archive-${randomUUID()}`);
  try {
    await pipeline(tar, createWriteStream(file, { mode: 0o600 }));
    const rules = await readRules(createReadStream(file), dockerfile);
    const source = createReadStream(file);
    await once(source, 'open');
    return await applyRules(source, rules, dockerfile);
  } finally {
    await rm(file, { force: true });
  }
}

/** {@link filterArchive} as a runner takes it. */
export function createArchiveFilter(tempRoot: string): (tar: Readable, dockerfile?: string) => Promise<Readable> {
  return (tar, dockerfile = 'Dockerfile') => filterArchive(tar, dockerfile, tempRoot);
}
