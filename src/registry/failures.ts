import { OciError, toOciError } from './errors.ts';
import { sendJson, type Exchange } from './exchange.ts';
import type { RegistryLogger } from './options.ts';

/** Bytes of a body that nobody wants, read so that the client sees the answer; beyond them the connection goes. */
const drainedBytes = 16 * 1024 * 1024;

/** Answers with the OCI error document of what was thrown; a connection that cannot be answered any more is closed. */
export function answerError(exchange: Exchange, error: unknown, logger: RegistryLogger): void {
  const { req, res } = exchange;
  if (isGone(exchange, error)) {
    req.destroy();
    return;
  }
  const answer = toOciError(error);
  if (answer.status >= 500)
    logger.error({ err: error, method: exchange.method, path: exchange.path }, 'a request to the registry failed');
  if (res.headersSent) {
    res.destroy(); // a short answer must not look whole
    return;
  }
  sendJson(exchange, { errors: answer.faults }, { status: answer.status, headers: answer.headers });
}

/** After the answer: reads on for a while when the client is still sending, so that it can read what it is told. */
export function drain(exchange: Exchange): void {
  const { req } = exchange;
  if (req.complete || req.destroyed) return;
  let seen = 0;
  req.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    if (seen > drainedBytes) req.destroy();
  });
  req.on('error', () => undefined);
  req.resume();
}

/** The client went away in the middle of its body, or of our answer: nobody is there to be told. */
function isGone({ req, res }: Exchange, error: unknown): boolean {
  if (error instanceof OciError) return false;
  return req.errored !== null || (req.destroyed && !req.complete) || res.destroyed;
}
