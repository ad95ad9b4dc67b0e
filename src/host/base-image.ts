import type { Readable } from 'node:stream';
import { fail } from '../domain/failure.ts';
import type { Commands } from './commands.ts';
import { collectPrograms, commonEntries, packRootFs } from './root-fs.ts';

/**
 * An image made of the host's own files: a root file system and the instructions that complete it, as
 * `POST /images/create?fromSrc=-&changes=…` of the Engine API takes them.
 */
export interface BaseImage {
  readonly tar: Readable;
  readonly changes: readonly string[];
}

/** Small programs that Dockerfiles and shells expect; those that the host lacks are left out. */
const shellPrograms = [
  'sh',
  'cat',
  'chmod',
  'chown',
  'cp',
  'env',
  'id',
  'ls',
  'ln',
  'mkdir',
  'mv',
  'rm',
  'sleep',
  'uname',
];

/** Where in an image programs of the host's shell go. */
export function locateShellPrograms(commands: Commands): Readonly<Record<string, string>> {
  const found = shellPrograms.map((name) => [name, commands.find(name)] as const);
  const present = found.filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
  return Object.fromEntries(present.map(([name, path]) => [name === 'env' ? '/usr/bin/env' : `/bin/${name}`, path]));
}

/**
 * Makes a small image with the host's own Node.js, a shell and a few basic programs, for hosts that can pull nothing.
 * The same host gives the same bytes each time.
 * @param node the host's Node.js program (`process.execPath`)
 * @throws `unsupported` where the host's programs are not for Linux.
 */
export async function createNodeBaseImage(commands: Commands, node: string): Promise<BaseImage> {
  if (process.platform !== 'linux') {
    const hint = 'Pull node:20-alpine instead, and name it with --build-arg BASE=…';
    throw fail('unsupported', 'a base image can be made of the host’s own programs on Linux only', { hint });
  }
  const programs = { '/usr/local/bin/node': node, ...locateShellPrograms(commands) };
  const entries = [...commonEntries(), ...(await collectPrograms(commands, programs))];
  const changes = [
    'ENV PATH=/usr/local/bin:/usr/bin:/bin',
    `ENV NODE_VERSION=${process.versions.node}`,
    'WORKDIR /',
    'CMD ["node"]',
  ];
  return { tar: packRootFs(entries), changes };
}
