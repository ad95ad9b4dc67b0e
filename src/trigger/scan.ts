import { fail } from '../domain/failure.ts';
import type { ScannedImage, ScanPolicy } from '../domain/registry-scan.ts';
import type { Argument, RunRequest } from '../domain/run-request.ts';
import type { Run } from '../domain/run.ts';
import type { TaskStore } from '../store/ports.ts';
import { requestOfRun, type TaskRunDeps } from './run-of-task.ts';
import { submitRun, type Submission, type SubmitDeps } from './submit.ts';

export interface ScanTriggerDeps extends SubmitDeps, TaskRunDeps {
  readonly tasks: Pick<TaskStore, 'get'>;
}

/** An image that is to be scanned. */
export interface ScanWish {
  readonly policy: ScanPolicy;
  readonly image: ScannedImage;
  /** Who asked for it; left out: it was pushed, and is scanned once by this policy, however often that is told. */
  readonly by?: string;
}

/** What a scanner's task file knows of the image as `.Values`. */
function valuesOf({ registry, repository, tag, digest }: ScannedImage): readonly Argument[] {
  const values = {
    image: `${registry}/${repository}@${digest}`,
    ...{ registry, repository, digest },
    ...(tag !== undefined && { tag }),
  };
  return Object.entries(values).map(([name, value]) => ({ name, value, isSecret: false }));
}

/** A task of one step: the scanner with its arguments, as they stand. */
function writeTask(words: string, timeout: number): string {
  const lines = words.split(/\r?\n/).map((line) => `      ${line}`);
  const step = ['  - id: scan', '    cmd: |-', ...lines, `    timeout: ${String(timeout)}`];
  return ['version: v1.1.0', 'steps:', ...step, '    disableWorkingDirectoryOverride: true', ''].join('\n');
}

function requestOfImage(
  scanner: Extract<ScanPolicy['scanner'], { image: string }>,
  { policy, image }: ScanWish,
): RunRequest {
  const words = `${scanner.image} ${scanner.arguments}`.trim();
  return {
    type: 'EncodedTaskRunRequest',
    encodedTaskContent: Buffer.from(writeTask(words, policy.timeout)).toString('base64'),
    values: valuesOf(image),
    timeout: policy.timeout,
    platform: { os: 'linux' },
    agentConfiguration: {},
    isArchiveEnabled: false,
    credentials: { sourceRegistry: { loginMode: 'Default' }, customRegistries: {} },
  };
}

type Asked = Pick<Submission, 'request' | 'sourceSecret' | 'task'>;

async function requestOfScanTask(deps: ScanTriggerDeps, name: string, wish: ScanWish): Promise<Asked> {
  const task = await deps.tasks.get(name);
  if (task === undefined) throw fail('not-found', `the scan policy names the task ${name}, which is not there`);
  if (task.status === 'Disabled' && wish.by === undefined) throw fail('conflict', `the task ${name} is disabled`);
  if (task.step.type === 'Docker')
    throw fail('invalid-request', `the task ${name} builds an image; a scan is a task file`, { field: 'task' });
  const overrides = { values: valuesOf(wish.image) };
  const { request, sourceSecret } = await requestOfRun(deps, task, { overrides });
  const timeout = wish.policy.timeout;
  return { request: { ...request, timeout }, sourceSecret, task: { name: task.name } };
}

/**
 * Makes the run that scans an image. Rejects with `invalid-request`, `not-found` or `conflict` when the policy's scanner cannot be run, with
 * `redis-unavailable`.
 */
export async function startScan(deps: ScanTriggerDeps, wish: ScanWish): Promise<Run> {
  const { policy, image, by } = wish;
  const { scanner, quarantine, failOn, updatedTime } = policy;
  const asked: Asked =
    'task' in scanner ? await requestOfScanTask(deps, scanner.task, wish) : { request: requestOfImage(scanner, wish) };
  const { run } = await submitRun(deps, {
    ...asked,
    cause: {
      kind: 'scan',
      ...{ image, scanner, quarantine },
      ...(failOn !== undefined && { failOn }),
      ...(by !== undefined && { by }),
    },
    ...(by === undefined && { idempotencyKey: `scan/${image.repository}@${image.digest}/${updatedTime}` }),
  });
  return run;
}
