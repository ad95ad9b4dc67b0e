import { pino, type Logger } from 'pino';
import type { Config } from './config.ts';

/** Fields that are never written, wherever they turn up in a logged object. */
const secretFields = ['password', 'token', 'authorization', 'secret', 'sealedSecrets', 'key'];

/**
 * Makes a process's logger: JSON lines on standard output, each with the process's role. Secret fields are replaced, as a second
 * line of defence: nothing that holds one is meant to be logged at all.
 */
export function createLogger(config: Pick<Config, 'logLevel'>, role: string): Logger {
  return pino({
    level: config.logLevel,
    base: { role },
    redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '********' },
  });
}
