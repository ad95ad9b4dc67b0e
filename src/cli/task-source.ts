import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fail } from '../domain/failure.ts';
import { findIgnoreRules } from '../source/context-files.ts';
import type { IgnoreState } from '../source/dockerignore.ts';
import { locateFile, openDirectory, pathInside, resolveContext, type Context, type Folder } from './context.ts';
import type { CliIo } from './io.ts';
import { createOneStepTask } from './one-step-task.ts';

/** A task file and its values file: both by their paths in the context, or both as texts. */
export interface TaskFiles {
  readonly kind: 'path' | 'text';
  readonly task: string;
  readonly values?: string;
}

/** What a task run reads: its context, if any, and its task file. */
export interface TaskSource {
  readonly context: Context | undefined;
  readonly task: TaskFiles;
}

/** What the command line says of it. */
export interface TaskSourceWish {
  /** `-f`; `-` is stdin. */
  readonly file?: string | undefined;
  readonly values?: string | undefined;
  /** `--cmd`: the one step of a task without a file. */
  readonly cmd?: string | undefined;
  /** For the one step. */
  readonly timeoutSeconds?: number | undefined;
  /** Whether a folder is compressed when it is sent. */
  readonly compress: boolean;
}

const defaultFile = 'acb.yaml';
const maxFileBytes = 256 * 1024;
const noContext = '/dev/null';

function checkSize(bytes: number, name: string): void {
  if (bytes > maxFileBytes) throw fail('too-large', `${name} is larger than ${maxFileBytes / 1024} KiB`);
}

async function readStdin({ stdin }: CliIo): Promise<string> {
  if (stdin.isTTY === true) {
    const hint = 'Pipe a task in: slipway run -f - < task.yaml';
    throw fail('invalid-request', '-f - reads the task from stdin, which is a terminal', { field: '--file', hint });
  }
  const content = await text(stdin);
  checkSize(Buffer.byteLength(content), 'the task on stdin');
  return content;
}

/** A file that the command line names, and the flag that does. */
const taskFile = { what: 'task file', field: '--file' };
const valuesFile = { what: 'values file', field: '--values' };

function missing(name: string, { what, field }: typeof taskFile): Error {
  const hint =
    name === defaultFile ? 'Name the task file with -f, or a command with --cmd.' : 'Paths count from the context.';
  return fail('invalid-request', `there is no ${what} ${name}, neither in the context nor here`, { field, hint });
}

/** A file's text, looked for in a folder and then in the current directory. */
async function readLocal(io: CliIo, root: string, name: string, kind: typeof taskFile): Promise<string> {
  const path = await locateFile(io, root, name);
  if (path === undefined) throw missing(name, kind);
  checkSize((await stat(path)).size, `the ${kind.what} ${name}`);
  return readFile(path, 'utf8');
}

/** The task and its values as texts, which is how they travel when the context does not hold them. */
async function readTexts(io: CliIo, root: string, wish: TaskSourceWish): Promise<TaskFiles> {
  const { file = defaultFile, values, cmd, timeoutSeconds } = wish;
  const readTask = (): Promise<string> => (file === '-' ? readStdin(io) : readLocal(io, root, file, taskFile));
  return {
    kind: 'text',
    task: cmd === undefined ? await readTask() : createOneStepTask(cmd, timeoutSeconds),
    ...(values !== undefined && { values: await readLocal(io, root, values, valuesFile) }),
  };
}

/** A file's path in what is sent of a folder; undefined when it lies elsewhere, or `.dockerignore` keeps it back. */
export async function findSent({ root, dockerfile }: Folder, path: string): Promise<string | undefined> {
  const inside = pathInside(root, path);
  const ignore = inside === undefined ? undefined : await findIgnoreRules(root, dockerfile);
  if (inside === undefined || ignore === undefined) return inside;
  let state: IgnoreState | undefined;
  const parts = inside.split('/');
  for (const at of parts.keys()) state = ignore.rules.judge(parts.slice(0, at + 1).join('/'), state);
  return state?.isIgnored === true ? undefined : inside;
}

/** The paths of both files in what is sent of a folder; undefined when one of them is not in it. */
async function findPaths(
  io: CliIo,
  root: string,
  wish: TaskSourceWish,
  dockerfile: string | undefined,
): Promise<TaskFiles | undefined> {
  const { file = defaultFile, values } = wish;
  if (file === '-' || wish.cmd !== undefined) return undefined;
  const find = async (name: string): Promise<string | undefined> => {
    const path = await locateFile(io, root, name);
    return path === undefined ? undefined : findSent({ root, dockerfile }, path);
  };
  const task = await find(file);
  const valuesPath = values === undefined ? undefined : await find(values);
  if (task === undefined || (values !== undefined && valuesPath === undefined)) return undefined;
  return { kind: 'path', task, ...(valuesPath !== undefined && { values: valuesPath }) };
}

async function readDirectory(io: CliIo, root: string, wish: TaskSourceWish): Promise<TaskSource> {
  // A Dockerfile that .dockerignore names is left out of images, and is still needed to build them.
  const hasDockerfile = await stat(join(root, 'Dockerfile'))
    .then((found) => found.isFile())
    .catch(() => false);
  const dockerfile = hasDockerfile ? 'Dockerfile' : undefined;
  const task = (await findPaths(io, root, wish, dockerfile)) ?? (await readTexts(io, root, wish));
  return {
    task,
    context: openDirectory(root, { gzip: wish.compress, ...(hasDockerfile && { dockerfile: 'Dockerfile' }) }),
  };
}

/**
 * A context that is not looked into here: `-f` is a path in it, unless it is stdin, an absolute path or one that leads out of it, which
 * only files of this machine have.
 */
function isLocalName({ file = defaultFile, cmd }: TaskSourceWish): boolean {
  return cmd !== undefined || file === '-' || isAbsolute(file) || file.split('/').includes('..');
}

/**
 * Finds a run's context and its task file. In a folder, files count from the folder and else from the current directory; what is not sent
 * with the context is sent with the request.
 * @throws `invalid-request` naming what is not there, `too-large` for a task or values file over 256 KiB.
 */
export async function findTaskSource(io: CliIo, word: string, wish: TaskSourceWish): Promise<TaskSource> {
  if (wish.cmd !== undefined && wish.file !== undefined)
    throw fail('invalid-request', '--cmd and -f exclude each other', { field: '--cmd' });
  if (word === '-' && wish.file === '-')
    throw fail('invalid-request', 'the context and the task cannot both come from stdin', { field: '--file' });
  if (word === noContext) return { context: undefined, task: await readTexts(io, io.cwd, wish) };
  const found = await resolveContext(io, word);
  if (found.kind === 'directory') return readDirectory(io, found.path, wish);
  if (isLocalName(wish)) return { context: found, task: await readTexts(io, io.cwd, wish) };
  const { file = defaultFile, values } = wish;
  return { context: found, task: { kind: 'path', task: file, ...(values !== undefined && { values }) } };
}
