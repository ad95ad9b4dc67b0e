import type { SubmitDeps } from '../trigger/submit.ts';
import type { AppOptions } from './options.ts';
import { createPlanCheck } from './plan-check.ts';

/** What the API makes runs with. */
export type SubmitOptions = Pick<
  AppOptions,
  'checkLocation' | 'clock' | 'config' | 'hasUpload' | 'key' | 'log' | 'notices' | 'queue' | 'signer' | 'store'
>;

/** What a trigger needs, out of what the API has. */
export function createSubmitDeps(options: SubmitOptions): SubmitDeps {
  return {
    runs: options.store.runs,
    queue: options.queue,
    notices: options.notices,
    workers: options.store.workers,
    key: options.key,
    checkPlan: createPlanCheck(options.config.registryHost),
    checkLocation: options.checkLocation,
    hasUpload: options.hasUpload,
    onWarning: (message, error) => {
      options.log.warn({ err: error }, message);
    },
  };
}
