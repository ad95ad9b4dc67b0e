import { lstat, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { fail } from '../domain/failure.ts';
import { parseDockerignore, type IgnoreRules } from './dockerignore.ts';

const maxIgnoreBytes = 1024 * 1024;

/**
 * The real path of a context directory.
 * @throws `invalid-request` when it does not exist or is no directory.
 */
export async function openRoot(root: string): Promise<string> {
  const real = await realpath(root).catch(() => undefined);
  const field = 'sourceLocation';
  if (real === undefined) throw fail('invalid-request', `the context directory ${root} does not exist`, { field });
  if ((await lstat(real)).isDirectory()) return real;
  throw fail('invalid-request', `the context ${root} is no directory`, { field });
}

/**
 * The Dockerfile's name relative to `root` (a real path). A link may lead to it, but not out of the root.
 * @throws `invalid-request` naming `dockerFilePath`.
 */
export async function findDockerfile(root: string, written: string): Promise<string> {
  const field = 'dockerFilePath';
  const name = path.posix.normalize(written).replace(/^\/+/, '');
  if (name === '..' || name.startsWith('../') || written.includes('\0')) {
    throw fail('invalid-request', `the Dockerfile ${JSON.stringify(written)} is outside the context`, { field });
  }
  if ((await realFile(root, name)) !== undefined) return name;
  throw fail('invalid-request', `there is no file ${JSON.stringify(written)} in the context`, {
    field,
    hint: 'name the Dockerfile relative to the root of the context',
  });
}

/** An ignore file and what it says. */
export interface NamedRules {
  readonly name: string;
  readonly rules: IgnoreRules;
}

/**
 * The rules of `<Dockerfile>.dockerignore` where that exists, else of `.dockerignore`; undefined without either.
 * @throws `invalid-context` when the file is malformed or larger than 1 MiB.
 */
export async function findIgnoreRules(root: string, dockerfile: string | undefined): Promise<NamedRules | undefined> {
  const own = dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`];
  for (const name of [...own, '.dockerignore']) {
    const found = await realFile(root, name);
    if (found === undefined) continue;
    if ((await lstat(found)).size > maxIgnoreBytes) throw fail('invalid-context', `${name} is larger than 1 MiB`);
    return { name, rules: parseDockerignore(await readFile(found, 'utf8'), name) };
  }
  return undefined;
}

/** The real path of a regular file inside the root; undefined when there is none, or when links lead out of the root. */
async function realFile(root: string, name: string): Promise<string | undefined> {
  const found = await realpath(path.join(root, name)).catch(() => undefined);
  if (found === undefined || !isInside(root, found)) return undefined;
  return (await lstat(found)).isFile() ? found : undefined;
}

/** True when the real path `absolute` lies below the real path `root`. */
export function isInside(root: string, absolute: string): boolean {
  return absolute.startsWith(root.endsWith('/') ? root : `${root}/`);
}
