import type { Argument, RunRequest } from '../../domain/run-request.ts';
import type { Run } from '../../domain/run.ts';
import type { Task, TaskStep } from '../../domain/task.ts';

/** A step or request, in the words that both have; secrets are masked in either. */
type Reading = readonly [file: string | undefined, target: string | undefined, given: readonly Argument[]];

function readingOfStep(step: TaskStep): Reading {
  switch (step.type) {
    case 'Docker':
      return [step.dockerFilePath, step.target, step.arguments];
    case 'FileTask':
      return [step.taskFilePath, undefined, step.values];
    case 'EncodedTask':
      return [step.encodedTaskContent, undefined, step.values];
  }
}

function readingOfRequest(request: RunRequest): Reading {
  switch (request.type) {
    case 'DockerBuildRequest':
      return [request.dockerFilePath, request.target, request.arguments];
    case 'FileTaskRunRequest':
      return [request.taskFilePath, undefined, request.values];
    case 'EncodedTaskRunRequest':
      return [request.encodedTaskContent, undefined, request.values];
  }
}

const requestTypes = {
  Docker: 'DockerBuildRequest',
  FileTask: 'FileTaskRunRequest',
  EncodedTask: 'EncodedTaskRunRequest',
} as const satisfies Readonly<Record<TaskStep['type'], RunRequest['type']>>;

function sortedArguments(given: readonly Argument[]): readonly string[] {
  return given.map(({ name, value, isSecret }) => JSON.stringify([name, isSecret ? '' : value])).sort();
}

/** The same without arguments that hold tags which the task follows. */
function withoutFollowed([file, target, given]: Reading, followed: ReadonlySet<string>): Reading {
  return [file, target, given.filter(({ name }) => !followed.has(name))];
}

/** True when a run was asked for what the task itself says, and for nothing else but the tags that it follows. */
function isAsTaskSays({ request }: Run, { step }: Task): boolean {
  if (request.type !== requestTypes[step.type] || request.sourceLocation !== step.contextPath) return false;
  const asked = readingOfRequest(request);
  const followed = new Set(asked[2].filter(({ isFollowed }) => isFollowed).map(({ name }) => name));
  const [left, right] = [asked, readingOfStep(step)].map((one) => {
    const [file, target, given] = withoutFollowed(one, followed);
    return JSON.stringify([file, target, sortedArguments(given)]);
  });
  return left === right;
}

/** The branch that a context names; undefined: it names none, and is what the repository says. */
function branchOf({ step }: Task): string | undefined {
  return /#([^:#]+)/.exec(step.contextPath ?? '')?.[1]?.replace(/^refs\/heads\//, '');
}

/**
 * True when a run tells what the next one of its task will stand on: it was made by a timer, a base image, a push to the task's own branch, or
 * by people who did not ask for anything else. A pull request, a tag, and a run with overrides say that of themselves alone.
 */
export function isOwnState(run: Run, task: Task): boolean {
  const { cause } = run;
  switch (cause?.kind) {
    case undefined:
    case 'manual':
      return isAsTaskSays(run, task);
    case 'timer':
    case 'image-update':
      return true;
    case 'scan':
      return false;
    case 'source':
      return cause.eventType === 'commit' && cause.isTrusted && isOwnBranch(task, cause.branchName);
  }
}

function isOwnBranch(task: Task, branchName: string | undefined): boolean {
  const own = branchOf(task);
  return own === undefined || own === branchName;
}
