import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { fail } from '../domain/failure.ts';
import type { Run, RunType } from '../domain/run.ts';
import { hasSecrets, splitSecrets, type RequestSecrets } from '../domain/request-secrets.ts';
import type { RunRequest } from '../domain/run-request.ts';
import type { RunQueue } from '../queue/ports.ts';
import type { RunStore, WorkerBeat, WorkerDirectory } from '../store/ports.ts';
import { openRequestSecrets, sealRequestSecrets } from './sealed-secrets.ts';

export interface ManualTriggerDeps {
  readonly runs: Pick<RunStore, 'create'>;
  readonly queue: Pick<RunQueue, 'enqueue'>;
  readonly workers: Pick<WorkerDirectory, 'list'>;
  /** The installation's key: seals the request's secrets. */
  readonly key: Buffer;
  /**
   * Plans the request, its secrets still in it, as a worker will; a task file in a context cannot be planned before. Throws, or rejects
   * with, `invalid-request` that names the field.
   */
  readonly checkPlan: (request: RunRequest) => void | Promise<void>;
  /** Splits the token off a source location. Throws `invalid-request` with field `sourceLocation`. */
  readonly checkLocation: (text: string) => { readonly location: string; readonly secret?: string };
  /** True when a context was uploaded under this relative path and is still there. */
  readonly hasUpload: (relativePath: string) => Promise<boolean>;
  /** Told of what went wrong without harm to the run: it is queued by the sweeper later. */
  readonly onWarning: (message: string, error: unknown) => void;
}

/** Turns what a person or a program asked for into a run. */
export interface ManualTrigger {
  /**
   * Checks, stores and queues a run for `who`. With an `idempotencyKey`, a second call within 24 h comes to the same run (`created`
   * false). Rejects with `invalid-request` (the field), `conflict` (the key was used for another request), `engine-unavailable`
   * (no worker can build) or `redis-unavailable`; nothing was queued then.
   */
  submit(request: RunRequest, who: string, idempotencyKey?: string): Promise<{ run: Run; created: boolean }>;
}

const uploadPattern = /^source\/\d{12}\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tar\.gz$/;

/** True for the relative path that came with an upload URL. */
export function isUploadPath(location: string): boolean {
  return uploadPattern.test(location);
}

/** What a run reads from; undefined for a task that comes with the request and reads nothing else. */
async function checkSource(
  deps: ManualTriggerDeps,
  request: RunRequest,
): Promise<{ location: string; secret?: string } | undefined> {
  if (request.sourceLocation === undefined) {
    if (request.type === 'EncodedTaskRunRequest') return undefined;
    const what = request.type === 'DockerBuildRequest' ? 'a build needs a context' : 'the task file lies in it';
    throw fail('invalid-request', `sourceLocation is missing: ${what}`, {
      field: 'sourceLocation',
      hint: 'give the relativePath of an upload (listBuildSourceUploadUrl), a git URL, or the URL of a tar archive',
    });
  }
  const source = deps.checkLocation(request.sourceLocation);
  if (isUploadPath(source.location) && !(await deps.hasUpload(source.location))) {
    throw fail('invalid-request', `nothing was uploaded to ${source.location}, or it has been removed since`, {
      field: 'sourceLocation',
      hint: 'ask for an upload URL (listBuildSourceUploadUrl), PUT the archive there, then schedule the run',
    });
  }
  return source;
}

/** Until runs are routed by pool, a name that no run would be held to is refused rather than ignored. */
function checkPool(request: RunRequest): void {
  if (request.agentPoolName === undefined || request.agentPoolName.toLowerCase() === 'default') return;
  throw fail('invalid-request', `there is no agent pool "${request.agentPoolName}"`, {
    field: 'agentPoolName',
    hint: 'leave it out: the pool "default" is the only one',
  });
}

/** Refuses work when every worker that is connected says that its engine is down; none at all may just be starting. */
function checkEngines(workers: readonly WorkerBeat[]): void {
  const reasons = workers.map(({ name, engine }) => (engine.ok ? undefined : `${name}: ${engine.reason}`));
  if (workers.length === 0 || reasons.includes(undefined)) return;
  throw fail('engine-unavailable', `no worker has a working container engine (${reasons.join('; ')})`, {
    hint: 'start the container engine; "slipway doctor" says what is missing',
    retryAfterSeconds: 5,
  });
}

/** A name for the pair of caller and key that no other pair has. */
function scopeKey(who: string, key: string | undefined): { idempotencyKey?: string } {
  if (key === undefined) return {};
  return {
    idempotencyKey: createHash('sha256')
      .update(JSON.stringify([who, key]))
      .digest('hex'),
  };
}

/** Compares with what the key stood for; secrets can be compared as long as the run is not over. */
function checkSameRequest(run: Run, masked: RunRequest, secrets: RequestSecrets, key: Buffer): void {
  const earlier = run.sealedSecrets === undefined ? undefined : openRequestSecrets(key, run.sealedSecrets);
  const isSameSecrets = earlier === undefined || isDeepStrictEqual(toPlain(earlier), toPlain(secrets));
  if (isSameSecrets && isDeepStrictEqual(toPlain(run.request), toPlain(masked))) return;
  throw fail('conflict', `this Idempotency-Key was used for another request, which made run ${run.runId}`, {
    field: 'Idempotency-Key',
    hint: 'use a new key for each new request',
  });
}

/** A value as it is after a round trip through JSON, which is how stores keep it. */
function toPlain(value: object): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

const runTypes: Readonly<Record<RunRequest['type'], RunType>> = {
  DockerBuildRequest: 'QuickBuild',
  FileTaskRunRequest: 'QuickRun',
  EncodedTaskRunRequest: 'QuickRun',
};

/** Makes the manual trigger: quick builds and task runs that come through the API. */
export function createManualTrigger(deps: ManualTriggerDeps): ManualTrigger {
  return {
    async submit(request, who, idempotencyKey) {
      checkPool(request);
      await deps.checkPlan(request);
      const source = await checkSource(deps, request);
      const located = source === undefined ? request : { ...request, sourceLocation: source.location };
      const { request: masked, secrets } = splitSecrets(located, source?.secret);
      checkEngines(await deps.workers.list());
      const { run, created } = await deps.runs.create({
        runType: runTypes[request.type],
        request: masked,
        ...(hasSecrets(secrets) && { sealedSecrets: sealRequestSecrets(deps.key, secrets) }),
        ...scopeKey(who, idempotencyKey),
      });
      if (!created) checkSameRequest(run, masked, secrets, deps.key);
      if (run.status === 'Queued') await enqueue(deps, run);
      return { run, created };
    },
  };
}

/**
 * The run is stored: it will be done even when the queue cannot be told now, because the sweeper queues what is stored and not queued.
 * To answer with an error would make the caller ask again, and so build twice.
 */
async function enqueue(deps: ManualTriggerDeps, run: Run): Promise<void> {
  try {
    await deps.queue.enqueue(run.runId);
  } catch (error) {
    deps.onWarning(`run ${run.runId} is stored but could not be queued; the sweeper will queue it`, error);
  }
}
