import type { RequestHandler, Router } from 'express';
import { ProtocolError } from '../errors.ts';

type Method = 'get' | 'put' | 'post' | 'patch' | 'delete';

/** Puts the handlers of one path on a router; every other method is answered with 405 and the ones that are allowed. */
export function addRoute(
  router: Pick<Router, 'route'>,
  path: string,
  handlers: Partial<Record<Method, RequestHandler | readonly RequestHandler[]>>,
): void {
  const route = router.route(path);
  const methods = Object.keys(handlers) as Method[];
  for (const method of methods) {
    route[method](...[handlers[method] ?? []].flat());
  }
  const allow = methods.flatMap((one) => (one === 'get' ? ['GET', 'HEAD'] : [one.toUpperCase()])).join(', ');
  route.all((request) => {
    const answer = { status: 405, code: 'MethodNotAllowed', headers: { Allow: allow } };
    throw new ProtocolError(answer, `${request.method} is not allowed here; ${allow} is`);
  });
}
