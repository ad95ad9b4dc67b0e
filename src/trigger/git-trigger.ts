import { FailureError, type FailureReason } from '../domain/failure.ts';
import type { RunCause } from '../domain/run-cause.ts';
import type { SourceTrigger, Task } from '../domain/task.ts';
import type { RunQueue } from '../queue/ports.ts';
import type { Delivery, DeliveryStore, DeliveryVerdict, RunStore, TaskStore } from '../store/ports.ts';
import { decodeParsed } from './delivery-payload.ts';
import type { GitEvent } from './git/event.ts';
import { occasionOf, type ToRun } from './git/judge.ts';
import { matchTask, type FindMoved } from './git-match.ts';
import { findSource } from './git-source.ts';
import { repositoryKey } from './repository-keys.ts';
import { requestOfRun, type TaskRunDeps } from './run-of-task.ts';
import { openTaskSecrets } from './sealed-secrets.ts';
import { submitRun, type SubmitDeps } from './submit.ts';
import { cancelOlder, findObstacle, type Newcomer } from './superseded.ts';

export interface GitTriggerDeps extends SubmitDeps, TaskRunDeps {
  readonly runs: Pick<RunStore, 'create' | 'list' | 'requestCancel'>;
  readonly queue: Pick<RunQueue, 'enqueue' | 'remove'>;
  readonly tasks: Pick<TaskStore, 'get' | 'findByRepository'>;
  readonly deliveries: Pick<DeliveryStore, 'get' | 'payload' | 'finish'>;
  /** Asked for deliveries to a task's own webhook whose repository the task knows by another name. */
  readonly findMoved?: FindMoved;
}

/** Works deliveries off. */
export interface GitTrigger {
  /**
   * Makes of a delivery the runs that it starts and writes down what it came to, and why. Nothing happens for one that was worked off.
   * Doing it again after a crash comes to the same runs. Rejects where trying again later may help.
   */
  work(id: string): Promise<void>;
  /** Writes down that a delivery could not be worked off. */
  giveUp(id: string, error: Error): Promise<void>;
}

/** One event of a delivery at one task. */
interface Case {
  readonly delivery: Delivery;
  readonly event: Exclude<GitEvent, { kind: 'ping' }>;
  /** Its place in the delivery. */
  readonly at: number;
  readonly task: Task;
}

/** What is no fault of the task or the event, and may be over the next time. */
const passing: ReadonlySet<FailureReason> = new Set<FailureReason>([
  'redis-unavailable',
  'storage-unavailable',
  'internal',
]);
/** Forges tell some happenings of a pull request twice, seconds apart. */
const occasionMs = 10 * 60_000;

function causeOf({ delivery, event }: Case, trigger: SourceTrigger, toRun: ToRun) {
  const { commit, pullRequestId, branch, tag, eventType, ref, isTrusted } = toRun;
  const cause = {
    kind: 'source' as const,
    trigger: trigger.name,
    id: delivery.id,
    eventType,
    ...(commit !== undefined && { commitId: commit }),
    ...(pullRequestId !== undefined && { pullRequestId }),
    repositoryUrl: trigger.sourceRepository.repositoryUrl.split('#', 1)[0] ?? '',
    ...(branch !== undefined && { branchName: branch }),
    ...(tag !== undefined && { tagName: tag }),
    ref,
    providerType: delivery.provider,
    ...(event.sender !== undefined && { by: event.sender.name }),
    isTrusted,
  };
  return cause satisfies RunCause;
}

/**
 * What the run is known by within 24 hours: the delivery, so that a retry finds its run. A pull request's head is known by itself for some
 * minutes, because forges tell of it twice; pushes are not, because a branch may be set back and forth.
 */
function keyOf({ delivery, event, at, task }: Case): string {
  const occasion = event.kind === 'pull-request' ? occasionOf(event) : undefined;
  const isAgain = /\.r\d+$/.test(delivery.id);
  if (occasion === undefined || isAgain) return `git/${delivery.id}/${task.name.toLowerCase()}/${at}`;
  const period = Math.floor(Date.parse(delivery.receivedTime) / occasionMs);
  return `git/${event.repository.fullName}/${task.name.toLowerCase()}/${occasion}/${period}`;
}

/** The request of the event's run, with the token for where it reads. */
async function requestOf(
  { task }: Case,
  trigger: SourceTrigger,
  { deps, toRun }: { deps: GitTriggerDeps; toRun: ToRun },
) {
  const secrets = openTaskSecrets(deps.key, task.sealedSecrets);
  const { sourceLocation, token, isForeign } = findSource(task, trigger, toRun, secrets);
  const { request, sourceSecret } = await requestOfRun(deps, task, {
    ...(sourceLocation !== undefined && { sourceLocation }),
    isTrusted: toRun.isTrusted,
    withoutContextToken: isForeign,
  });
  return { request, sourceSecret: sourceSecret ?? token };
}

async function start(deps: GitTriggerDeps, one: Case, match: { trigger: SourceTrigger; toRun: ToRun }) {
  const { task, delivery } = one;
  const cause = causeOf(one, match.trigger, match.toRun);
  const newcomer: Newcomer = { task, cause, receivedTime: delivery.receivedTime };
  const obstacle = await findObstacle(deps, newcomer);
  if (obstacle !== undefined) return { task: task.name, because: obstacle };
  const submission = { ...(await requestOf(one, match.trigger, { deps, toRun: match.toRun })), cause, task };
  let { run } = await submitRun(deps, { ...submission, idempotencyKey: keyOf(one) });
  if (run.cause?.kind === 'source' && run.cause.id !== delivery.id) {
    if (run.status !== 'Canceled')
      return { task: task.name, because: `run ${run.runId} is of the same commit, told by ${run.cause.id}` };
    ({ run } = await submitRun(deps, {
      ...submission,
      idempotencyKey: `git/${delivery.id}/${task.name.toLowerCase()}`,
    }));
  }
  await cancelOlder(deps, newcomer, run);
  const { note } = match.toRun;
  return { task: task.name, runId: run.runId, ...(note !== undefined && { because: note }) };
}

async function decide(deps: GitTriggerDeps, one: Case): Promise<DeliveryVerdict> {
  const { task, event, delivery } = one;
  const { findMoved, key } = deps;
  const find = async (trigger: SourceTrigger): Promise<string | undefined> => {
    const secrets = openTaskSecrets(key, task.sealedSecrets);
    return findMoved?.(trigger.sourceRepository.repositoryUrl, secrets.context ?? secrets.sources[trigger.name]);
  };
  try {
    const match = await matchTask(task, event, delivery.hook === undefined ? undefined : find);
    return match.trigger === undefined ? { task: task.name, because: match.because } : await start(deps, one, match);
  } catch (error) {
    if (!(error instanceof FailureError) || passing.has(error.failure.reason)) throw error;
    return { task: task.name, because: `it cannot be run: ${error.failure.message}` };
  }
}

/** The task whose webhook it is, or every task that watches one of the event's addresses. */
async function findTasks(
  { tasks }: GitTriggerDeps,
  { hook }: Delivery,
  event: Case['event'],
): Promise<readonly Task[]> {
  if (hook !== undefined) {
    const task = await tasks.get(hook);
    return task === undefined ? [] : [task];
  }
  const { cloneUrls } = event.repository;
  const keys = new Set(cloneUrls.flatMap((url) => [repositoryKey(url, event.provider) ?? []]).flat());
  const lists = await Promise.all([...keys].map((key) => tasks.findByRepository(key)));
  return [...new Map(lists.flat().map((task) => [task.name, task])).values()];
}

function explainNobody({ hook }: Delivery, { repository }: Case['event']): string {
  if (hook !== undefined) return `the task ${hook} is gone`;
  if (repository.cloneUrls.length === 0)
    return 'the delivery holds no address of its repository: use the webhook of a task';
  return `no task has a source trigger for ${repository.host ?? ''}/${repository.fullName}`;
}

async function workOff(deps: GitTriggerDeps, delivery: Delivery, payload: string): Promise<void> {
  const { events, ignored } = decodeParsed(payload);
  const verdicts: DeliveryVerdict[] = [];
  const notes = [...ignored];
  for (const [at, event] of events.entries()) {
    if (event.kind === 'ping') continue;
    const tasks = await findTasks(deps, delivery, event);
    if (tasks.length === 0) notes.push(explainNobody(delivery, event));
    for (const task of tasks) verdicts.push(await decide(deps, { delivery, event, at, task }));
  }
  await deps.deliveries.finish(delivery.id, { status: 'done', verdicts, notes: [...new Set(notes)] });
}

/** Makes the trigger that works off what git forges deliver. */
export function createGitTrigger(deps: GitTriggerDeps): GitTrigger {
  const { deliveries } = deps;
  const end = (delivery: Delivery, note: string): Promise<void> =>
    deliveries.finish(delivery.id, { ...delivery, status: 'failed', notes: [...delivery.notes, note] });
  return {
    async work(id) {
      const [delivery, payload] = await Promise.all([deliveries.get(id), deliveries.payload(id)]);
      if (delivery?.status !== 'received') return;
      if (payload === undefined) await end(delivery, 'what it carried is not kept any more');
      else await workOff(deps, delivery, payload);
    },
    async giveUp(id, error) {
      const delivery = await deliveries.get(id);
      if (delivery?.status !== 'received') return;
      const known =
        error instanceof FailureError ? error.failure.message : 'an error of our own; the server log has it';
      await end(delivery, `given up: ${known}`);
    },
  };
}
