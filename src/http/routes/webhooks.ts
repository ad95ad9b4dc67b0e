import type { Request, RequestHandler, Router } from 'express';
import type { Webhook } from '../../domain/notification.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { readJson } from '../middleware/json-body.ts';
import { addRoute } from '../middleware/methods.ts';
import type { AppOptions } from '../options.ts';
import { parseWhole, readQuery } from '../query.ts';
import { createBodyCheck } from '../schema.ts';
import type { WebhookDesk } from '../webhook-desk.ts';
import {
  eventInfoDocument,
  readWish,
  webhookDocument,
  webhookEventDocument,
  type WebhookBody,
} from '../webhook-document.ts';

type Options = Pick<AppOptions, 'config'> & { readonly desk: WebhookDesk };

const pageEvents = 100;
const maxTop = 1000;

function readName(request: Request): string {
  return String(request.params['name']);
}

/** `PUT` makes one or puts it in the place of what was there, `PATCH` changes what its body says. */
function createWriteHandler({ config, desk }: Options, extent: 'whole' | 'partial'): RequestHandler {
  const check = createBodyCheck('api/webhook', extent);
  return async (request, response) => {
    const wish = readWish(check(request.body ?? {}) as WebhookBody);
    const [name, who] = [readName(request), callerOf(response).name];
    const written = await (extent === 'whole' ? desk.put(name, wish, who) : desk.change(name, wish, who));
    response.json(webhookDocument(config.name, written));
  };
}

/** `POST …/webhooks/{name}/listEvents?$top`, newest first. */
function createEventsHandler({ desk }: Options): RequestHandler {
  return async (request, response) => {
    const top = parseWhole(readQuery(request, '$top') ?? String(pageEvents), '$top', [1, maxTop]);
    const webhook = await desk.get(readName(request));
    const events = await desk.events(readName(request), top);
    response.json({ value: events.map((kept) => webhookEventDocument(webhook, kept)) });
  };
}

function addEventRoutes(router: Router, options: Options): void {
  const { desk } = options;
  addRoute(router, '/webhooks/:name/ping', {
    post: async (request, response) => {
      response.json(eventInfoDocument(await desk.ping(readName(request))));
    },
  });
  addRoute(router, '/webhooks/:name/listEvents', { post: createEventsHandler(options) });
  addRoute(router, '/webhooks/:name/events/:id/redeliver', {
    post: async (request, response) => {
      const again = await desk.redeliver(readName(request), String(request.params['id']));
      response.status(202).json(eventInfoDocument(again));
    },
  });
}

/** The web addresses that are told of the registry, as resources of Azure Container Registry. */
export function addWebhookRoutes(router: Router, { config, webhooks: desk }: AppOptions): void {
  if (!desk) return;
  const options: Options = { config, desk };
  const document = (webhook: Webhook): object => webhookDocument(config.name, webhook);
  addRoute(router, '/webhooks', {
    get: async (_request, response) => {
      response.json({ value: (await desk.list()).map(document) });
    },
  });
  addRoute(router, '/webhooks/:name', {
    get: async (request, response) => {
      response.json(document(await desk.get(readName(request))));
    },
    put: [...readJson, createWriteHandler(options, 'whole')],
    patch: [...readJson, createWriteHandler(options, 'partial')],
    delete: async (request, response) => {
      response.status((await desk.delete(readName(request))) ? 200 : 204).end();
    },
  });
  addRoute(router, '/webhooks/:name/getCallbackConfig', {
    post: async (request, response) => {
      response.json(await desk.config(readName(request)));
    },
  });
  addEventRoutes(router, options);
}
