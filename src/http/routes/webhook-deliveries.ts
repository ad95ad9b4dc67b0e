import type { Request, RequestHandler } from 'express';
import { fail } from '../../domain/failure.ts';
import type { Delivery } from '../../store/ports.ts';
import { redeliver } from '../../trigger/redeliver.ts';
import { resourceId } from '../documents.ts';
import type { AppOptions } from '../options.ts';
import { formatNextLink, readSkipToken } from '../paging.ts';
import { parseWhole, readQuery } from '../query.ts';

type Options = Pick<AppOptions, 'clock' | 'config' | 'hooks' | 'signer' | 'store'>;

const pageDeliveries = 50;
const maxTop = 1000;

/** A delivery's document; `schemas/api/webhook-delivery.schema.json` is its contract. */
function deliveryDocument(name: string, { id, ...properties }: Delivery): object {
  return {
    id: resourceId(name, 'webhookDeliveries', id),
    name: id,
    type: 'Microsoft.ContainerRegistry/registries/webhookDeliveries',
    properties: { hook: 'shared', ...properties },
  };
}

function readId(request: Request): string {
  return String(request.params['id']);
}

function unknown(id: string): Error {
  return fail('not-found', `there is no delivery ${id.slice(0, 200)}`, {
    hint: 'deliveries are kept for 30 days, the newest 10,000 at most',
  });
}

/** `GET …/webhookDeliveries?hook&$top&$skiptoken`, newest first. */
export function createDeliveriesHandler(options: Options): RequestHandler {
  return async (request, response) => {
    const [top, hook] = [readQuery(request, '$top'), readQuery(request, 'hook')];
    const limit = top === undefined ? pageDeliveries : parseWhole(top, '$top', [1, maxTop]);
    const of = hook === undefined ? {} : { hook };
    const from = readSkipToken(request, options);
    const { deliveries, next } = await options.store.deliveries.list({ limit, ...of, ...from });
    const hasLink = next !== undefined && top === undefined;
    response.json({
      value: deliveries.map((one) => deliveryDocument(options.config.name, one)),
      ...(hasLink && { nextLink: formatNextLink(request, next, options, ['hook']) }),
    });
  };
}

/** `GET …/webhookDeliveries/{id}` */
export function createDeliveryHandler({ config, store }: Options): RequestHandler {
  return async (request, response) => {
    const delivery = await store.deliveries.get(readId(request));
    if (delivery === undefined) throw unknown(readId(request));
    response.json(deliveryDocument(config.name, delivery));
  };
}

/** `POST …/webhookDeliveries/{id}/redeliver`: works it off again, as a delivery of its own. Answers 202 with that one. */
export function createRedeliverHandler({ clock, config, hooks, store }: Options): RequestHandler {
  return async (request, response) => {
    if (hooks === undefined) throw fail('unsupported', 'this server takes no deliveries');
    const deps = { deliveries: store.deliveries, queue: hooks.queue, clock };
    const delivery = await redeliver(deps, readId(request));
    if (delivery === undefined) throw unknown(readId(request));
    response.status(202).json(deliveryDocument(config.name, delivery));
  };
}
