import type { Request, RequestHandler, Router } from 'express';
import { fail, type FailureError } from '../../domain/failure.ts';
import type { Notification, OutgoingDelivery } from '../../domain/notification.ts';
import { isWebhookKey } from '../../domain/webhook.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { readJson } from '../middleware/json-body.ts';
import { addRoute } from '../middleware/methods.ts';
import type { AppOptions, NotificationBody, NotificationDesk } from '../options.ts';
import { parseWhole, readQuery } from '../query.ts';
import { createBodyCheck } from '../schema.ts';

type Options = Pick<AppOptions, 'store'> & { readonly desk: NotificationDesk };

const pageDeliveries = 100;
const maxTop = 1000;

function unknown(name: string): FailureError {
  return fail('not-found', `there is no notification "${name.slice(0, 100)}"`);
}

function readName(request: Request): string {
  const name = String(request.params['name']);
  if (isWebhookKey(name)) throw unknown(name);
  return name;
}

/** What is shown of a notification: everything but its secret and the values of its headers. */
function document(notification: Notification): object {
  const { headerNames, sealed: _sealed, ...shown } = notification;
  return { ...shown, customHeaderNames: headerNames };
}

async function findNotification(request: Request, { store }: Options): Promise<Notification> {
  const name = readName(request);
  const found = await store.notifications.get(name);
  if (found) return found;
  throw unknown(name);
}

/** `PUT …/notifications/{name}`: makes it, or puts it in the place of what was there. A secret that was made is in this answer alone. */
function createPutHandler({ desk }: Options): RequestHandler {
  const check = createBodyCheck('api/notification');
  return async (request, response) => {
    const body = check(request.body ?? {}) as NotificationBody;
    const { notification, secret } = await desk.put(readName(request), body, callerOf(response).name);
    response.json({ ...document(notification), ...(secret !== undefined && { secret }) });
  };
}

/** `GET …/notifications/{name}/deliveries?$top`, newest first; `&status=` shows those alone. */
function createDeliveriesHandler(options: Options): RequestHandler {
  return async (request, response) => {
    const top = parseWhole(readQuery(request, '$top') ?? String(pageDeliveries), '$top', [1, maxTop]);
    const status = readQuery(request, 'status');
    const known: readonly OutgoingDelivery['status'][] = ['pending', 'delivered', 'dead'];
    if (status !== undefined && !known.some((one) => one === status))
      throw fail('invalid-request', `status must be one of ${known.join(', ')}`, { field: 'status' });
    const { name } = await findNotification(request, options);
    const all = await options.store.notifications.listDeliveries(name, status === undefined ? top : maxTop);
    const wanted = all.filter((one) => status === undefined || one.status === status);
    response.json({ value: wanted.slice(0, top) });
  };
}

/** `GET …/notifications/{name}/deliveries/{id}`: with the event as it is sent. */
function createDeliveryHandler(options: Options): RequestHandler {
  return async (request, response) => {
    const { name } = await findNotification(request, options);
    const id = String(request.params['id']);
    const found = await options.store.notifications.getDelivery(name, id);
    if (!found) throw fail('not-found', `there is no delivery "${id.slice(0, 100)}" of notification "${name}"`);
    response.json({ ...found.delivery, payload: JSON.parse(found.body) as unknown });
  };
}

function addDeliveryRoutes(router: Router, options: Options): void {
  addRoute(router, '/notifications/:name/deliveries', { get: createDeliveriesHandler(options) });
  addRoute(router, '/notifications/:name/deliveries/:id', { get: createDeliveryHandler(options) });
  addRoute(router, '/notifications/:name/deliveries/:id/replay', {
    post: async (request, response) => {
      response.json(await options.desk.replay(readName(request), String(request.params['id'])));
    },
  });
}

/** The web addresses that are told of runs. */
export function addNotificationRoutes(router: Router, { store, notifications: desk }: AppOptions): void {
  if (!desk) return;
  const options: Options = { store, desk };
  addRoute(router, '/notifications', {
    get: async (_request, response) => {
      response.json({ value: (await store.notifications.list()).map(document) });
    },
  });
  addRoute(router, '/notifications/:name', {
    get: async (request, response) => {
      response.json(document(await findNotification(request, options)));
    },
    put: [...readJson, createPutHandler(options)],
    delete: async (request, response) => {
      const { name } = await findNotification(request, options);
      await store.notifications.delete(name);
      response.status(204).end();
    },
  });
  addRoute(router, '/notifications/:name/ping', {
    post: async (request, response) => {
      response.json(await desk.ping(readName(request)));
    },
  });
  addDeliveryRoutes(router, options);
}
