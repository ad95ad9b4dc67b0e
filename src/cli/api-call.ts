import { setTimeout as sleep } from 'node:timers/promises';
import { fail, FailureError } from '../domain/failure.ts';
import type { Account } from '../secret/account.ts';
import { codeOf, failureOfAnswer, failureOfConnection, isAboutTls } from './api-errors.ts';

/** A server and who calls it. */
export interface ApiTarget {
  /** `http://127.0.0.1:5080` */
  readonly server: string;
  readonly account: Account | undefined;
  /** Milliseconds before each further try of a call that may be repeated. */
  readonly backoffMs: readonly number[];
}

/** One call of the API. */
export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `root`, with its query. */
  readonly path: string;
  /** `/api/v1` when not given. */
  readonly root?: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Milliseconds until the answer must have begun; 30 s when not given. */
  readonly timeoutMs?: number;
  /**
   * When it is sent again: `never`; `broken`: the connection broke half-way; `patient`: also when nothing answers or the server says
   * that it cannot serve now. Only calls whose repetition does no harm may be more than `never`.
   */
  readonly repeat: 'never' | 'broken' | 'patient';
}

function headersOf({ account }: ApiTarget, call: ApiCall): Record<string, string> {
  const word = account && Buffer.from(`${account.username}:${account.password}`).toString('base64');
  return {
    accept: 'application/json',
    ...(word !== undefined && { authorization: `Basic ${word}` }),
    ...(call.body !== undefined && { 'content-type': 'application/json' }),
    ...call.headers,
  };
}

async function send(target: ApiTarget, call: ApiCall): Promise<Response> {
  const { method, path, root = '/api/v1', body, signal, timeoutMs = 30_000 } = call;
  const stopper = new AbortController();
  const timer = setTimeout(() => stopper.abort(), timeoutMs);
  try {
    return await fetch(`${target.server}${root}${path}`, {
      method,
      redirect: 'manual',
      headers: headersOf(target, call),
      signal: signal === undefined ? stopper.signal : AbortSignal.any([signal, stopper.signal]),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    if (!stopper.signal.aborted) throw failureOfConnection(target.server, error);
    throw fail('server-unreachable', `${target.server} did not answer within ${timeoutMs / 1000} s`);
  } finally {
    clearTimeout(timer);
  }
}

async function tryOnce(target: ApiTarget, call: ApiCall): Promise<Response> {
  const response = await send(target, call);
  if (response.ok) return response;
  const location = response.headers.get('location');
  const text = await response.text().catch(() => '');
  if (location !== null && response.status < 400) {
    const hint = `Use the address that it redirects to: ${location.slice(0, 200)}`;
    throw fail('server-unreachable', `${target.server} redirects elsewhere`, { hint });
  }
  throw failureOfAnswer(target.server, response.status, text);
}

const passing = ['redis-unavailable', 'engine-unavailable', 'storage-unavailable', 'server-unreachable'];

/** True when the same call may well succeed a moment later. */
export function isPassing(error: unknown): boolean {
  return error instanceof FailureError && passing.includes(error.failure.reason);
}

/** True when a connection that stood has broken, which a server that is not there at all is not. */
export function isBroken(error: unknown): boolean {
  const code = error instanceof FailureError ? codeOf(error.cause) : undefined;
  return code !== undefined && !['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(code) && !isAboutTls(code);
}

/** Makes a call, again where that is allowed and may help. Rejects with a FailureError, or the reason of the call's signal. */
export async function callApi(target: ApiTarget, call: ApiCall): Promise<Response> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await tryOnce(target, call);
    } catch (error) {
      const wait = target.backoffMs[tries];
      const mayHelp = call.repeat === 'patient' ? isPassing(error) : call.repeat === 'broken' && isBroken(error);
      if (wait === undefined || !mayHelp) throw error;
      await sleep(wait, undefined, call.signal === undefined ? {} : { signal: call.signal });
    }
  }
}

/** The JSON of an answer. Rejects with `server-unreachable` for what is none. */
export async function readAnswer({ server }: Pick<ApiTarget, 'server'>, response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw fail('server-unreachable', `what answers at ${server} is not Slipway`, { cause });
  }
}

/** Makes a call and reads the JSON of its answer. Rejects as {@link callApi} does. */
export async function readJson(target: ApiTarget, call: ApiCall): Promise<unknown> {
  return readAnswer(target, await callApi(target, call));
}
