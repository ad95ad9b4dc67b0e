import type { Request, Response } from 'express';
import { fail } from '../../domain/failure.ts';
import { isTaskName, type Task, type TaskName } from '../../domain/task.ts';
import type { InstallationKey } from '../../secret/key-ring.ts';
import { openTaskSecrets } from '../../trigger/sealed-secrets.ts';
import { ProtocolError } from '../errors.ts';
import type { AppOptions } from '../options.ts';
import type { OpenTask } from '../task-document-read.ts';

/** Names under `/hooks/git` that are no task's. */
const reserved = new Set(['shared']);

/** The task name in a request's path (`:name`), for a task that may be made. Throws `invalid-request` with field `name`. */
export function readTaskName(request: Request): TaskName {
  const name = String(request.params['name']);
  if (reserved.has(name.toLowerCase()))
    throw fail('invalid-request', `a task cannot be called ${name}: the shared webhook is`, { field: 'name' });
  if (isTaskName(name)) return name;
  throw fail(
    'invalid-request',
    'the name of a task is 5 to 50 letters, digits, "-" and "_", the first a letter or digit',
    {
      field: 'name',
    },
  );
}

/** The task of a name. Throws `not-found`. */
export async function requireTask(store: AppOptions['store'], name: string): Promise<Task> {
  const task = isTaskName(name) ? await store.tasks.get(name) : undefined;
  if (task !== undefined) return task;
  throw fail('not-found', `task ${name.slice(0, 60)} does not exist`, { hint: '"slipway task list" shows the tasks' });
}

/** The task that a request's path names. Throws `not-found`. */
export async function findTask(request: Request, { store }: Pick<AppOptions, 'store'>): Promise<Task> {
  return requireTask(store, String(request.params['name']));
}

export function openTask(key: InstallationKey, task: Task): OpenTask {
  return { task, secrets: openTaskSecrets(key, task.sealedSecrets) };
}

function etagOf(task: Task): string {
  return `"${String(task.version)}"`;
}

/** Puts a task's version on an answer. */
export function setEtag(response: Response, task: Task): void {
  response.setHeader('ETag', etagOf(task));
}

function isAmong(header: string, task: Task | undefined): boolean {
  if (task === undefined) return false;
  const tags = header.split(',').map((one) => one.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etagOf(task));
}

/** True when a request names the versions that it is for: a change in between is then the client's matter. */
export function isConditional(request: Request): boolean {
  return request.get('if-match') !== undefined || request.get('if-none-match') !== undefined;
}

/** Answers 412 when `If-Match` or `If-None-Match` (RFC 9110 §13) says that the task is not the one that is meant. */
export function checkConditions(request: Request, task: Task | undefined): void {
  const [match, noneMatch] = [request.get('if-match'), request.get('if-none-match')];
  const refuse = (message: string): ProtocolError =>
    new ProtocolError({ status: 412, code: 'PreconditionFailed' }, message);
  if (match !== undefined && !isAmong(match, task))
    throw refuse(task === undefined ? 'there is no such task' : 'the task was changed in the meantime; read it again');
  if (noneMatch !== undefined && isAmong(noneMatch, task)) throw refuse('there is such a task already');
}
