import type { Request, RequestHandler, Response } from 'express';
import { FailureError } from '../../domain/failure.ts';
import type { Task, TaskSecrets } from '../../domain/task.ts';
import { repositoryKeysOf } from '../../trigger/repository-keys.ts';
import { sealTaskSecrets } from '../../trigger/sealed-secrets.ts';
import { createWebhookSecret, revokeOld, rotateSecrets } from '../../trigger/webhook-secret.ts';
import type { AppOptions } from '../options.ts';
import { formatNextLink, readSkipToken } from '../paging.ts';
import { parseWhole, readFlag, readQuery } from '../query.ts';
import { createChangeCheck, mergeTask } from '../task-document-merge.ts';
import { checkMovedContext } from '../task-context-move.ts';
import { createTaskReader, type OpenTask } from '../task-document-read.ts';
import { taskDocument, webhookUrlOf } from '../task-document.ts';
import { checkConditions, findTask, isConditional, openTask, readTaskName, setEtag } from './task-lookup.ts';

type Options = Pick<
  AppOptions,
  'checkLocation' | 'clock' | 'config' | 'key' | 'newSecret' | 'onTaskChanged' | 'onTaskDeleting' | 'signer' | 'store'
>;

const pageTasks = 100;
const maxTop = 1000;
const maxTries = 5;

async function sendTask(options: Options, task: Task, response: Response, secrets?: TaskSecrets): Promise<void> {
  const images = await options.store.baseImages.get(task.name);
  setEtag(response, task);
  const now = options.clock.now();
  response.json(taskDocument(options.config, task, { now, images, ...(secrets && { secrets }) }));
}

/** The tasks of a page with what is known of their images; the store is asked for all of them at once. */
async function describePage({ config, store }: Options, tasks: readonly Task[]): Promise<readonly object[]> {
  const images = await Promise.all(tasks.map(({ name }) => store.baseImages.get(name)));
  return tasks.map((task, at) => taskDocument(config, task, { images: images[at] }));
}

/** `GET …/tasks?$top&$skiptoken`, by name. With `$top` there is no link to a next page, as in the list of runs. */
export function createTasksHandler(options: Options): RequestHandler {
  return async (request, response) => {
    const top = readQuery(request, '$top');
    const limit = top === undefined ? pageTasks : parseWhole(top, '$top', [1, maxTop]);
    const { tasks, next } = await options.store.tasks.list({ limit, ...readSkipToken(request, options) });
    const hasLink = next !== undefined && top === undefined;
    response.json({
      value: await describePage(options, tasks),
      ...(hasLink && { nextLink: formatNextLink(request, next, options) }),
    });
  };
}

/** `GET …/tasks/{name}` */
export function createTaskHandler(options: Options): RequestHandler {
  return async (request, response) => {
    await sendTask(options, await findTask(request, options), response);
  };
}

/** `POST …/tasks/{name}/listDetails`: the document with its secrets, which PUT takes back. */
export function createTaskDetailsHandler(options: Options): RequestHandler {
  return async (request, response) => {
    const { task, secrets } = openTask(options.key, await findTask(request, options));
    await sendTask(options, task, response, secrets);
  };
}

/** A task that forges are to tell something has a secret that they sign it with. */
function withWebhookSecret({ task, secrets }: OpenTask, newSecret: () => string): TaskSecrets {
  const isNeeded = task.trigger.sourceTriggers.length > 0 && secrets.webhook.length === 0;
  return isNeeded ? { ...secrets, webhook: [newSecret()] } : secrets;
}

function isEmpty({ context, updateToken, arguments: args, registries, sources, webhook }: TaskSecrets): boolean {
  const named = [args, registries, sources].some((one) => Object.keys(one).length > 0);
  return (context ?? updateToken) === undefined && !named && webhook.length === 0;
}

/** Writes a task in place of the version that was read, and tells those who follow tasks. */
async function writeTask(options: Options, before: Task | undefined, after: OpenTask): Promise<Task> {
  const { sealedSecrets: _, ...task } = after.task;
  const secrets = withWebhookSecret(after, options.newSecret ?? createWebhookSecret);
  const sealed = isEmpty(secrets) ? task : { ...task, sealedSecrets: sealTaskSecrets(options.key, secrets) };
  const written = await options.store.tasks.put(sealed, before?.version ?? 0, repositoryKeysOf(task));
  await options.onTaskChanged?.(before, written);
  return written;
}

function isConflict(error: unknown): boolean {
  return error instanceof FailureError && error.failure.reason === 'conflict';
}

/** Makes a change again on the newer version when somebody else was quicker, unless the client has said which version it means. */
async function retryConflicts<T>(request: Request, change: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await change();
    } catch (error) {
      if (!isConflict(error) || isConditional(request) || tries === maxTries) throw error;
    }
  }
}

/** `PUT …/tasks/{name}`: makes or replaces a task. 200 for both, because Azure's CLI reads nothing else (azure-api.md §5). */
export function createTaskPutHandler(options: Options): RequestHandler {
  const { key, store, config } = options;
  const read = createTaskReader({ ...options, registryHost: config.registryHost });
  return async (request, response) => {
    const name = readTaskName(request);
    const task = await retryConflicts(request, async () => {
      const before = await store.tasks.get(name);
      checkConditions(request, before);
      return writeTask(options, before, read(request.body, name, before && openTask(key, before)));
    });
    await sendTask(options, task, response);
  };
}

/** `PATCH …/tasks/{name}`: changes what the body says, and nothing else (azure-api.md §5). */
export function createTaskPatchHandler(options: Options): RequestHandler {
  const { key, config } = options;
  const read = createTaskReader({ ...options, registryHost: config.registryHost });
  const check = createChangeCheck();
  return async (request, response) => {
    const task = await retryConflicts(request, async () => {
      const before = await findTask(request, options);
      checkConditions(request, before);
      const open = openTask(key, before);
      const change = check(request.body ?? {}, before.step.type);
      const whole = mergeTask(taskDocument(config, before, { secrets: open.secrets }), change);
      const after = read(whole, before.name, open);
      checkMovedContext({ before, after: after.task }, change);
      return writeTask(options, before, after);
    });
    await sendTask(options, task, response);
  };
}

/** `DELETE …/tasks/{name}`: 200, or 204 when there is none. Its runs stay. */
export function createTaskDeleteHandler(options: Options): RequestHandler {
  return async (request, response) => {
    const name = String(request.params['name']);
    const before = await options.store.tasks.get(name);
    checkConditions(request, before);
    if (before !== undefined) await options.onTaskDeleting?.(before);
    const isGone = before !== undefined && (await options.store.tasks.delete(name));
    if (isGone) await options.onTaskChanged?.(before, undefined);
    response.status(isGone ? 200 : 204).end();
  };
}

/**
 * `POST …/tasks/{name}/regenerateWebhookSecret?revokeOld`: a new secret for the task's webhook. The one before it stays good, so that
 * forges can be told in peace, until this is called with `revokeOld=true`.
 */
export function createSecretRotationHandler(options: Options): RequestHandler {
  const { key, config, newSecret = createWebhookSecret } = options;
  return async (request, response) => {
    const isRevoking = readFlag(request, 'revokeOld');
    const secrets = await retryConflicts(request, async () => {
      const before = await findTask(request, options);
      checkConditions(request, before);
      const { task, secrets: kept } = openTask(key, before);
      const webhook = isRevoking ? revokeOld(kept.webhook, newSecret) : rotateSecrets(kept.webhook, newSecret());
      const lastUpdatedTime = new Date(options.clock.now()).toISOString();
      const written = await writeTask(options, before, {
        task: { ...task, lastUpdatedTime },
        secrets: { ...kept, webhook },
      });
      setEtag(response, written);
      return webhook;
    });
    response.json({ url: webhookUrlOf(config, await findTask(request, options)), secrets });
  };
}
