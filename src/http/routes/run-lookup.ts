import type { Request } from 'express';
import { fail } from '../../domain/failure.ts';
import { isRunId, type Run, type RunId } from '../../domain/run.ts';
import type { AppOptions } from '../options.ts';

function notFound(text: string): Error {
  return fail('not-found', `run ${text.slice(0, 40)} does not exist`, { hint: '"slipway runs list" shows the runs' });
}

/** The run id in a request's path (`:id`). Throws `not-found` for a text that cannot be one. */
export function readRunId(request: Request): RunId {
  const text = String(request.params['id']);
  if (!isRunId(text)) throw notFound(text);
  return text;
}

/** The run that a store's answer should have been; throws `not-found` for none. */
export function requireRun(run: Run | undefined, id: RunId): Run {
  if (run === undefined) throw notFound(id);
  return run;
}

/** The run that a request's path names. Throws `not-found`. */
export async function findRun(request: Request, store: AppOptions['store']): Promise<Run> {
  const id = readRunId(request);
  return requireRun(await store.runs.get(id), id);
}
