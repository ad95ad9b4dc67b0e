import { fail } from '../domain/failure.ts';
import { hasSecrets, splitSecrets, type RequestSecrets } from '../domain/request-secrets.ts';
import { laneOf, type RunCause } from '../domain/run-cause.ts';
import type { RunRequest } from '../domain/run-request.ts';
import type { Run, RunType } from '../domain/run.ts';
import type { TaskName } from '../domain/task.ts';
import type { QueuePlace, RunNotices, RunQueue } from '../queue/ports.ts';
import type { InstallationKey } from '../secret/key-ring.ts';
import type { NewRun, RunStore, WorkerBeat, WorkerDirectory } from '../store/ports.ts';
import { sealRequestSecrets } from './sealed-secrets.ts';

/** What every trigger needs to make runs. */
export interface SubmitDeps {
  readonly runs: Pick<RunStore, 'create'>;
  readonly queue: Pick<RunQueue, 'enqueue'>;
  /** Told of each run that was made. */
  readonly notices?: Pick<RunNotices, 'publish'> | undefined;
  readonly workers: Pick<WorkerDirectory, 'list'>;
  /** The installation's key: seals the request's secrets. */
  readonly key: InstallationKey;
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

/** A run to be made. */
export interface Submission {
  /** With its secrets in the clear. */
  readonly request: RunRequest;
  /** The token or `user:password` for its source, where the location does not hold it. */
  readonly sourceSecret?: string | undefined;
  readonly cause: RunCause;
  readonly task?: { readonly name: TaskName; readonly maxConcurrentRuns?: number };
  /** Two submissions with the same key within 24 h come to the same run. Its scope is the caller's to choose. */
  readonly idempotencyKey?: string | undefined;
}

/** A run that was made or found, and what its request came to: masked, and its secrets apart. */
export interface Submitted {
  readonly run: Run;
  readonly created: boolean;
  readonly masked: RunRequest;
  readonly secrets: RequestSecrets;
}

const uploadPattern = /^source\/\d{12}\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tar\.gz$/;

/** True for the relative path that came with an upload URL. */
export function isUploadPath(location: string): boolean {
  return uploadPattern.test(location);
}

/** What a run reads from; undefined for a task that comes with the request and reads nothing else. */
async function checkSource(
  deps: Pick<SubmitDeps, 'checkLocation' | 'hasUpload'>,
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

/** The name of a pool as it is kept: absent for the default one, which goes by several names. */
export function poolOf(name: string | undefined): string | undefined {
  const pool = name?.toLowerCase();
  return pool === 'default' ? undefined : pool;
}

function poolOfWorker(worker: WorkerBeat): string | undefined {
  return poolOf(worker.pool);
}

/** Refuses a pool that no worker belongs to: a person is there to be told. */
function checkPool(wanted: string | undefined, workers: readonly WorkerBeat[]): void {
  if (wanted === undefined || workers.some((worker) => poolOfWorker(worker) === wanted)) return;
  const known = [...new Set(workers.map((worker) => worker.pool))];
  throw fail('invalid-request', `there is no agent pool "${wanted}": no worker belongs to it`, {
    field: 'agentPoolName',
    hint:
      known.length > 0 ? `the pools with workers are ${known.join(', ')}` : 'start a worker with SLIPWAY_WORKER_POOL',
  });
}

/** Refuses work when every worker of its pool that is connected says that its engine is down; none at all may just be starting. */
function checkEngines(workers: readonly WorkerBeat[]): void {
  const reasons = workers.map(({ name, engine }) => (engine.ok ? undefined : `${name}: ${engine.reason}`));
  if (workers.length === 0 || reasons.includes(undefined)) return;
  throw fail('engine-unavailable', `no worker has a working container engine (${reasons.join('; ')})`, {
    hint: 'start the container engine; "slipway doctor" says what is missing',
    retryAfterSeconds: 5,
  });
}

/** What a person's run needs to be there; what happens by itself waits in the queue instead. */
async function checkWorkers({ workers }: SubmitDeps, { cause }: Submission, pool: string | undefined): Promise<void> {
  if (cause.kind !== 'manual') return;
  const all = await workers.list();
  checkPool(pool, all);
  checkEngines(all.filter((worker) => poolOfWorker(worker) === pool));
}

function runTypeOf({ request, task }: Submission): RunType {
  const isBuild = request.type === 'DockerBuildRequest';
  if (task) return isBuild ? 'AutoBuild' : 'AutoRun';
  return isBuild ? 'QuickBuild' : 'QuickRun';
}

/** What a submission comes to in the store, and its secrets apart. */
export interface PreparedRun {
  readonly wanted: NewRun;
  readonly secrets: RequestSecrets;
}

/** Takes the secrets out of a submission, and checks what it reads from. Rejects with `invalid-request` (the field). */
export async function prepareRun(
  deps: Pick<SubmitDeps, 'checkLocation' | 'hasUpload' | 'key'>,
  submission: Submission,
): Promise<PreparedRun> {
  const { request, cause, task, idempotencyKey } = submission;
  const source = await checkSource(deps, request);
  const located = source === undefined ? request : { ...request, sourceLocation: source.location };
  const { request: masked, secrets } = splitSecrets(located, submission.sourceSecret ?? source?.secret);
  const pool = poolOf(request.agentPoolName);
  const wanted = {
    runType: runTypeOf(submission),
    request: masked,
    cause,
    ...(task && { task: task.name }),
    ...(task?.maxConcurrentRuns !== undefined && { maxConcurrent: task.maxConcurrentRuns }),
    ...(pool !== undefined && { pool }),
    ...(hasSecrets(secrets) && { sealedSecrets: sealRequestSecrets(deps.key, secrets) }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  };
  return { wanted, secrets };
}

/** Where in the queue a run goes. */
export function placeOf({ pool, cause, createTime }: Run): QueuePlace {
  return { pool, lane: laneOf(cause), since: Date.parse(createTime) };
}

/**
 * Checks, stores and queues a run. Rejects with `invalid-request` (the field), for what people submit also with `engine-unavailable` (no
 * worker can build), or with `redis-unavailable`; nothing was queued then.
 */
export async function submitRun(deps: SubmitDeps, submission: Submission): Promise<Submitted> {
  await deps.checkPlan(submission.request);
  const { wanted, secrets } = await prepareRun(deps, submission);
  await checkWorkers(deps, submission, wanted.pool);
  const { run, created } = await deps.runs.create(wanted);
  await passOn(deps, run, created);
  return { run, created, masked: wanted.request, secrets };
}

async function passOn(deps: SubmitDeps, run: Run, isNew: boolean): Promise<void> {
  if (run.status === 'Queued') await enqueue(deps, run);
  if (isNew) announce(deps, run);
}

/**
 * The run is stored: it will be done even when the queue cannot be told now, because the sweeper queues what is stored and not queued.
 * To answer with an error would make the caller ask again, and so build twice.
 */
async function enqueue(deps: SubmitDeps, run: Run): Promise<void> {
  try {
    await deps.queue.enqueue(run.runId, placeOf(run));
  } catch (error) {
    deps.onWarning(`run ${run.runId} is stored but could not be queued; the sweeper will queue it`, error);
  }
}

/** Nobody waits for those who tell others: what they miss is told with the next thing that happens to the run. */
function announce({ notices, onWarning }: SubmitDeps, { runId }: Run): void {
  notices?.publish({ runId, kind: 'queued', attempt: 0 }).catch((error: unknown) => {
    onWarning(`nobody could be told that run ${runId} is queued`, error);
  });
}
