import type { RequestHandler } from 'express';
import type { Run } from '../../domain/run.ts';
import { scopeKey } from '../../trigger/manual.ts';
import { createFollowed } from '../../patch/graph/followed-tags.ts';
import { repeatRun, type RerunTask } from '../../trigger/rerun.ts';
import { submitRun } from '../../trigger/submit.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { createBodyCheck } from '../schema.ts';
import { createSubmitDeps, type SubmitOptions } from '../submit-deps.ts';
import { findRun } from './run-lookup.ts';
import { sendRun } from './runs.ts';
import { readIdempotencyKey } from './schedule.ts';
import { openTask } from './task-lookup.ts';

/** The run's task as it is now; undefined for a quick run, or when the task is gone. */
async function findTaskOf(run: Run, { store, key }: SubmitOptions): Promise<RerunTask | undefined> {
  const task = run.task === undefined ? undefined : await store.tasks.get(run.task);
  if (task === undefined) return undefined;
  const followed = await createFollowed(store.baseImages)(task);
  return { step: task.step, secrets: openTask(key, task).secrets, followed };
}

/**
 * `POST …/runs/{id}/rerun`: runs again what is over, as it was, or with `{"fromFailed": true}` from where it failed; answers with the new
 * run's document. 409 for a run that is not over, whose secrets are gone, or that left nothing to go on from. `Idempotency-Key` makes repeating the call harmless.
 */
export function createRerunHandler(options: SubmitOptions): RequestHandler {
  const check = createBodyCheck('api/rerun');
  const deps = createSubmitDeps(options);
  return async (request, response) => {
    const { fromFailed = false } = check(request.body ?? {}) as { readonly fromFailed?: boolean };
    const run = await findRun(request, options.store);
    const who = callerOf(response).name;
    const key = readIdempotencyKey(request);
    const idempotencyKey = scopeKey(who, key && `rerun ${run.runId}${fromFailed ? ' from failed' : ''} ${key}`);
    const hasPlan = fromFailed && (await options.store.runs.findPlan(run.runId)) !== undefined;
    const submission = repeatRun(run, { who, fromFailed, hasPlan }, await findTaskOf(run, options));
    const { run: made } = await submitRun(deps, { ...submission, idempotencyKey });
    await sendRun(options, made, response);
  };
}
