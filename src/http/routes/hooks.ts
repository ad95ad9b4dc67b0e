import type { IncomingMessage, ServerResponse } from 'node:http';
import { fail } from '../../domain/failure.ts';
import { gitProviderNames, type GitProviderName } from '../../domain/git-repository.ts';
import { isTaskName } from '../../domain/task.ts';
import { createGitIntake, type GitIntake } from '../../trigger/git-intake.ts';
import { ProtocolError } from '../errors.ts';
import { logRequests } from '../middleware/log-requests.ts';
import { createRawReader } from '../middleware/raw-body.ts';
import { assignRequestId } from '../middleware/request-id.ts';
import { setSecurityHeaders } from '../middleware/security-headers.ts';
import { writeDocument, writeError } from '../middleware/write-error.ts';
import type { AppOptions } from '../options.ts';

type Options = Pick<AppOptions, 'clock' | 'hooks' | 'key' | 'log' | 'newId' | 'store'>;

/** The path of the webhook that is for all tasks; a task of this name is reached through it alone. */
const shared = 'shared';
const pathPattern = /^\/hooks\/git\/([^/?]+)\/?(?:\?(.*))?$/s;

function readProvider(query: string): GitProviderName | undefined {
  const [text, more] = new URLSearchParams(query).getAll('provider').map((value) => value.toLowerCase());
  if (more !== undefined) throw fail('invalid-request', 'provider is given more than once', { field: 'provider' });
  const found = gitProviderNames.find((name) => name === text);
  if (text === undefined || text === '' || found !== undefined) return found;
  throw fail('invalid-request', `provider must be one of ${gitProviderNames.join(', ')}`, { field: 'provider' });
}

/** A name that no task can have is answered like that of a task that does not exist. */
function readHook(name: string): { hook?: string } {
  if (name.toLowerCase() === shared) return {};
  return { hook: isTaskName(name) ? name : '-' };
}

function createIntake({ store, key, clock, log }: Options, hooks: NonNullable<AppOptions['hooks']>): GitIntake {
  return createGitIntake({
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
}

/** Answers a request, or says that it is another's. */
export type HooksHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * `POST /hooks/git/{task}` and `/hooks/git/shared`: what forges deliver. No account: the signature over the raw body is what counts.
 * Answers as soon as the delivery is recorded and queued. Is asked before Express, which would cost as much as all the rest of it.
 */
export function createHooksHandler(options: Options, hooks: NonNullable<AppOptions['hooks']>): HooksHandler {
  const { clock, log, newId } = options;
  const intake = createIntake(options, hooks);
  const readBody = createRawReader(hooks.maxBytes);
  const before = [assignRequestId(newId), logRequests(log, clock), setSecurityHeaders];
  const take = async (request: IncomingMessage, name: string, query: string) => {
    if (request.method !== 'POST') {
      const answer = { status: 405, code: 'MethodNotAllowed', headers: { Allow: 'POST' } };
      throw new ProtocolError(answer, `${String(request.method)} is not allowed here; POST is`);
    }
    const body = await readBody(request);
    return intake({ ...readHook(name), provider: readProvider(query), headers: request.headers, body });
  };
  return (request, response) => {
    const [, name, query = ''] = pathPattern.exec(request.url ?? '') ?? [];
    if (name === undefined) return false;
    for (const one of before) one(request, response, () => undefined);
    take(request, name, query)
      .then(({ deliveryId, isPing }) => {
        writeDocument(response, isPing ? 200 : 202, { deliveryId });
      })
      .catch((error: unknown) => {
        writeError(log, error, response);
      });
    return true;
  };
}
