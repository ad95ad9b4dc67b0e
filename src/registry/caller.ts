import { randomUUID } from 'node:crypto';
import type { RegistryRequest } from '../domain/event.ts';
import type { Exchange } from './exchange.ts';

const known = new WeakMap<Exchange, RegistryRequest>();
const mostText = 512;

/** The request as events tell of it; the same, with the same id, for all events of one request. */
export function requestOf(exchange: Exchange): RegistryRequest {
  const made = known.get(exchange) ?? describe(exchange);
  known.set(exchange, made);
  return made;
}

function describe({ req, method, origin, address }: Exchange): RegistryRequest {
  const userAgent = req.headers['user-agent'];
  return {
    id: randomUUID(),
    host: origin.slice(origin.indexOf('://') + 3),
    method,
    ...(userAgent !== undefined && { userAgent: userAgent.slice(0, mostText) }),
    ...(address !== undefined && { address }),
  };
}

/** Who does something, and at which request; neither for what the registry does by itself. */
export interface Doer {
  readonly by?: string | undefined;
  readonly request?: RegistryRequest;
}

/** Who has sent a request. */
export function doerOf(exchange: Exchange): Doer {
  return { by: exchange.principal?.name, request: requestOf(exchange) };
}
