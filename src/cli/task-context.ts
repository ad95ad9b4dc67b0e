import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../domain/failure.ts';
import { findContext, locateFile, openDirectory, resolveContext, type Context } from './context.ts';
import type { CliIo } from './io.ts';
import { findSent } from './task-source.ts';
import type { StepView } from './task-types.ts';

/** What one run of a task reads in place of the task's own context. */
export interface RunContext {
  readonly context: Context;
  /** The Dockerfile or task file in it, where that is not the task's own. */
  readonly file?: string;
}

export interface RunContextWish {
  /** The task's. */
  readonly step: StepView;
  /** What `-f` said. */
  readonly file: string | undefined;
  /** Whether a folder is compressed when it is sent. */
  readonly compress: boolean;
}

async function findDockerContext(
  io: CliIo,
  word: string,
  { step, file, compress }: RunContextWish,
): Promise<RunContext> {
  const own = step.dockerFilePath ?? 'Dockerfile';
  const { dockerFilePath, ...context } = await findContext(io, word, { file: file ?? own, compress });
  return { context, ...(dockerFilePath !== own && { file: dockerFilePath }) };
}

/** A task file travels in its context: a task that has none of its own would have to be another task. */
async function findTaskFile(io: CliIo, root: string, file: string, dockerfile: string | undefined): Promise<string> {
  const path = await locateFile(io, root, file);
  const sent = path === undefined ? undefined : await findSent({ root, dockerfile }, path);
  if (sent !== undefined) return sent;
  const why = path === undefined ? 'is not there' : 'lies outside the context, or .dockerignore keeps it back';
  throw fail('invalid-request', `the task file ${file} ${why}`, {
    field: '--file',
    hint: 'paths count from the context',
  });
}

/**
 * Finds the context that one run of a task reads: a folder, an archive file, an archive on stdin, or an address.
 * @throws `invalid-request` naming what is not there.
 */
export async function findRunContext(io: CliIo, word: string, wish: RunContextWish): Promise<RunContext> {
  const { step, file, compress } = wish;
  if (step.type === 'Docker') return findDockerContext(io, word, wish);
  const found = await resolveContext(io, word);
  if (found.kind !== 'directory') return { context: found, ...(file !== undefined && { file }) };
  const root = found.path;
  const hasDockerfile = (await stat(join(root, 'Dockerfile')).catch(() => undefined))?.isFile() === true;
  const dockerfile = hasDockerfile ? 'Dockerfile' : undefined;
  const context = openDirectory(root, { gzip: compress, ...(dockerfile !== undefined && { dockerfile }) });
  const own = step.taskFilePath;
  if (own === undefined) return { context };
  const taskFile = await findTaskFile(io, root, file ?? own, dockerfile);
  return { context, ...(taskFile !== own && { file: taskFile }) };
}
