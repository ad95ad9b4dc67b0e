import type { Clock } from '../../domain/clock.ts';
import type { Caller, Log } from '../options.ts';
import type { Middleware } from './middleware.ts';
import { requestIdOf } from './request-id.ts';

const probes = new Set(['/healthz', '/readyz']);

/** One line for each request, when its answer is through or broken off. Without the query: signatures stand there. */
export function logRequests(log: Log, clock: Clock): Middleware {
  return (request, response, next) => {
    const beganAt = clock.now();
    const path = (request.originalUrl ?? request.url ?? '').split('?', 1)[0] ?? '';
    response.once('close', () => {
      const caller = response.locals?.['caller'] as Caller | undefined;
      const line = {
        requestId: requestIdOf(response),
        method: request.method,
        path: path.slice(0, 500),
        status: response.statusCode,
        ms: clock.now() - beganAt,
        ...(caller && { caller: caller.name }),
        ...(!response.writableFinished && { aborted: true }),
      };
      if (probes.has(path)) log.debug(line, 'request');
      else log.info(line, 'request');
    });
    next();
  };
}
