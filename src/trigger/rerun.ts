import { fail } from '../domain/failure.ts';
import { isSameRepository } from '../domain/git-repository.ts';
import { joinSecrets } from '../domain/request-secrets.ts';
import { maskedValue, type Argument, type RunRequest } from '../domain/run-request.ts';
import { isFinal, isRunId, type Run, type RunId } from '../domain/run.ts';
import type { RunCause } from '../domain/run-cause.ts';
import type { TaskSecrets, TaskStep } from '../domain/task.ts';
import { argumentsOf, renewFollowed } from './followed-arguments.ts';
import type { Submission } from './submit.ts';

/** The run that a run with this cause repeats; undefined when it is none. */
export function repeatedBy(cause: RunCause): RunId | undefined {
  const id = 'rerunOf' in cause ? cause.rerunOf : undefined;
  return id !== undefined && isRunId(id) ? id : undefined;
}

/**
 * The cause of a run that repeats another. What a forge's event made stays one: its branch and commit are the same, its status is told to
 * the forge again, and a stranger's code gets no more rights by being run again. Everything else is now somebody's own wish.
 */
function causeOf({ cause, runId }: Run, { who, fromFailed }: RerunWish): RunCause {
  const again = { rerunOf: runId, ...(fromFailed && { fromFailed }) };
  // What looked at an image does so again, from the beginning.
  if (cause?.kind === 'scan') return { ...cause, by: who };
  if (cause?.kind !== 'source') return { kind: 'manual', by: who, ...again };
  const { fromFailed: _, ...event } = cause;
  return { ...event, ...again };
}

const hint = 'submit it again with its secrets';

/** What secrets a run had, by where they stand in its request. */
function findMasked(request: RunRequest): { readonly args: readonly string[]; readonly hosts: readonly string[] } {
  return {
    args: argumentsOf(request)
      .filter(({ isSecret }) => isSecret)
      .map(({ name }) => name),
    hosts: Object.keys(request.credentials.customRegistries),
  };
}

/** Puts the secrets of the task into the request of one of its runs; a run's own are kept only until it is over. */
function refill({ request, runId }: Run, secrets: TaskSecrets | undefined): RunRequest {
  const { args, hosts } = findMasked(request);
  const lost = (what: string): Error =>
    fail('conflict', `${what} of run ${runId} was forgotten when it ended, so it cannot be run again as it was`, {
      hint,
    });
  const arg = args.find((name) => secrets?.arguments[name] === undefined);
  if (arg !== undefined) throw lost(`the secret value ${arg}`);
  const host = hosts.find((name) => secrets?.registries[name] === undefined);
  if (host !== undefined) throw lost(`the password for ${host}`);
  return secrets === undefined ? request : joinSecrets(request, secrets);
}

/** The token for the source: the task's, where the run read the task's own repository. */
function sourceSecretOf({ request, runId }: Run, kept: RerunTask | undefined): string | undefined {
  const { sourceLocation: location } = request;
  if (location === undefined) return undefined;
  const contextPath = kept?.step.contextPath;
  const isOwn = contextPath !== undefined && isSameRepository(location, contextPath);
  const secret = isOwn ? kept?.secrets.context : undefined;
  if (secret === undefined && location.includes(maskedValue)) {
    throw fail('conflict', `the token for the source of run ${runId} was forgotten when it ended`, { hint });
  }
  return secret;
}

/** The task of the run as it is now. */
export interface RerunTask {
  readonly step: TaskStep;
  readonly secrets: TaskSecrets;
  /** Its arguments that hold the newest tags which it follows. */
  readonly followed: readonly Argument[];
}

/** How a run is to be repeated. */
export interface RerunWish {
  /** The caller. */
  readonly who: string;
  /** Only from where it failed: what had succeeded is taken over. */
  readonly fromFailed: boolean;
  /** Whether the run's plan is still kept: a worker goes on with that very plan. */
  readonly hasPlan: boolean;
}

/** A plan that is gone on with has its tags already. */
function requestOf(run: Run, { fromFailed }: RerunWish, task: RerunTask | undefined): RunRequest {
  const request = refill(run, task?.secrets);
  if (fromFailed || task === undefined) return request;
  const { step, followed } = task;
  return renewFollowed(request, followed, step.type === 'Docker' ? step.arguments : step.values);
}

/** Refuses to go on from a run that left nothing to go on from. */
function checkResumable({ runId, status, plannedAttempt }: Run, hasPlan: boolean): void {
  const whole = `run it again whole: slipway runs rerun ${runId}`;
  const refuse = (why: string): Error => fail('conflict', `run ${runId} ${why}`, { field: 'fromFailed', hint: whole });
  if (status === 'Succeeded') throw refuse('succeeded: there is no failed step to go on from');
  if (plannedAttempt === undefined) throw refuse('never got as far as its steps, so there is nothing to go on from');
  if (!hasPlan) throw refuse('ended too long ago: its plan is not kept any more (SLIPWAY_KEEP_FAILED)');
}

/**
 * Makes the submission that repeats a run as it was: the same request, and the secrets of its task and the tags that it follows as they are
 * now; from its beginning, or from where it failed.
 * @throws `conflict` when the run is not over, when secrets are gone that came with its request, and when there is nothing to go on from.
 */
export function repeatRun(run: Run, wish: RerunWish, task: RerunTask | undefined): Submission {
  if (!isFinal(run.status)) {
    throw fail('conflict', `run ${run.runId} is not over: it is ${run.status}`, {
      hint: 'cancel it first, or wait for its end',
    });
  }
  if (wish.fromFailed) checkResumable(run, wish.hasPlan);
  const sourceSecret = sourceSecretOf(run, task);
  return {
    request: requestOf(run, wish, task),
    cause: causeOf(run, wish),
    ...(sourceSecret !== undefined && { sourceSecret }),
    ...(run.task !== undefined && {
      task: { name: run.task, ...(run.maxConcurrent !== undefined && { maxConcurrentRuns: run.maxConcurrent }) },
    }),
  };
}
