import type { Request, RequestHandler } from 'express';
import { fail } from '../../domain/failure.ts';
import { createManualTrigger } from '../../trigger/manual.ts';
import { callerOf } from '../middleware/authenticate.ts';
import type { AppOptions } from '../options.ts';
import { createPlanCheck } from '../plan-check.ts';
import { createRunRequestParser } from '../run-request.ts';
import { sendRun } from './runs.ts';

type Options = Pick<
  AppOptions,
  'checkLocation' | 'clock' | 'config' | 'hasUpload' | 'key' | 'log' | 'queue' | 'signer' | 'store'
>;

function readIdempotencyKey(request: Request): string | undefined {
  const key = request.get('idempotency-key')?.trim();
  if (key === undefined || /^[\x20-\x7e]{1,200}$/.test(key)) return key;
  throw fail('invalid-request', 'Idempotency-Key must be 1 to 200 printable ASCII characters', {
    field: 'Idempotency-Key',
  });
}

/** `POST …/scheduleRun` with a run request; answers with the run's document. `Idempotency-Key` makes repeating it harmless. */
export function createScheduleHandler(options: Options): RequestHandler {
  const parse = createRunRequestParser();
  const trigger = createManualTrigger({
    runs: options.store.runs,
    queue: options.queue,
    workers: options.store.workers,
    key: options.key,
    checkPlan: createPlanCheck(options.config.registryHost),
    checkLocation: options.checkLocation,
    hasUpload: options.hasUpload,
    onWarning: (message, error) => {
      options.log.warn({ err: error }, message);
    },
  });
  return async (request, response) => {
    const key = readIdempotencyKey(request);
    const { run } = await trigger.submit(parse(request.body), callerOf(response).name, key);
    await sendRun(options, run, response);
  };
}
