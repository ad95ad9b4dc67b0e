import type { Clock } from '../../domain/clock.ts';
import { FailureError } from '../../domain/failure.ts';
import type { DeliveryTry, Notification } from '../../domain/notification.ts';
import type { Egress } from '../../egress/ports.ts';
import type { InstallationKey } from '../../secret/key-ring.ts';
import { cloudEventType } from './cloud-event.ts';
import { openNotification, signingSecrets } from './sealed.ts';
import { signatureHeaders } from './signature.ts';

export interface SendOptions {
  readonly egress: Pick<Egress, 'fetch'>;
  /** The installation's key. */
  readonly key: InstallationKey;
  readonly clock: Clock;
  /** How long a receiver may take; 10 s when left out. */
  readonly timeoutMs?: number;
}

/** What a try came to: `gone` and `refused` will not be better later. */
export interface Sent {
  readonly verdict: 'delivered' | 'later' | 'gone' | 'refused';
  readonly done: DeliveryTry;
  readonly retryAfterMs?: number;
}

const usualTimeoutMs = 10_000;
const maxRetryAfterSeconds = 6 * 3600;

/**
 * Sends one body to a notification, signed, once. 2xx counts as delivered, whatever the answer says further: it is not read. Redirects are
 * not followed. Rejects when the notification's secrets cannot be opened.
 */
export async function sendOnce(
  notification: Notification,
  { id, body }: { readonly id: string; readonly body: string },
  { egress, key, clock, timeoutMs = usualTimeoutMs }: SendOptions,
): Promise<Sent> {
  const start = clock.now();
  const secrets = openNotification(key, notification);
  const signed = { id, timestamp: Math.floor(start / 1000), body };
  const headers = {
    ...secrets.headers,
    'content-type': cloudEventType,
    ...signatureHeaders(signed, signingSecrets(secrets, start)),
  };
  const tryOf = (more: Partial<DeliveryTry>): DeliveryTry => ({
    at: new Date(start).toISOString(),
    milliseconds: clock.now() - start,
    ...more,
  });
  try {
    const answer = await egress.fetch(notification.url, { body, headers, timeoutMs, redirects: 'none', field: 'url' });
    answer.body.destroy();
    return judge(answer.status, answer.headers['retry-after'], tryOf);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { reason, message } = error.failure;
    return { verdict: reason === 'invalid-request' ? 'refused' : 'later', done: tryOf({ because: message }) };
  }
}

function judge(
  status: number,
  retryAfter: string | string[] | undefined,
  tryOf: (more: Partial<DeliveryTry>) => DeliveryTry,
): Sent {
  if (status >= 200 && status < 300) return { verdict: 'delivered', done: tryOf({ status }) };
  const done = tryOf({ status, because: explain(status) });
  if (status === 410) return { verdict: 'gone', done };
  const seconds = /^\d{1,6}$/.exec(String(retryAfter))?.[0];
  if (seconds === undefined) return { verdict: 'later', done };
  return { verdict: 'later', done, retryAfterMs: Math.min(Number(seconds), maxRetryAfterSeconds) * 1000 };
}

function explain(status: number): string {
  if (status === 410) return 'the receiver says that it is gone for good (410)';
  if (status >= 300 && status < 400) return `the receiver redirects (${status}), which is not followed`;
  return `the receiver answers ${status}`;
}
