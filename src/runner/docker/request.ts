import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { engineUnavailable, isBrokenConnection, mapEngineError } from './errors.ts';

/** One call of the Engine API. */
export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  /** Path without query and version: `/images/json`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Sent as JSON. */
  readonly body?: object;
  /** Sent as it is; destroyed by its owner. */
  readonly file?: Readable;
  /** Aborts the call, also while its answer is read. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds until the answer must have begun (streams) or ended (the others); 30 s when not given. `none` for what the signal
   * alone bounds: the upload of a context.
   */
  readonly deadlineMs?: number | 'none';
}

/** The calls of an engine; all reject with `EngineRefusal` or a FailureError `engine-unavailable`. */
export interface EngineCalls {
  /** The whole answer, parsed from JSON (text that is no JSON comes as a Buffer). Asked again once when a kept connection broke. */
  json(request: EngineRequest): Promise<unknown>;
  /** The answer as it comes. */
  stream(request: EngineRequest): Promise<IncomingMessage>;
  /** The connection itself, after the engine has agreed to give it up. */
  hijack(request: EngineRequest): Promise<Duplex>;
}

/** What is used of docker-modem: its one function that sends a request. */
export interface Modem {
  dial(options: object, callback: (error: unknown, answer: unknown) => void): void;
}

const statusCodes = { 200: true, 201: true, 202: true, 204: true, 304: true };
const defaultDeadlineMs = 30_000;

type Mode = 'json' | 'stream' | 'hijack';

function dialOptions(request: EngineRequest, mode: Mode, signal: AbortSignal): object {
  const query = Object.entries(request.query ?? {}).filter(([, value]) => value !== undefined);
  return {
    method: request.method,
    path: query.length > 0 ? `${request.path}?` : request.path,
    options: { _query: Object.fromEntries(query), _body: request.body ?? {} },
    headers: { ...request.headers },
    file: request.file,
    statusCodes,
    abortSignal: signal,
    isStream: mode === 'stream',
    hijack: mode === 'hijack',
  };
}

interface Connection {
  readonly modem: Modem;
  /** The engine's address, for messages. */
  readonly host: string;
}

async function dial({ modem, host }: Connection, request: EngineRequest, mode: Mode): Promise<unknown> {
  const overdue = new AbortController();
  const ms = request.deadlineMs ?? defaultDeadlineMs;
  const timer = ms === 'none' ? undefined : setTimeout(() => overdue.abort(), ms);
  const signal = request.signal ? AbortSignal.any([request.signal, overdue.signal]) : overdue.signal;
  try {
    return await new Promise((resolve, reject) => {
      modem.dial(dialOptions(request, mode, signal), (error, answer) => {
        if (error === null || error === undefined) resolve(answer);
        else reject(mapEngineError(error, host));
      });
    });
  } catch (error) {
    if (!overdue.signal.aborted || ms === 'none') throw error;
    const call = `${request.method} ${request.path}`;
    throw engineUnavailable(`the container engine at ${host} did not answer ${call} within ${ms / 1000} s`);
  } finally {
    clearTimeout(timer);
  }
}

/** Calls of the engine behind a modem, each with its deadline and its abort. */
export function createEngineCalls(connection: Connection): EngineCalls {
  return {
    json: async (request) => {
      try {
        return await dial(connection, request, 'json');
      } catch (error) {
        const isStale = error instanceof Error && isBrokenConnection(error.cause) && request.method === 'GET';
        if (!isStale || request.signal?.aborted) throw error;
        return dial(connection, request, 'json');
      }
    },
    stream: (request) => dial(connection, request, 'stream') as Promise<IncomingMessage>,
    hijack: (request) => dial(connection, request, 'hijack') as Promise<Duplex>,
  };
}
