import type { Request, RequestHandler } from 'express';
import { fail } from '../../domain/failure.ts';
import { createFollowed } from '../../patch/graph/followed-tags.ts';
import { createManualTrigger, type ManualSubmission } from '../../trigger/manual.ts';
import { requestOfRun } from '../../trigger/run-of-task.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { createRunRequestParser } from '../run-request.ts';
import { createSubmitDeps, type SubmitOptions } from '../submit-deps.ts';
import { createTaskRunCheck, readTaskRun, isTaskRunBody, readTaskId, taskOfRun } from '../task-run-request.ts';
import { keepUpdateToken } from '../update-token.ts';
import { sendRun } from './runs.ts';
import { requireTask } from './task-lookup.ts';

/** The key that makes repeating a call harmless. Throws `invalid-request` for what is none. */
export function readIdempotencyKey(request: Request): string | undefined {
  const key = request.get('idempotency-key')?.trim();
  if (key === undefined || /^[\x20-\x7e]{1,200}$/.test(key)) return key;
  throw fail('invalid-request', 'Idempotency-Key must be 1 to 200 printable ASCII characters', {
    field: 'Idempotency-Key',
  });
}

type Asked = Omit<ManualSubmission, 'who' | 'idempotencyKey'> & { readonly updateToken?: string };

/** Reads what is asked for: a run of its own, or one of a task, which may be disabled: that stops triggers, not people. */
function createReader(options: SubmitOptions): (body: unknown) => Promise<Asked> {
  const parse = createRunRequestParser();
  const checkTaskRun = createTaskRunCheck();
  const deps = { key: options.key, findFollowed: createFollowed(options.store.baseImages) };
  return async (body) => {
    if (!isTaskRunBody(body)) return { request: parse(body) };
    const asked = checkTaskRun(body);
    const task = await requireTask(options.store, readTaskId(asked.taskId, options.config.name));
    const { updateTriggerToken: updateToken } = asked.overrideTaskStepProperties ?? {};
    return {
      ...(await requestOfRun(deps, task, readTaskRun(asked))),
      ...{ task: taskOfRun(task), ...(updateToken !== undefined && { updateToken }) },
    };
  };
}

/** `POST …/scheduleRun` with a run request; answers with the run's document. `Idempotency-Key` makes repeating it harmless. */
export function createScheduleHandler(options: SubmitOptions): RequestHandler {
  const read = createReader(options);
  const trigger = createManualTrigger(createSubmitDeps(options));
  return async (request, response) => {
    const idempotencyKey = readIdempotencyKey(request);
    const who = callerOf(response).name;
    const { updateToken, ...asked } = await read(request.body);
    const { run } = await trigger.submit({ ...asked, who, idempotencyKey });
    if (updateToken !== undefined && asked.task) await keepUpdateToken(options, asked.task.name, updateToken);
    await sendRun(options, run, response);
  };
}
