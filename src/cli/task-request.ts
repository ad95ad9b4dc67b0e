import { fail } from '../domain/failure.ts';
import type { Argument } from '../domain/run-request.ts';
import type { EncodedTaskBody, FileTaskBody } from './api-types.ts';
import { parseAuthMode, parsePlatform, parseTimeout } from './build-request.ts';
import type { RunOptionFlags, ValueFlags } from './options.ts';
import type { TaskSource } from './task-source.ts';

/** The flags of `slipway run` that go into its request. */
export interface TaskRunFlags extends ValueFlags, Pick<RunOptionFlags, 'platform' | 'timeout' | 'authMode'> {}

/** `NAME=VALUE`, the name as it stands. Throws `invalid-request` without the value: it may be a secret. */
export function parseSet(texts: readonly string[], isSecret: boolean): readonly Argument[] {
  return texts.map((text) => {
    const equals = text.indexOf('=');
    if (equals > 0) return { name: text.slice(0, equals), value: text.slice(equals + 1), isSecret };
    const flag = isSecret ? '--set-secret' : '--set';
    throw fail('invalid-request', `${flag} must be NAME=VALUE`, {
      field: flag,
      hint: `for example ${flag} name=value`,
    });
  });
}

/** What the flags say of a run, whatever its task file. Throws `invalid-request` naming the flag. */
export function readTaskRunFlags(flags: TaskRunFlags): Omit<FileTaskBody, 'type' | 'sourceLocation' | 'taskFilePath'> {
  return {
    values: [...parseSet(flags.set ?? [], false), ...parseSet(flags.setSecret ?? [], true)],
    ...(flags.platform !== undefined && { platform: parsePlatform(flags.platform) }),
    ...(flags.timeout !== undefined && { timeout: parseTimeout(flags.timeout) }),
    ...(flags.authMode !== undefined && { credentials: parseAuthMode(flags.authMode) }),
  };
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The request for a task file of which is known where it is. */
export function createTaskBody(
  wish: ReturnType<typeof readTaskRunFlags>,
  { task }: Pick<TaskSource, 'task'>,
  sourceLocation: string | undefined,
): FileTaskBody | EncodedTaskBody {
  const { values } = task;
  if (task.kind === 'text') {
    return {
      ...wish,
      type: 'EncodedTaskRunRequest',
      ...(sourceLocation !== undefined && { sourceLocation }),
      encodedTaskContent: encode(task.task),
      ...(values !== undefined && { encodedValuesContent: encode(values) }),
    };
  }
  if (sourceLocation === undefined) throw fail('internal', 'a task file that lies in no context');
  return {
    ...wish,
    type: 'FileTaskRunRequest',
    sourceLocation,
    taskFilePath: task.task,
    ...(values !== undefined && { valuesFilePath: values }),
  };
}
