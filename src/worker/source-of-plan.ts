import { fail } from '../domain/failure.ts';
import type { RunId } from '../domain/run.ts';
import type { Context } from '../source/ports.ts';
import type { Resumption } from './resume.ts';
import { openContext, type Work, type WorkRunOptions } from './work.ts';

/** What tells which state of its source a context is; undefined where its location alone tells. */
export function sourceOf(context: Context | undefined): string | undefined {
  return context?.commit ?? context?.digest;
}

/** A context whose files are in the workspace already: it says which commit they are of. */
function describeWorkspace(from: RunId, commit: string): Context {
  const refuse = async (): Promise<never> => {
    throw fail('internal', 'the files of the context are in the workspace');
  };
  return {
    description: `the workspace of run ${from}`,
    commit,
    open: refuse,
    readFile: refuse,
    dispose: async () => {},
  };
}

const commitPattern = /^[0-9a-f]{40,64}$/;
/** Of an artifact in a registry. */
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** What is kept of a source, where it is of this kind. */
function ofKind(source: string | undefined, kind: RegExp): string | undefined {
  return source !== undefined && kind.test(source) ? source : undefined;
}

/**
 * Opens the context of a run that goes on from another, at the commit or digest that the other one had; undefined when nothing that is still
 * to be run reads it. Rejects with `source-unavailable` when the source gives something else now.
 */
export async function reopenContext(
  from: RunId,
  { kept, takenOver, workspaceOf }: Resumption,
  work: Work,
  options: WorkRunOptions,
): Promise<Context | undefined> {
  const { plan, source } = kept;
  const commit = ofKind(source, commitPattern);
  if (workspaceOf) return commit === undefined ? undefined : describeWorkspace(from, commit);
  if (plan.steps.every(({ id, kind }) => kind === 'push' || takenOver.finished.has(id))) return undefined;
  const context = await openContext(work, options, commit ?? ofKind(source, digestPattern));
  if (sourceOf(context) === source) return context;
  await context?.dispose();
  throw fail('source-unavailable', `the source gives something else now than it gave run ${from}`, {
    hint: 'run it again whole',
  });
}
