import { fail } from '../domain/failure.ts';
import type { CliIo } from './io.ts';
import { readIdentity, readSettings, readStepToken } from './task-body.ts';
import type { TaskFlags } from './task-options.ts';
import {
  isDockerfile,
  readDockerFlags,
  readTaskArguments,
  readTaskContext,
  readTaskStep,
  type TaskContext,
} from './task-step.ts';
import {
  createBaseImageTrigger,
  createSourceTrigger,
  readBaseImageTrigger,
  readEvents,
  readFilters,
} from './task-triggers.ts';
import type { SourceTriggerView, StepView, TaskChange, TaskProperties } from './task-types.ts';

interface ChangeWish {
  readonly flags: TaskFlags;
  readonly before: TaskProperties;
  /** The new context; undefined: the one that the task has stays. */
  readonly context: TaskContext | undefined;
  readonly token: string | undefined;
  /** The token that the context is to have; null: none any more, undefined: what it has stays. */
  readonly stepToken: string | null | undefined;
}

function has(flags: TaskFlags, ...names: readonly (keyof TaskFlags)[]): boolean {
  return names.some((name) => flags[name] !== undefined && flags[name] !== true);
}

/** True when flags make another kind of step of the one that there is: it is then written anew. */
function isOtherStep({ flags, before }: ChangeWish): boolean {
  const { type } = before.step;
  if (flags.cmd !== undefined || flags.file === '-' || flags.context === '/dev/null') return true;
  if (flags.file === undefined) return false;
  return type === 'EncodedTask' || isDockerfile(flags) !== (type === 'Docker');
}

/** Flags that say nothing of the step that there is are a mistake, and not a wish. */
function checkForeign(flags: TaskFlags, type: StepView['type']): void {
  const isDocker = type === 'Docker';
  const isForeign = isDocker
    ? has(flags, 'set', 'setSecret', 'values')
    : has(flags, 'arg', 'secretArg', 'target', 'image', 'push', 'cache');
  if (!isForeign) return;
  const hint = isDocker ? 'it takes --arg and --secret-arg' : 'it takes --set, --set-secret and --values';
  throw fail('invalid-request', `the task ${isDocker ? 'builds a Dockerfile' : 'runs a task file'}`, { hint });
}

function changeFiles({ file, values }: TaskFlags, type: StepView['type']): Partial<StepView> {
  switch (type) {
    case 'Docker':
      return file === undefined ? {} : { dockerFilePath: file };
    case 'FileTask':
      return {
        ...(file !== undefined && { taskFilePath: file }),
        ...(values !== undefined && { valuesFilePath: values }),
      };
    case 'EncodedTask':
      if (values === undefined) return {};
      throw fail('invalid-request', 'the task keeps its own values', { field: '--values', hint: 'it takes --set' });
  }
}

/** az re-sends what the step keeps; here the server merges, so only what was given is sent. */
function changeSameStep(io: CliIo, { flags, before, context, stepToken }: ChangeWish): object {
  const { type } = before.step;
  checkForeign(flags, type);
  const { args, values } = readTaskArguments(flags, io);
  return {
    ...(type === 'Docker' && readDockerFlags(flags)),
    ...changeFiles(flags, type),
    ...(args.length > 0 && { arguments: args }),
    ...(values.length > 0 && { values }),
    ...(context !== undefined && { contextPath: context.path }),
    ...(stepToken !== undefined && { contextAccessToken: stepToken }),
  };
}

/** The context that a step of another kind has: the new one, or the one that there is. */
function contextOfOther({ flags, before, context }: ChangeWish): TaskContext | undefined {
  if (flags.context !== undefined || before.step.contextPath === undefined) return context;
  return readTaskContext(before.step.contextPath);
}

async function changeStep(io: CliIo, wish: ChangeWish): Promise<object | undefined> {
  if (!isOtherStep(wish)) {
    const change = changeSameStep(io, wish);
    return Object.keys(change).length === 0 ? undefined : change;
  }
  const { flags, before, stepToken } = wish;
  const context = contextOfOther(wish);
  const { contextAccessToken: kept } = before.step;
  const timeout = readSettings(flags).timeout ?? before.timeout;
  return readTaskStep(io, {
    flags,
    context,
    timeout,
    token: stepToken === undefined && flags.context === undefined ? kept : (stepToken ?? undefined),
  });
}

/** What becomes of a trigger when its flags are given: without events it rests, because a trigger has some. */
function changeEvents(flags: TaskFlags, trigger: SourceTriggerView): Partial<SourceTriggerView> {
  const { commitTriggerEnabled, pullRequestTriggerEnabled, tagTriggerEnabled, tag, excludeTag } = flags;
  const given = [commitTriggerEnabled, pullRequestTriggerEnabled, tagTriggerEnabled, tag, excludeTag];
  if (given.every((one) => one === undefined)) return {};
  const before = trigger.status === 'Disabled' ? [] : trigger.sourceTriggerEvents;
  const events = readEvents(flags, before);
  return events.length === 0 ? { status: 'Disabled' } : { status: 'Enabled', sourceTriggerEvents: events };
}

function changeSource(wish: ChangeWish, trigger: SourceTriggerView): object | undefined {
  const { flags, context, token } = wish;
  const moved = context && createSourceTrigger({ flags: {}, context, token: undefined });
  const sourceRepository = {
    ...(moved && { branch: null, apiUrl: null, ...moved.sourceRepository }),
    ...(flags.apiUrl !== undefined && { apiUrl: flags.apiUrl }),
    ...(token !== undefined && { sourceControlAuthProperties: { tokenType: 'PAT', token } }),
  };
  const change = {
    ...(moved && { branches: moved.branches ?? null }),
    ...changeEvents(flags, trigger),
    ...readFilters(flags),
    ...(Object.keys(sourceRepository).length > 0 && { sourceRepository }),
  };
  return Object.keys(change).length === 0 ? undefined : { name: trigger.name, ...change };
}

function contextOf({ before, context }: Pick<ChangeWish, 'before' | 'context'>): TaskContext | undefined {
  if (context !== undefined) return context;
  return before.step.contextPath === undefined ? undefined : readTaskContext(before.step.contextPath);
}

/** The token that a change leaves to the context, and the forge's API. What was for a git server goes to no registry. */
function wantedToken({ before, context, token }: Omit<ChangeWish, 'stepToken'>): string | undefined {
  return token ?? (context?.location.kind === 'oci' ? undefined : before.step.contextAccessToken);
}

/** Whether a token goes with the context. Throws `invalid-request` for one that would go over http. */
function fitsContext(wish: Omit<ChangeWish, 'stepToken'>, wanted: string | undefined): boolean {
  const { flags, before, context } = wish;
  const [trigger] = before.trigger?.sourceTriggers ?? [];
  const apiUrl = flags.apiUrl ?? (context === undefined ? trigger?.sourceRepository.apiUrl : undefined);
  return wanted !== undefined && readStepToken(contextOf(wish), wanted, apiUrl) !== undefined;
}

/** What becomes of the context's token. Throws `invalid-request` for one that would go over http. */
function changeStepToken(wish: Omit<ChangeWish, 'stepToken'>): ChangeWish['stepToken'] {
  const had = wish.before.step.contextAccessToken;
  if (fitsContext(wish, wantedToken(wish))) return wish.token;
  return had === undefined ? undefined : null;
}

/** The trigger that `--source-trigger-name` names, or the first; a new one where flags ask for it and there is none. */
function changeSources(wish: ChangeWish): readonly object[] {
  const { flags, before, token } = wish;
  const all = before.trigger?.sourceTriggers ?? [];
  const name = flags.sourceTriggerName?.toLowerCase();
  const trigger = name === undefined ? all[0] : all.find((one) => one.name.toLowerCase() === name);
  if (trigger !== undefined) {
    const change = changeSource(wish, trigger);
    return change === undefined ? [] : [change];
  }
  const isAsked = readEvents(flags, []).length > 0;
  const kept = token ?? before.step.contextAccessToken;
  const created = isAsked ? createSourceTrigger({ flags, context: contextOf(wish), token: kept }) : undefined;
  // A new trigger hears what was asked for, and not what is the default of a new task.
  return created === undefined ? [] : [{ ...created, sourceTriggerEvents: readEvents(flags, []) }];
}

function changeBaseImage({ flags, before }: ChangeWish): object | undefined {
  const given = readBaseImageTrigger(flags);
  if (given === undefined) return undefined;
  return before.trigger?.baseImageTrigger === undefined ? createBaseImageTrigger(given) : given;
}

/**
 * The body of PATCH for what flags say of a task that there is. Lists of arguments, values and images are replaced, as with az.
 * @param before the task with its secrets.
 * @throws `invalid-request` naming the flag, and when nothing was asked for.
 */
export async function createTaskChange(
  io: CliIo,
  flags: TaskFlags,
  { before, token }: Pick<ChangeWish, 'before' | 'token'>,
): Promise<TaskChange> {
  const context = flags.context === undefined ? undefined : readTaskContext(flags.context);
  const stepToken = changeStepToken({ flags, before, context, token });
  const wish: ChangeWish = { flags, before, context, token, stepToken };
  const step = await changeStep(io, wish);
  const sources = changeSources(wish);
  const baseImageTrigger = changeBaseImage(wish);
  const identity = readIdentity(flags);
  const trigger = {
    ...(sources.length > 0 && { sourceTriggers: sources }),
    ...(baseImageTrigger && { baseImageTrigger }),
  };
  const properties = {
    ...readSettings(flags),
    ...(step && { step }),
    ...(Object.keys(trigger).length > 0 && { trigger }),
  };
  const change = { ...(identity && { identity }), ...(Object.keys(properties).length > 0 && { properties }) };
  if (Object.keys(change).length > 0) return change;
  throw fail('invalid-request', 'nothing is to be changed', { hint: '"slipway task update --help" shows what can be' });
}
