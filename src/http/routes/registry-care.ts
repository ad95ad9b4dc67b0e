import type { Request, RequestHandler, Response, Router } from 'express';
import type { PurgeOrder, QuarantineOrder, RegistryCare, RestoreOrder } from '../../domain/registry-care.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { readJson } from '../middleware/json-body.ts';
import { addRoute } from '../middleware/methods.ts';
import type { AppOptions } from '../options.ts';
import { createBodyCheck } from '../schema.ts';

/** Answers with what is made of a body that has passed its contract. */
function createOrderHandler(
  schema: string,
  work: (body: object, who: string) => Promise<object>,
): readonly RequestHandler[] {
  const check = createBodyCheck(schema);
  return [
    ...readJson,
    async (request: Request, response: Response) => {
      response.json(await work(check(request.body ?? {}) as object, callerOf(response).name));
    },
  ];
}

function addRoutes(router: Router, care: RegistryCare): void {
  addRoute(router, '/registry/policies', {
    get: (_request, response) => {
      response.json(care.policies());
    },
    patch: createOrderHandler('api/registry-policies', (body, who) => care.update(body, who)),
  });
  addRoute(router, '/registry/usage', {
    get: async (_request, response) => {
      response.json(await care.usage());
    },
  });
  addRoute(router, '/registry/deleted', {
    get: (request, response) => {
      const { repository } = request.query;
      response.json({ value: care.deleted(typeof repository === 'string' ? repository : undefined) });
    },
  });
  addRoute(router, '/registry/restore', {
    post: createOrderHandler('api/registry-restore', (body, who) => care.restore(body as RestoreOrder, who)),
  });
  addRoute(router, '/registry/purge', {
    post: createOrderHandler('api/registry-purge', (body, who) =>
      care.purge({ filters: [], ago: '1d', ...(body as Partial<PurgeOrder>) }, who),
    ),
  });
  addRoute(router, '/registry/quarantine', {
    post: createOrderHandler('api/registry-quarantine', (body, who) => care.quarantine(body as QuarantineOrder, who)),
  });
}

/** Policies of the registry, its usage, what was deleted and can be had back, purges, and decisions about what is in quarantine. */
export function addRegistryCareRoutes(router: Router, { care }: AppOptions): void {
  if (care) addRoutes(router, care);
}
