import { FailureError, type Failure, type FailureReason } from '../domain/failure.ts';
import { headerOf, readRetryAfter } from './headers.ts';
import type { Answer } from './ports.ts';
import { readSmall } from './small-body.ts';

/** What a registry did not do. `message` has the words that a push by a container engine has for the same. */
export class RegistryRefusal extends FailureError {
  /** What it answered with; undefined when it did not. */
  readonly status: number | undefined;

  constructor(failure: Failure, status?: number, cause?: unknown) {
    super(failure, { cause });
    this.status = status;
  }
}

const maxErrorBytes = 64 * 1024;

const reasons: Readonly<Record<number, FailureReason>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  405: 'unsupported',
  409: 'conflict',
  412: 'conflict',
  413: 'too-large',
  415: 'unsupported',
  429: 'rate-limited',
  501: 'unsupported',
};

/** What a status stands for: the registry's own trouble is `source-unavailable`. */
export function reasonOf(status: number): FailureReason {
  return reasons[status] ?? (status >= 400 && status < 500 ? 'invalid-request' : 'source-unavailable');
}

/** The code and the words of an OCI error document, on one line; none where a login was refused: the answer may hold what was sent. */
async function readWords({ status, body }: Answer): Promise<string> {
  if (status === 401 || status === 403) {
    body.destroy();
    return '';
  }
  try {
    const text = (await readSmall(body, maxErrorBytes, 'the error')).toString('utf8');
    const [first] =
      (JSON.parse(text) as { readonly errors?: readonly { code?: unknown; message?: unknown }[] }).errors ?? [];
    const words = [first?.code, first?.message].filter((one) => typeof one === 'string').join(': ');
    return words === '' ? '' : ` (${words.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200)})`;
  } catch {
    return '';
  }
}

const hints: Readonly<Record<number, string>> = {
  401: 'the registry wants another name or password, or any at all',
  403: 'the login may not do this',
};

/** Makes the refusal of an answer; `what` was asked for: `GET team/app/manifests/v1`. Reads the answer. */
export async function refusalOf(
  registry: string,
  what: string,
  answer: Answer,
  nowMs: number,
): Promise<RegistryRefusal> {
  const { status, headers } = answer;
  const words = status === 401 || status === 403 ? 'denied, ' : '';
  const retryAfterMs = readRetryAfter(headers, nowMs);
  const message = `the registry ${registry} refuses ${what}: ${words}HTTP status: ${String(status)}${await readWords(answer)}`;
  const hint = hints[status];
  const failure = {
    ...{ reason: reasonOf(status), message },
    ...(hint !== undefined && { hint }),
    ...(retryAfterMs !== undefined && { retryAfterSeconds: Math.ceil(retryAfterMs / 1000) }),
  };
  return new RegistryRefusal(failure, status);
}

/** The refusal that a failure of the connection stands for; what is not of the connection stays as it is. */
export function asRefusal(error: unknown): unknown {
  if (!(error instanceof FailureError) || error instanceof RegistryRefusal) return error;
  return new RegistryRefusal(error.failure, undefined, error);
}

/** What a registry does against the rules, or sends instead of what it was asked for: asking again does not help. */
export class Misbehaviour extends RegistryRefusal {}

/** `what` goes on after the registry's name: `sends …`. */
export function misbehaves(registry: string, what: string): Misbehaviour {
  return new Misbehaviour({ reason: 'source-unavailable', message: `the registry ${registry} ${what}` });
}

/** A failure of the connection, which may pass; hosts that may not be reached never may. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof FailureError) || error instanceof Misbehaviour) return false;
  return ['source-unavailable', 'timed-out'].includes(error.failure.reason);
}

/** The media type of an answer without its parameters. */
export function mediaTypeOf({ headers }: Answer): string {
  return (headerOf(headers, 'content-type') ?? '').split(';', 1)[0]?.trim() ?? '';
}
