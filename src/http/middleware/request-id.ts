import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Middleware } from './middleware.ts';

const header = 'x-ms-request-id';
const correlationHeader = 'x-ms-correlation-request-id';
const safePattern = /^[\w.:-]{1,128}$/;

/** Gives each request an id, and sends back the correlation id of a caller that sent one (azure-api.md §5). */
export function assignRequestId(newId: () => string): Middleware {
  return (request: IncomingMessage, response, next) => {
    const id = newId();
    const given = request.headers[correlationHeader];
    response.setHeader(header, id);
    response.setHeader(correlationHeader, typeof given === 'string' && safePattern.test(given) ? given : id);
    next();
  };
}

export function requestIdOf(response: ServerResponse): string {
  return String(response.getHeader(header));
}
