import { fail } from '../domain/failure.ts';
import { supersededPolicies } from '../domain/task.ts';
import { parseAuthMode, parsePlatform, parseTimeout } from './build-request.ts';
import type { CliIo } from './io.ts';
import { pickWord, type TaskFlags } from './task-options.ts';
import { readTaskContext, readTaskStep, type TaskContext } from './task-step.ts';
import { createTriggers } from './task-triggers.ts';
import type { TaskBody, TaskProperties } from './task-types.ts';

function parseMaxConcurrent(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= 1000) return count;
  throw fail('invalid-request', '--max-concurrent must be a whole number from 1 to 1000', {
    field: '--max-concurrent',
  });
}

/** What the flags say of a task besides its step and what starts it, as far as they were given. Throws `invalid-request`. */
export function readSettings(flags: TaskFlags): Omit<TaskProperties, 'step' | 'trigger'> {
  const { status, platform, timeout, agentPool, authMode, logTemplate, whenSuperseded, maxConcurrent } = flags;
  return {
    ...(status !== undefined && { status: pickWord(status, ['Enabled', 'Disabled'], '--status') }),
    ...(platform !== undefined && { platform: parsePlatform(platform) }),
    ...(timeout !== undefined && { timeout: parseTimeout(timeout) }),
    ...(agentPool !== undefined && { agentPoolName: agentPool }),
    ...(authMode !== undefined && { credentials: parseAuthMode(authMode) }),
    ...(logTemplate !== undefined && { logTemplate }),
    ...(whenSuperseded !== undefined && {
      whenSuperseded: pickWord(whenSuperseded, supersededPolicies, '--when-superseded'),
    }),
    ...(maxConcurrent !== undefined && { maxConcurrentRuns: parseMaxConcurrent(maxConcurrent) }),
  };
}

/** An identity as Azure writes it: of the system, of users, or both. Kept with the task, and of no effect. */
export function readIdentity(flags: TaskFlags): object | undefined {
  const { assignIdentity: given } = flags;
  if (given === undefined || given === false) return undefined;
  const ids = typeof given === 'string' ? [given] : given === true ? [] : given;
  const users = ids.filter((id) => id !== '[system]');
  const isSystem = users.length === 0 || users.length < ids.length;
  const types = [...(isSystem ? ['SystemAssigned'] : []), ...(users.length > 0 ? ['UserAssigned'] : [])];
  return {
    type: types.join(', '),
    ...(users.length > 0 && { userAssignedIdentities: Object.fromEntries(users.map((id) => [id, {}])) }),
  };
}

/** The context that flags give; a command needs none. Throws `invalid-request`. */
function contextOf({ context, cmd }: TaskFlags): ReturnType<typeof readTaskContext> {
  if (context !== undefined) return readTaskContext(context);
  if (cmd !== undefined) return undefined;
  throw fail('invalid-request', 'what does the task read? --context is missing', {
    field: '--context',
    hint: 'for example -c https://github.com/owner/app.git#main, or -c /dev/null for a task file that needs no files',
  });
}

function isPlain({ location }: TaskContext): boolean {
  return location.kind !== 'oci' && /^http:/i.test(location.url);
}

/**
 * The token that goes with the context: none over http, where it is for the forge's API alone when that has a URL of its own.
 * @throws `invalid-request` for a token that could go nowhere else; the server refuses it too.
 */
export function readStepToken(
  context: TaskContext | undefined,
  token: string | undefined,
  apiUrl: string | undefined,
): string | undefined {
  if (token === undefined || context === undefined || !isPlain(context)) return token;
  if (apiUrl !== undefined) return undefined;
  throw fail('invalid-request', 'a token is never sent over http; use https', {
    field: '--context',
    hint: 'a token for commit statuses alone goes with --api-url',
  });
}

/** The body of PUT for a new task. Throws `invalid-request` naming the flag. */
export async function createTaskDocument(io: CliIo, flags: TaskFlags, token: string | undefined): Promise<TaskBody> {
  const context = contextOf(flags);
  const stepToken = readStepToken(context, token, flags.apiUrl);
  const settings = readSettings(flags);
  const identity = readIdentity(flags);
  const trigger = createTriggers({ flags, context, token });
  const step = await readTaskStep(io, { flags, context, token: stepToken, timeout: settings.timeout });
  return { ...(identity && { identity }), properties: { ...settings, step, trigger } };
}
