import { Router, type Request } from 'express';
import { fail } from '../../domain/failure.ts';
import { gitProviderNames, type GitProviderName } from '../../domain/git-repository.ts';
import { isTaskName } from '../../domain/task.ts';
import { createGitIntake } from '../../trigger/git-intake.ts';
import { addRoute } from '../middleware/methods.ts';
import { readRaw } from '../middleware/raw-body.ts';
import type { AppOptions } from '../options.ts';
import { readQuery } from '../query.ts';

type Options = Pick<AppOptions, 'clock' | 'hooks' | 'key' | 'log' | 'store'>;

/** The path of the webhook that is for all tasks; a task of this name is reached through it alone. */
const shared = 'shared';

function readProvider(request: Request): GitProviderName | undefined {
  const text = readQuery(request, 'provider')?.toLowerCase();
  const found = gitProviderNames.find((name) => name === text);
  if (text === undefined || found !== undefined) return found;
  throw fail('invalid-request', `provider must be one of ${gitProviderNames.join(', ')}`, { field: 'provider' });
}

/** A name that no task can have is answered like that of a task that does not exist. */
function readHook(request: Request): { hook?: string } {
  const name = String(request.params['task']);
  if (name.toLowerCase() === shared) return {};
  return { hook: isTaskName(name) ? name : '-' };
}

/**
 * `POST /hooks/git/{task}` and `/hooks/git/shared`: what forges deliver. No account: the signature over the raw body is what counts.
 * Answers as soon as the delivery is recorded and queued.
 */
export function createHooksRouter(options: Options, hooks: NonNullable<AppOptions['hooks']>): Router {
  const { store, key, clock, log } = options;
  const intake = createGitIntake({
    tasks: store.tasks,
    deliveries: store.deliveries,
    queue: hooks.queue,
    key,
    sharedSecrets: hooks.sharedSecrets,
    clock,
    onWarning: (message, error) => {
      log.warn({ err: error }, message);
    },
  });
  const router = Router({ caseSensitive: true });
  addRoute(router, '/git/:task', {
    post: [
      readRaw(hooks.maxBytes),
      async (request, response) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const where = { ...readHook(request), provider: readProvider(request) };
        const { deliveryId, isPing } = await intake({ ...where, headers: request.headers, body });
        response.status(isPing ? 200 : 202).json({ deliveryId });
      },
    ],
  });
  return router;
}
