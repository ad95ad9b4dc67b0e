import { fail, FailureError } from '../../domain/failure.ts';
import { compileGlob } from '../../domain/glob.ts';
import { isNotificationName, type NotificationEvent } from '../../domain/notification.ts';
import type { EnabledStatus } from '../../domain/task.ts';
import type { Egress } from '../../egress/ports.ts';

/** A notification as people want it. */
export interface NotificationWish {
  readonly url: string;
  readonly events: readonly NotificationEvent[];
  readonly tasks?: readonly string[];
  readonly status?: EnabledStatus;
  /** Absent: as they were. */
  readonly customHeaders?: Readonly<Record<string, string>>;
  /** Absent: as it was, or a new one. */
  readonly secret?: string;
  /** A new secret is made, whatever was there. */
  readonly rotateSecret?: boolean;
}

function parseUrl(text: string, field: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw fail('invalid-request', `${field} must be an http or https URL`, { field });
  if (url.username === '' && url.password === '') return url;
  throw fail('invalid-request', `${field} must not hold a user name or password`, {
    field,
    hint: 'put them into customHeaders, where they are sealed: {"authorization": "Basic …"}',
  });
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

/**
 * Rejects with `invalid-request` that names the field. A host that is not known now may be known later; one that may not be reached is
 * refused at once.
 */
export async function checkReceiver(text: string, field: string, egress: Pick<Egress, 'resolve'>): Promise<void> {
  const url = parseUrl(text, field);
  try {
    await egress.resolve(url.hostname, portOf(url), field);
  } catch (error) {
    if (!(error instanceof FailureError) || error.failure.reason === 'invalid-request') throw error;
  }
}

/** Rejects with `invalid-request` that names the wrong field: what the contract of the body cannot say. */
export async function checkWish(name: string, wish: NotificationWish, egress: Pick<Egress, 'resolve'>): Promise<void> {
  if (!isNotificationName(name))
    throw fail('invalid-request', 'the name of a notification has 1 to 50 letters, digits, "-" and "_"', {
      field: 'name',
    });
  const wrong = (wish.tasks ?? []).findIndex((pattern) => compileGlob(pattern) === undefined);
  if (wrong >= 0) throw fail('invalid-request', `tasks[${wrong}] is no pattern`, { field: `tasks[${wrong}]` });
  if (wish.secret !== undefined && wish.rotateSecret === true)
    throw fail('invalid-request', 'secret and rotateSecret exclude each other', { field: 'rotateSecret' });
  await checkReceiver(wish.url, 'url', egress);
}
