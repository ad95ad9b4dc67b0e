import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { fail } from '../../../domain/failure.ts';
import { wrong } from './refusal.ts';

/** One call of a step. */
export interface Call {
  readonly method: string;
  /** `/v1.41`, or nothing: what the path began with. */
  readonly version: string;
  /** The path without its version: `/containers/json`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
  readonly answer: ServerResponse;
  /** The connection, for a call that wants it for itself. */
  readonly connection: Socket | undefined;
}

/** Bodies that are read as a whole. */
const maxBodyBytes = 1024 * 1024;
const bodyDeadlineMs = 30_000;

async function readText(body: Readable): Promise<string> {
  const timer = setTimeout(() => body.destroy(fail('timed-out', 'the body did not arrive in time')), bodyDeadlineMs);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBodyBytes) throw fail('too-large', `the body is larger than ${maxBodyBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The body as JSON; undefined when there is none.
 * @throws `too-large`, `invalid-request`, `timed-out`
 */
export async function readBody({ body }: Call): Promise<unknown> {
  const text = await readText(body);
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw wrong('the body is no JSON');
  }
}

/** Answers with a JSON document. */
export function sendJson({ answer }: Pick<Call, 'answer'>, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  answer.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  answer.end(body);
}

/** The fields of a query that may be passed on. */
export function pick(query: URLSearchParams, names: readonly string[]): URLSearchParams {
  return new URLSearchParams([...query].filter(([name]) => names.includes(name)));
}

/** A header of the call as one text. */
export function headerOf({ headers }: Call, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}
