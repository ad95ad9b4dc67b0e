import type { RequestHandler } from 'express';
import { fail } from '../../domain/failure.ts';
import type { SourceTrigger, TaskSecrets } from '../../domain/task.ts';
import type { AppOptions } from '../options.ts';
import { createBodyCheck } from '../schema.ts';
import { webhookUrlOf } from '../task-document.ts';
import { findTask, openTask } from './task-lookup.ts';

type Options = Pick<AppOptions, 'config' | 'hooks' | 'key' | 'store'>;

/** The body of POST tasks/{name}/setUpWebhook as `schemas/api/webhook-setup.schema.json` has it. */
interface SetupBody {
  readonly token?: string;
  readonly provider?: string;
}

interface Repository {
  readonly url: string;
  readonly apiUrl: string | undefined;
  readonly token: string | undefined;
  readonly pullRequests: boolean;
}

/** What two triggers ask of one repository together. */
function join(one: Repository, other: Repository): Repository {
  return {
    url: one.url,
    apiUrl: one.apiUrl ?? other.apiUrl,
    token: one.token ?? other.token,
    pullRequests: one.pullRequests || other.pullRequests,
  };
}

/** The repositories of the triggers, each once. */
function listRepositories(triggers: readonly SourceTrigger[], secrets: TaskSecrets, given?: string): Repository[] {
  const found = new Map<string, Repository>();
  for (const { name, sourceRepository, sourceTriggerEvents } of triggers) {
    const url = sourceRepository.repositoryUrl.split('#', 1)[0] ?? '';
    const one: Repository = {
      url,
      apiUrl: sourceRepository.apiUrl,
      token: given ?? secrets.sources[name] ?? secrets.context,
      pullRequests: sourceTriggerEvents.includes('pullrequest'),
    };
    const earlier = found.get(url);
    found.set(url, earlier === undefined ? one : join(earlier, one));
  }
  return [...found.values()];
}

function eventsOf({ pullRequests }: Repository): readonly string[] {
  return ['push', 'tag', ...(pullRequests ? ['pull request'] : [])];
}

/**
 * `POST …/tasks/{name}/setUpWebhook`: registers the task's webhook with the forges of its source triggers, with the token in the body or
 * the task's own. A repository without a token gets none; the answer holds what is to be entered by hand: URL, secret, events.
 */
export function createWebhookSetupHandler(options: Options): RequestHandler {
  const check = createBodyCheck('api/webhook-setup');
  const setUp = options.hooks?.setUp;
  return async (request, response) => {
    const body = check(request.body ?? {}) as SetupBody;
    const { task, secrets } = openTask(options.key, await findTask(request, options));
    const [secret] = secrets.webhook;
    if (secret === undefined) {
      throw fail('invalid-request', `task ${task.name} has no source trigger, and so no webhook`, { field: 'trigger' });
    }
    const url = webhookUrlOf(options.config, task);
    const webhooks: object[] = [];
    for (const repository of listRepositories(task.trigger.sourceTriggers, secrets, body.token)) {
      const { token, pullRequests, apiUrl, url: repositoryUrl } = repository;
      const wish = { repositoryUrl, apiUrl, url, secret, pullRequests, provider: body.provider };
      const done = token === undefined || setUp === undefined ? [] : await setUp({ ...wish, token });
      webhooks.push({ repositoryUrl, events: eventsOf(repository), isRegistered: done.length > 0, results: done });
    }
    response.json({ url, secret, contentType: 'application/json', webhooks });
  };
}
