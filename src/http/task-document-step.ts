import { fail } from '../domain/failure.ts';
import { findNearest } from '../domain/nearest.ts';
import { maskedValue, type Argument } from '../domain/run-request.ts';
import type { TaskSecrets, TaskStep } from '../domain/task.ts';
import { isUploadPath } from '../trigger/submit.ts';
import type { AppOptions } from './options.ts';
import { readArguments, type ArgumentsBody } from './request-parts.ts';
import { createBodyCheck } from './schema.ts';
import { fillInEncodedTask, fillInFileTask } from './task-request.ts';

interface StepBody {
  readonly contextPath?: string;
  readonly contextAccessToken?: string;
}

interface DockerBody extends StepBody {
  readonly imageNames?: readonly string[];
  readonly isPushEnabled?: boolean;
  readonly noCache?: boolean;
  readonly dockerFilePath: string;
  readonly target?: string;
  readonly arguments?: ArgumentsBody;
}

interface FileBody extends StepBody {
  readonly taskFilePath: string;
  readonly valuesFilePath?: string;
  readonly values?: ArgumentsBody;
}

interface EncodedBody extends StepBody {
  readonly encodedTaskContent: string;
  readonly encodedValuesContent?: string;
  readonly values?: ArgumentsBody;
}

/** A task's step, and the secrets that were taken out of it. */
export interface ReadStep {
  readonly step: TaskStep;
  readonly secrets: Pick<TaskSecrets, 'context' | 'arguments'>;
}

export interface StepOptions {
  readonly checkLocation: AppOptions['checkLocation'];
  /** Secret values that the task has had so far: they stay where a secret comes without a value. */
  readonly kept: TaskSecrets;
}

const schemas = { Docker: 'docker', FileTask: 'file', EncodedTask: 'encoded' } as const;
type StepType = keyof typeof schemas;
const stepTypes = Object.keys(schemas) as readonly StepType[];

/**
 * The kind of a step that is being sent, in any case; `otherwise` when it says none.
 * @throws `invalid-request` with field `type`.
 */
export function readStepType(body: object, otherwise?: StepType): StepType {
  const { type } = body as { readonly type?: unknown };
  const hint = `a task's step is one of ${stepTypes.join(', ')}`;
  if (type === undefined && otherwise !== undefined) return otherwise;
  if (typeof type !== 'string')
    throw fail('invalid-request', 'type must name the kind of step', { field: 'type', hint });
  const found = stepTypes.find((one) => one.toLowerCase() === type.toLowerCase());
  if (found !== undefined) return found;
  const nearest = findNearest(type, stepTypes);
  const meant = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  throw fail('invalid-request', `type is no kind of step${meant}`, { field: 'type', hint });
}

/** Checks a step against the contract of its kind, and gives it back as the contract spells it. */
export function checkStep(body: object, type: StepType, extent: 'whole' | 'partial'): object {
  return createBodyCheck(`api/${schemas[type]}-task-step`, extent)({ ...body, type }) as object;
}

interface ReadArguments {
  readonly list: readonly Argument[];
  readonly secrets: Readonly<Record<string, string>>;
}

/** Masks secret arguments. One that comes without a value, or with the mask that was shown, keeps the value that it has. */
function splitArguments(body: ArgumentsBody | undefined, { kept }: StepOptions): ReadArguments {
  const given = readArguments(body);
  const secrets = given
    .filter(({ isSecret }) => isSecret)
    .map(({ name, value }) => {
      const isLeft = value === '' || value === maskedValue;
      return [name, isLeft && Object.hasOwn(kept.arguments, name) ? (kept.arguments[name] ?? '') : value] as const;
    });
  const list = given.map((one) => (one.isSecret ? { ...one, value: maskedValue } : one));
  return { list, secrets: Object.fromEntries(secrets) };
}

/** A context must still be there when the task runs some day, so an upload is none. */
function readContext(body: StepBody, { checkLocation }: StepOptions): { contextPath?: string; token?: string } {
  const token = body.contextAccessToken;
  if (body.contextPath === undefined) return token === undefined ? {} : { token };
  const { location, secret } = checkContext(body.contextPath, checkLocation);
  const found = token ?? secret;
  if (found !== undefined) checkTransport(location, 'contextAccessToken');
  return { contextPath: location, ...(found !== undefined && { token: found }) };
}

/** What a token is for must not be reached in the clear. Throws `invalid-request` with the token's field. */
export function checkTransport(location: string, field: string): void {
  if (!/^http:/i.test(location)) return;
  throw fail('invalid-request', `${field}: a token is never sent over http`, {
    field,
    hint: 'use https, or leave the token out (null removes the one that is kept); a token for commit statuses alone goes with sourceRepository.apiUrl',
  });
}

function checkContext(text: string, check: AppOptions['checkLocation']): ReturnType<AppOptions['checkLocation']> {
  if (isUploadPath(text)) {
    throw fail('invalid-request', 'contextPath is an upload, which goes away again', {
      field: 'contextPath',
      hint: 'give the task a git URL, or upload a context for each run (overrideTaskStepProperties.contextPath)',
    });
  }
  return checkAs('contextPath', text, check);
}

/** Checks a location that stands in another field than run requests have it in. */
export function checkAs(
  field: string,
  text: string,
  check: AppOptions['checkLocation'],
): ReturnType<AppOptions['checkLocation']> {
  try {
    return check(text);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^sourceLocation /, '') : 'it cannot be read';
    const text = /^this source location/.test(why) ? why.replace('this source location', field) : `${field} ${why}`;
    throw fail('invalid-request', text, { field, hint: 'for example https://host/repository.git#branch:folder' });
  }
}

type OwnPart = TaskStep extends infer S
  ? S extends TaskStep
    ? Omit<S, 'hasContextToken' | 'contextPath'>
    : never
  : never;

function readDocker(body: DockerBody, list: readonly Argument[]): OwnPart {
  const imageNames = body.imageNames ?? [];
  return {
    type: 'Docker',
    imageNames,
    isPushEnabled: imageNames.length > 0 && (body.isPushEnabled ?? true),
    noCache: body.noCache ?? false,
    dockerFilePath: body.dockerFilePath,
    ...(body.target !== undefined && { target: body.target }),
    arguments: list,
  };
}

function readFile(body: FileBody, values: readonly Argument[]): OwnPart {
  const { taskFilePath, valuesFilePath } = fillInFileTask({ ...body, type: 'FileTaskRunRequest' });
  return { type: 'FileTask', taskFilePath, ...(valuesFilePath !== undefined && { valuesFilePath }), values };
}

function readEncoded(body: EncodedBody, values: readonly Argument[]): OwnPart {
  const { encodedTaskContent, encodedValuesContent } = fillInEncodedTask({ ...body, type: 'EncodedTaskRunRequest' });
  return {
    type: 'EncodedTask',
    encodedTaskContent,
    ...(encodedValuesContent !== undefined && { encodedValuesContent }),
    values,
  };
}

function readOwnPart(body: object, type: StepType, list: readonly Argument[]): OwnPart {
  switch (type) {
    case 'Docker':
      return readDocker(body as DockerBody, list);
    case 'FileTask':
      return readFile(body as FileBody, list);
    case 'EncodedTask':
      return readEncoded(body as EncodedBody, list);
  }
}

/** Reads a whole step. Throws `invalid-request` naming the field within it. */
export function readStep(given: object, options: StepOptions): ReadStep {
  const type = readStepType(given);
  const body = checkStep(given, type, 'whole') as StepBody & Pick<DockerBody, 'arguments'> & Pick<FileBody, 'values'>;
  const { list, secrets } = splitArguments(type === 'Docker' ? body.arguments : body.values, options);
  const { contextPath, token } = readContext(body, options);
  return {
    step: {
      ...readOwnPart(body, type, list),
      hasContextToken: token !== undefined,
      ...(contextPath !== undefined && { contextPath }),
    },
    secrets: { arguments: secrets, ...(token !== undefined && { context: token }) },
  };
}
