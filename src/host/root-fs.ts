import { createReadStream, existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack, type Pack } from 'tar-stream';
import { fail } from '../domain/failure.ts';
import type { Commands } from './commands.ts';

/** One thing in a root file system; `path` is absolute there. Directories above it need no entry of their own. */
export type RootEntry =
  | { readonly kind: 'file'; readonly path: string; readonly source: string; readonly mode?: number }
  | { readonly kind: 'text'; readonly path: string; readonly text: string; readonly mode?: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'directory'; readonly path: string; readonly mode?: number };

/**
 * The shared libraries that a program loads, as absolute paths, its loader included (ldd(1)); none for a static one.
 */
export async function listLibraries(commands: Commands, program: string): Promise<readonly string[]> {
  const { stdout, stderr, code } = await commands.run('ldd', [program]);
  if (/not a dynamic executable|not a valid dynamic program/i.test(stdout + stderr)) return [];
  if (code !== 0) throw fail('unsupported', `the libraries of ${program} cannot be listed: ${stderr.trim()}`);
  return parseLibraries(stdout);
}

/** Reads `name => /path (0x…)` and `/path (0x…)` lines; libraries that were not found are left out. */
export function parseLibraries(text: string): readonly string[] {
  const paths = text.split('\n').map((line) => /^\s*(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/.exec(line.trimEnd())?.[1]);
  return [...new Set(paths.filter((path) => path !== undefined))];
}

/** Older C libraries look names up by libraries that they load by name, which no list of needed ones shows. */
const nameServices = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'];

/** Programs of the host at their places in a root file system (place → source), with the libraries that they need. */
export async function collectPrograms(
  commands: Commands,
  programs: Readonly<Record<string, string>>,
): Promise<readonly RootEntry[]> {
  const entries: RootEntry[] = [];
  const libraries = new Set<string>();
  for (const [path, source] of Object.entries(programs)) {
    entries.push({ kind: 'file', path, source: realpathSync(source), mode: 0o755 });
    for (const library of await listLibraries(commands, source)) libraries.add(library);
  }
  for (const library of [...libraries]) {
    if (!basename(library).startsWith('libc.so')) continue;
    const beside = nameServices.map((name) => join(dirname(library), name));
    for (const one of beside.filter((path) => existsSync(path))) libraries.add(one);
  }
  const files = [...libraries].map(
    (path) => ({ kind: 'file', path, source: realpathSync(path), mode: 0o755 }) as const,
  );
  return [...entries, ...files];
}

/** A directory of the host with everything below it, links followed. */
export function collectTree(source: string, path: string): readonly RootEntry[] {
  return readdirSync(source).flatMap((name) => {
    const [from, to] = [join(source, name), `${path}/${name}`];
    const stat = statSync(from);
    if (stat.isDirectory()) return collectTree(from, to);
    return [{ kind: 'file', path: to, source: from, mode: stat.mode & 0o111 ? 0o755 : 0o644 }] as const;
  });
}

/** What programs expect of any root file system: users, name look-up, a temporary directory, certificates. */
export function commonEntries(): readonly RootEntry[] {
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  const hasCertificates = existsSync(certificates);
  return [
    {
      kind: 'text',
      path: '/etc/passwd',
      text: 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000:node:/home/node:/bin/sh\n',
    },
    { kind: 'text', path: '/etc/group', text: 'root:x:0:\nnode:x:1000:\n' },
    { kind: 'text', path: '/etc/nsswitch.conf', text: 'hosts: files dns\n' },
    { kind: 'directory', path: '/tmp', mode: 0o1777 },
    { kind: 'directory', path: '/root', mode: 0o700 },
    { kind: 'directory', path: '/home/node' },
    ...(hasCertificates ? ([{ kind: 'file', path: certificates, source: realpathSync(certificates) }] as const) : []),
  ];
}

function withParents(entries: readonly RootEntry[]): readonly RootEntry[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    for (let parent = dirname(path); parent !== '/'; parent = dirname(parent)) {
      if (!byPath.has(parent)) byPath.set(parent, { kind: 'directory', path: parent });
    }
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function writeEntry(tar: Pack, entry: RootEntry): Promise<void> {
  const header = { name: entry.path.slice(1), mtime: new Date(0), uid: 0, gid: 0 };
  switch (entry.kind) {
    case 'directory':
      tar.entry({ ...header, type: 'directory', mode: entry.mode ?? 0o755 });
      return;
    case 'link':
      tar.entry({ ...header, type: 'symlink', linkname: entry.target, mode: 0o777 });
      return;
    case 'text':
      tar.entry({ ...header, mode: entry.mode ?? 0o644 }, entry.text);
      return;
    case 'file': {
      const sink = tar.entry({ ...header, mode: entry.mode ?? 0o644, size: statSync(entry.source).size });
      await pipeline(createReadStream(entry.source), sink);
    }
  }
}

/** A tar stream of a root file system: sorted, owned by root, times zero, so that the same files give the same bytes. */
export function packRootFs(entries: readonly RootEntry[]): Readable {
  const tar = pack();
  const write = async (): Promise<void> => {
    for (const entry of withParents(entries)) await writeEntry(tar, entry);
    tar.finalize();
  };
  write().catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  // tar-stream's streams are not Node's own class.
  return Readable.from(tar, { objectMode: false });
}
