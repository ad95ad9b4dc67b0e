import type { RequestHandler, Response } from 'express';

const header = 'x-ms-request-id';
const safePattern = /^[\w.:-]{1,128}$/;

/** Gives each request an id, and sends back the correlation id of a caller that sent one (azure-api.md §5). */
export function assignRequestId(newId: () => string): RequestHandler {
  return (request, response, next) => {
    const id = newId();
    const given = request.get('x-ms-correlation-request-id') ?? '';
    response.set(header, id);
    response.set('x-ms-correlation-request-id', safePattern.test(given) ? given : id);
    next();
  };
}

export function requestIdOf(response: Response): string {
  return String(response.get(header));
}
