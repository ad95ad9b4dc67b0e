import { fail } from '../domain/failure.ts';
import { maskedValue, type Argument, type RunRequest } from '../domain/run-request.ts';
import type { Task, TaskSecrets, TaskStep } from '../domain/task.ts';

/** What one run of a task does otherwise than the task says (azure-api.md §6.2, `overrideTaskStepProperties`). */
export interface TaskOverrides {
  readonly contextPath?: string;
  /** The Dockerfile or task file. */
  readonly file?: string;
  readonly target?: string;
  readonly arguments?: readonly Argument[];
  readonly values?: readonly Argument[];
}

export interface TaskRunOptions {
  readonly overrides?: TaskOverrides;
  /** Arguments or values that hold the newest tags which the task follows: they count more than the task's own, less than `overrides`. */
  readonly followed?: readonly Argument[];
  /** What is read in place of the task's context: the commit of an event. */
  readonly sourceLocation?: string;
  readonly isArchiveEnabled?: boolean;
  readonly agentPoolName?: string;
  /** False: a stranger's code. The run gets no secret values, no foreign registries, and pushes nothing. Default true. */
  readonly isTrusted?: boolean;
  /** The context's token is not sent along: the source is another repository than the task's. */
  readonly withoutContextToken?: boolean;
}

/** A task's run as a request, its secrets in the clear. */
export interface TaskRun {
  readonly request: RunRequest;
  readonly sourceSecret?: string;
}

/** Both lists; of arguments with the same name, those of `over`. */
function putOver(list: readonly Argument[], over: readonly Argument[]): readonly Argument[] {
  const names = new Set(over.map(({ name }) => name));
  return [...list.filter(({ name }) => !names.has(name)), ...over];
}

/** The task's arguments with their real values; over them, by name, the tags that it follows, and over these what is asked for this run. */
function joinArguments(
  own: readonly Argument[],
  secrets: TaskSecrets['arguments'],
  over: readonly Argument[],
  { followed = [], isTrusted = true }: TaskRunOptions,
): readonly Argument[] {
  const real = own.map((one) => (one.isSecret ? { ...one, value: secrets[one.name] ?? maskedValue } : one));
  return putOver(putOver(real, followed), over).filter((one) => isTrusted || !one.isSecret);
}

function refuse(field: string, what: string): Error {
  return fail('invalid-request', `this task ${what}`, { field: `overrideTaskStepProperties.${field}` });
}

/** What an override of each kind of step must not have, and why. */
const unfit: Readonly<Record<TaskStep['type'], Readonly<Partial<Record<keyof TaskOverrides, string>>>>> = {
  Docker: { values: 'builds a Dockerfile: it takes arguments, not values' },
  FileTask: {
    arguments: 'runs a task file: it takes values, not arguments',
    target: 'runs a task file, which has no target',
  },
  EncodedTask: {
    arguments: 'runs a task file: it takes values, not arguments',
    target: 'runs a task file, which has no target',
    file: 'keeps its own task file',
  },
};

/** An override that the task's kind of step knows nothing of is a mistake, not a wish. */
function checkOverrides({ type }: TaskStep, overrides: TaskOverrides): void {
  for (const [field, what] of Object.entries(unfit[type])) {
    const given = overrides[field as keyof TaskOverrides];
    if (given !== undefined && given.length > 0) throw refuse(field, what);
  }
}

/** Without the members that are undefined. */
function given<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

type OwnPart<R extends RunRequest = RunRequest> = R extends RunRequest
  ? Omit<
      R,
      | 'isArchiveEnabled'
      | 'agentPoolName'
      | 'timeout'
      | 'platform'
      | 'agentConfiguration'
      | 'sourceLocation'
      | 'credentials'
    >
  : never;

/** The part of the request that depends on the kind of step. */
function requestOfStep(step: TaskStep, secrets: TaskSecrets, options: TaskRunOptions): OwnPart {
  const { overrides = {}, isTrusted = true } = options;
  const real = (own: readonly Argument[], over: readonly Argument[] = []): readonly Argument[] =>
    joinArguments(own, secrets.arguments, over, options);
  switch (step.type) {
    case 'Docker':
      return {
        type: 'DockerBuildRequest',
        imageNames: step.imageNames,
        noCache: step.noCache,
        isPushEnabled: step.isPushEnabled && isTrusted,
        dockerFilePath: overrides.file ?? step.dockerFilePath,
        ...given({ target: overrides.target ?? step.target }),
        arguments: real(step.arguments, overrides.arguments),
      };
    case 'FileTask':
      return {
        type: 'FileTaskRunRequest',
        taskFilePath: overrides.file ?? step.taskFilePath,
        values: real(step.values, overrides.values),
        ...given({ valuesFilePath: step.valuesFilePath }),
      };
    case 'EncodedTask':
      return {
        type: 'EncodedTaskRunRequest',
        encodedTaskContent: step.encodedTaskContent,
        values: real(step.values, overrides.values),
        ...given({ encodedValuesContent: step.encodedValuesContent }),
      };
  }
}

function credentialsOf(task: Task, secrets: TaskSecrets, isTrusted: boolean): RunRequest['credentials'] {
  if (!isTrusted) return { ...task.credentials, customRegistries: {} };
  const customRegistries = Object.fromEntries(
    Object.entries(task.credentials.customRegistries).map(([host, credential]) => [
      host,
      { ...credential, password: secrets.registries[host] ?? credential.password },
    ]),
  );
  return { ...task.credentials, customRegistries };
}

/**
 * Makes the request of one run of a task.
 * @throws `invalid-request` for overrides that do not fit the task's kind of step, naming the field.
 */
export function requestOfTask(task: Task, secrets: TaskSecrets, options: TaskRunOptions = {}): TaskRun {
  const { overrides = {}, isTrusted = true } = options;
  checkOverrides(task.step, overrides);
  const isOwnSource = overrides.contextPath === undefined && options.withoutContextToken !== true;
  const { timeout, platform, agentConfiguration } = task;
  const request = {
    ...requestOfStep(task.step, secrets, options),
    ...given({
      agentPoolName: options.agentPoolName ?? task.agentPoolName,
      sourceLocation: options.sourceLocation ?? overrides.contextPath ?? task.step.contextPath,
    }),
    ...{ timeout, platform, agentConfiguration },
    isArchiveEnabled: options.isArchiveEnabled ?? false,
    credentials: credentialsOf(task, secrets, isTrusted),
  };
  return { request, ...given({ sourceSecret: isOwnSource ? secrets.context : undefined }) };
}
