import type { ErrorRequestHandler } from 'express';
import { answerError } from '../errors.ts';
import type { Log } from '../options.ts';
import { requestIdOf } from './request-id.ts';

/** The one place where what was thrown becomes an answer. An answer that has begun can only be cut off. */
export function writeErrors(log: Log): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const { status, headers, body } = answerError(error);
    if (status >= 500) log.error({ err: error, requestId: requestIdOf(response) }, body.error.message);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.status(status).set(headers).set('x-ms-error-code', body.error.code).json(body);
  };
}
