import { fail, FailureError } from '../../domain/failure.ts';

/** The engine answered a call with an error: its HTTP status and its own words. */
export class EngineRefusal extends Error {
  override readonly name = 'EngineRefusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What a system error code means for somebody who wants to reach an engine. */
const hints: Readonly<Record<string, string | undefined>> = {
  ENOENT: 'is the engine running, and is its socket where DOCKER_HOST says?',
  ECONNREFUSED: 'is the engine running?',
  EACCES: 'may this user open the engine’s socket (is it in the group docker)?',
  EPERM: 'may this user open the engine’s socket (is it in the group docker)?',
  ENOTFOUND: 'is the host name in DOCKER_HOST right?',
};

/** A dropped connection has one of these codes, or none and Node's words for it. */
const broken = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR']);

function propertyOf(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined;
}

function textProperty(error: unknown, name: string): string | undefined {
  const value = propertyOf(error, name);
  return typeof value === 'string' ? value : undefined;
}

/** True when a connection that once stood has gone: trying a harmless call again makes sense. */
export function isBrokenConnection(error: unknown): boolean {
  const code = textProperty(error, 'code');
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/** The failure `engine-unavailable`, with the system's error code and what it usually means. */
export function engineUnavailable(what: string, cause?: unknown): FailureError {
  const code = textProperty(cause, 'code');
  const hint = code === undefined ? undefined : hints[code];
  const why = code === undefined ? '' : broken.has(code) ? ': the connection broke' : ` (${code})`;
  return fail('engine-unavailable', `${what}${why}`, {
    hint: hint ?? 'run `slipway doctor` to see which engine is asked and what it answers',
    retryAfterSeconds: 5,
    ...(cause !== undefined && { cause }),
  });
}

/** The engine's own words out of the client's sentence around them: `(HTTP code 500) unexpected - … `. */
function withoutFrame(message: string): string {
  return message.replace(/^\(HTTP code \d{3}\) [^-]{0,60} - /, '').trim();
}

/**
 * What an error of an engine call is: an {@link EngineRefusal} when the engine answered, a FailureError `engine-unavailable` when it
 * could not be asked or stopped in the middle. Failures of ours pass unchanged.
 */
export function mapEngineError(error: unknown, host: string): EngineRefusal | FailureError {
  if (error instanceof EngineRefusal || error instanceof FailureError) return error;
  const status = propertyOf(error, 'statusCode');
  if (typeof status === 'number') {
    const said = textProperty(propertyOf(error, 'json'), 'message') ?? textProperty(error, 'message');
    return new EngineRefusal(status, said === undefined ? 'no reason given' : withoutFrame(said));
  }
  return engineUnavailable(`the container engine at ${host} cannot be reached`, error);
}

/** True when the engine says that the thing is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof EngineRefusal && error.status === 404;
}
