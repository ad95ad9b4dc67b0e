import { fail } from '../domain/failure.ts';
import type { Task } from '../domain/task.ts';
import type { TaskOverrides, TaskRunOptions } from '../trigger/task-request.ts';
import { readArguments, type ArgumentsBody } from './request-parts.ts';
import { createBodyCheck } from './schema.ts';

/** The body of scheduleRun as `schemas/api/task-run-request.schema.json` has it. */
export interface TaskRunBody {
  readonly type: 'TaskRunRequest';
  /** A resource id, or a name alone. */
  readonly taskId: string;
  readonly overrideTaskStepProperties?: Pick<TaskOverrides, 'contextPath' | 'file' | 'target'> & {
    readonly arguments?: ArgumentsBody;
    readonly values?: ArgumentsBody;
    readonly updateTriggerToken?: string;
  };
  readonly isArchiveEnabled?: boolean;
  readonly agentPoolName?: string;
}

/** True for a body of scheduleRun that asks for a run of a task. */
export function isTaskRunBody(body: unknown): boolean {
  const type = typeof body === 'object' && body !== null && 'type' in body ? body.type : undefined;
  return typeof type === 'string' && type.toLowerCase() === 'taskrunrequest';
}

/** Makes the check of such bodies. It throws `invalid-request` naming the field. */
export function createTaskRunCheck(): (body: unknown) => TaskRunBody {
  const check = createBodyCheck('api/task-run-request');
  return (body) => check(body) as TaskRunBody;
}

/**
 * The name in a task's resource id (`…/registries/{registry}/tasks/{name}`), or the text itself when it is no path.
 * @throws `invalid-request` for the id of something else, or of another registry.
 */
export function readTaskId(taskId: string, registryName: string): string {
  if (!taskId.includes('/')) return taskId;
  const [, registry, name] = /\/registries\/([^/]+)\/tasks\/([^/]+)\/?$/i.exec(taskId) ?? [];
  const bad = (why: string): Error => fail('invalid-request', `taskId ${why}`, { field: 'taskId' });
  if (registry === undefined || name === undefined) throw bad('is neither the resource id of a task nor its name');
  if (registry.toLowerCase() !== registryName.toLowerCase()) throw bad(`is of another registry than ${registryName}`);
  return name;
}

/** What a run of a task by hand does otherwise than the task says. */
export function readTaskRun(body: TaskRunBody): TaskRunOptions {
  const { overrideTaskStepProperties: given = {}, isArchiveEnabled, agentPoolName } = body;
  const { arguments: args, values, updateTriggerToken: _, ...plain } = given;
  return {
    overrides: {
      ...plain,
      ...(args !== undefined && { arguments: readArguments(args) }),
      ...(values !== undefined && { values: readArguments(values) }),
    },
    ...(isArchiveEnabled !== undefined && { isArchiveEnabled }),
    ...(agentPoolName !== undefined && { agentPoolName }),
  };
}

/** The part of a task that a run of it carries. */
export function taskOfRun({ name, maxConcurrentRuns }: Task): Pick<Task, 'name' | 'maxConcurrentRuns'> {
  return { name, ...(maxConcurrentRuns !== undefined && { maxConcurrentRuns }) };
}
