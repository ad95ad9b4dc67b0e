import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { fail } from '../domain/failure.ts';
import type { Run } from '../domain/run.ts';
import type { RunCause } from '../domain/run-cause.ts';
import { leaveOutFollowed } from './followed-arguments.ts';
import type { InstallationKey } from '../secret/key-ring.ts';
import { openRequestSecrets } from './sealed-secrets.ts';
import { submitRun, type Submission, type SubmitDeps, type Submitted } from './submit.ts';

/** What a person or a program asked for. */
export interface ManualSubmission extends Omit<Submission, 'cause' | 'idempotencyKey'> {
  readonly who: string;
  /** The run that this one repeats. */
  readonly rerunOf?: string;
  /** As the caller sent it. */
  readonly idempotencyKey?: string | undefined;
}

/** Turns what a person or a program asked for into a run. */
export interface ManualTrigger {
  /**
   * Checks, stores and queues a run for `who`. With an `idempotencyKey`, a second call within 24 h comes to the same run (`created`
   * false). Rejects with `invalid-request` (the field), `conflict` (the key was used for another request), `engine-unavailable`
   * (no worker can build) or `redis-unavailable`; nothing was queued then.
   */
  submit(submission: ManualSubmission): Promise<{ run: Run; created: boolean }>;
}

/** A name for the pair of caller and key that no other pair has. */
export function scopeKey(who: string, key: string | undefined): string | undefined {
  if (key === undefined) return undefined;
  return createHash('sha256')
    .update(JSON.stringify([who, key]))
    .digest('hex');
}

/** Compares with what the key stood for; secrets can be compared as long as the run is not over. */
function checkSameRequest({ run, masked, secrets }: Submitted, key: InstallationKey): void {
  const earlier = run.sealedSecrets === undefined ? undefined : openRequestSecrets(key, run.sealedSecrets);
  const isSameSecrets = earlier === undefined || isDeepStrictEqual(toPlain(earlier), toPlain(secrets));
  // A tag that is followed may have become a newer one between the two calls.
  const [before, now] = leaveOutFollowed(run.request, masked);
  if (isSameSecrets && isDeepStrictEqual(toPlain(before), toPlain(now))) return;
  throw fail('conflict', `this Idempotency-Key was used for another request, which made run ${run.runId}`, {
    field: 'Idempotency-Key',
    hint: 'use a new key for each new request',
  });
}

/** A value as it is after a round trip through JSON, which is how stores keep it. */
function toPlain(value: object): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

/** Makes the manual trigger: what comes through the API by hand, of a task or without one. */
export function createManualTrigger(deps: SubmitDeps): ManualTrigger {
  return {
    async submit({ who, rerunOf, idempotencyKey, ...submission }) {
      const cause: RunCause = { kind: 'manual', by: who, ...(rerunOf !== undefined && { rerunOf }) };
      const key = scopeKey(who, idempotencyKey);
      const submitted = await submitRun(deps, { ...submission, cause, idempotencyKey: key });
      const { run, created } = submitted;
      if (!created) checkSameRequest(submitted, deps.key);
      return { run, created };
    },
  };
}
