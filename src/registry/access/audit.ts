/** What can be told of by a line of audit. */
export type AuditAction =
  | 'push'
  | 'delete'
  | 'untag'
  | 'restore'
  | 'purge'
  | 'import'
  | 'change-attributes'
  | 'change-policy'
  | 'login'
  | 'write-scope-map'
  | 'delete-scope-map'
  | 'write-token'
  | 'delete-token'
  | 'write-service-principal'
  | 'delete-service-principal'
  | 'generate-password'
  | 'renew-admin-password'
  | 'write-registry-credential'
  | 'delete-registry-credential';

/** One line of audit. Holds no secret: names, never what they are proved with. */
export interface AuditEntry {
  /** ISO 8601. */
  readonly time: string;
  /** A principal's name; for a login that was refused, the name that was given. */
  readonly who: string;
  /** Where the request came from. */
  readonly address?: string;
  readonly action: AuditAction;
  readonly repository?: string;
  /** A tag or digest. */
  readonly reference?: string;
  /** What else was changed: a token, a scope map, a password's name. */
  readonly name?: string;
  readonly result: 'done' | 'refused';
}

/** Takes a line of audit; never throws. */
export type Audit = (entry: AuditEntry) => void;

/** Writes lines of audit to a logger (pino fits), marked `audit: true`, with their time as `at`. */
export function createAuditLog(logger: { info(details: object, message: string): void }): Audit {
  // Every line of the log has a `time` of its own.
  return ({ time: at, ...entry }) => {
    logger.info({ audit: true, at, ...entry }, `${entry.action} ${entry.result}`);
  };
}
