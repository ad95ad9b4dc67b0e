import { posix } from 'node:path';
import { fail } from '../../domain/failure.ts';
import type { BuildStep } from '../../domain/step.ts';
import type { Context } from '../../source/ports.ts';

/** The directory that the steps of a run share (acr-tasks.md §2.4). */
const workspace = '/workspace';
const maxBytes = 1024 * 1024;

/** A Dockerfile of a task's context. */
export interface FoundDockerfile {
  /** Its path, for people. */
  readonly path: string;
  readonly text: string;
}

/** Opens a context that a step names itself. */
export type OpenRemote = (url: string) => Promise<Context>;

/** A path in the context, relative to it. @throws `invalid-request` when it leaves the context. */
function pathInContext(directory: string, path: string): string {
  const relative = posix.relative(workspace, posix.resolve(workspace, directory, path));
  if (relative !== '..' && !relative.startsWith('../')) return relative;
  throw fail('invalid-request', `${path} is outside the context`);
}

/** Where a step's Dockerfile may be; without a name of its own, the front end takes a small initial too. */
function candidates({ context, dockerfile, workingDirectory }: BuildStep): readonly string[] {
  if (context.kind !== 'local') return dockerfile === undefined ? ['Dockerfile', 'dockerfile'] : [dockerfile];
  if (dockerfile !== undefined) return [pathInContext(workingDirectory, dockerfile)];
  const folder = pathInContext(workingDirectory, context.path);
  return ['Dockerfile', 'dockerfile'].map((name) => posix.join(folder, name));
}

async function findIn(context: Context, paths: readonly string[]): Promise<FoundDockerfile> {
  for (const path of paths) {
    const text = await context.readFile(path, maxBytes);
    if (text !== undefined) return { path, text };
  }
  throw fail(
    'not-found',
    `${paths[0] ?? 'Dockerfile'} is not in the context; where a step makes it, the first run that succeeds tells`,
  );
}

/**
 * Reads the Dockerfile of a build step from the task's context, or from the one that the step names.
 * @throws `not-found`, `invalid-request`, and what opening and reading the context rejects with.
 */
export async function readDockerfile(
  step: BuildStep,
  context: Context | undefined,
  openRemote: OpenRemote,
): Promise<FoundDockerfile> {
  const paths = candidates(step);
  if (step.context.kind === 'local') {
    if (context === undefined) throw fail('not-found', 'the task has no context to read a Dockerfile from');
    return findIn(context, paths);
  }
  const remote = await openRemote(step.context.url);
  try {
    return await findIn(remote, paths);
  } finally {
    await remote.dispose();
  }
}
