import type { ServerResponse } from 'node:http';
import type { ErrorRequestHandler } from 'express';
import { answerError } from '../errors.ts';
import type { Log } from '../options.ts';
import { requestIdOf } from './request-id.ts';

/** Answers with a document. */
export function writeDocument(response: ServerResponse, status: number, document: object): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(document));
}

/** The one place where what was thrown becomes an answer. An answer that has begun can only be cut off. */
export function writeError(log: Log, error: unknown, response: ServerResponse): void {
  const { status, headers, body } = answerError(error);
  if (status >= 500) log.error({ err: error, requestId: requestIdOf(response) }, body.error.message);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('x-ms-error-code', body.error.code);
  writeDocument(response, status, body);
}

/** {@link writeError} at the end of an Express app. */
export function writeErrors(log: Log): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    writeError(log, error, response);
  };
}
