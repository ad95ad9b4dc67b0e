import { realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fail } from '../domain/failure.ts';
import { folderRepositoryOf, folderTag as tag } from '../domain/task-folder.ts';
import type { ApiClient } from './api-types.ts';
import { findAccount, type Cli } from './cli.ts';
import type { Folder } from './context.ts';
import { withInterrupt } from './io.ts';
import { pushFolder } from './push-folder.ts';
import type { TaskFlags } from './task-options.ts';
import { findSent } from './task-source.ts';
import { isDockerfile } from './task-step.ts';
import type { StepView } from './task-types.ts';
import { formatBytes } from './words.ts';

/** A folder of this machine that becomes a task's context. */
export interface TaskFolder {
  /** The flags, with the address under which the folder will be found. */
  readonly flags: TaskFlags;
  /** Packs the folder and pushes it there. */
  readonly send: () => Promise<void>;
}

export interface TaskFolderWish {
  readonly name: string;
  readonly flags: TaskFlags;
  /** The step that the task has so far. */
  readonly step?: StepView;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

function missing(file: string): Error {
  return fail('invalid-request', `there is no ${file} in what is sent of the folder`, {
    field: '--file',
    hint: 'paths count from the context; .dockerignore may keep it back',
  });
}

/** The Dockerfile that the task builds; undefined: it is none that builds one. */
function dockerfileOf({ flags, step }: TaskFolderWish): string | undefined {
  if (isDockerfile(flags)) return flags.file ?? 'Dockerfile';
  const stays = flags.file === undefined && flags.cmd === undefined && step?.type === 'Docker';
  return stays ? (step.dockerFilePath ?? 'Dockerfile') : undefined;
}

/** The task file in the folder; undefined: the task needs none there. */
function taskFileOf({ flags, step }: TaskFolderWish): string | undefined {
  const { file, cmd } = flags;
  return cmd !== undefined || file === '-' ? undefined : (file ?? step?.taskFilePath ?? 'acb.yaml');
}

/** What is packed. The file that the task is read from must be in it. */
async function readFolder(root: string, wish: TaskFolderWish): Promise<Folder> {
  const dockerfile = dockerfileOf(wish);
  if (dockerfile !== undefined) {
    if (await isFile(join(root, dockerfile))) return { root, dockerfile };
    throw missing(dockerfile);
  }
  const folder = { root, dockerfile: (await isFile(join(root, 'Dockerfile'))) ? 'Dockerfile' : undefined };
  const taskFile = taskFileOf(wish);
  if (taskFile === undefined) return folder;
  const path = join(root, taskFile);
  if ((await isFile(path)) && (await findSent(folder, path)) !== undefined) return folder;
  throw missing(taskFile);
}

async function send(cli: Cli, client: ApiClient, folder: Folder, place: { repository: string; address: string }) {
  const { server } = client;
  const target = { server, account: await findAccount(cli, server), repository: place.repository, tag };
  const pushed = await withInterrupt(cli.io, (signal) => pushFolder(target, folder, signal));
  cli.screen.note(`Pushed ${folder.root} as ${place.address} (${formatBytes(pushed.size)}).`);
}

/**
 * Takes `--context` for a folder of this machine, which is kept in the server's registry so that the task finds it whenever it runs. Undefined
 * where it is something else.
 * @throws `invalid-request` for a folder without the file that the task is read from, and for a token, which it has no use for.
 */
export async function findTaskFolder(
  cli: Cli,
  client: ApiClient,
  wish: TaskFolderWish,
): Promise<TaskFolder | undefined> {
  const { flags, name } = wish;
  if (flags.context === undefined || /^[a-z][a-z0-9+.-]*:\/\//i.test(flags.context)) return undefined;
  const path = resolve(cli.io.cwd, flags.context);
  if ((await stat(path).catch(() => undefined))?.isDirectory() !== true) return undefined;
  const { gitAccessToken, gitAccessTokenFile } = flags;
  if (gitAccessToken !== undefined || gitAccessTokenFile !== undefined) {
    throw fail('invalid-request', 'a folder needs no token: it is read from the registry in the box', {
      field: '--git-access-token',
    });
  }
  const folder = await readFolder(await realpath(path), wish);
  const repository = folderRepositoryOf(name);
  const address = `oci://${(await client.registry()).loginServer}/${repository}:${tag}`;
  return {
    flags: { ...flags, context: address },
    send: () => send(cli, client, folder, { repository, address }),
  };
}
