import type { Clock } from '../../domain/clock.ts';
import { FailureError } from '../../domain/failure.ts';
import type { DeliveryTry, Notification, ReceiverAnswer } from '../../domain/notification.ts';
import type { Egress, EgressResponse } from '../../egress/ports.ts';
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

export interface Sending {
  readonly id: string;
  readonly body: string;
  /** That of a CloudEvent when left out. */
  readonly contentType?: string | undefined;
}

/**
 * Sends one body to a notification, signed, once. 2xx counts as delivered, whatever the answer says further: it is read for webhooks alone,
 * whose events show it, and no more of it than is shown. Redirects are not followed. Rejects when the notification's secrets cannot be opened.
 */
export async function sendOnce(
  notification: Notification,
  { id, body, contentType = cloudEventType }: Sending,
  { egress, key, clock, timeoutMs = usualTimeoutMs }: SendOptions,
): Promise<Sent> {
  const start = clock.now();
  const secrets = openNotification(key, notification);
  const signed = { id, timestamp: Math.floor(start / 1000), body };
  const headers = {
    'content-type': contentType,
    ...secrets.headers,
    ...signatureHeaders(signed, signingSecrets(secrets, start)),
  };
  const tryOf = (more: Partial<DeliveryTry>): DeliveryTry => ({
    at: new Date(start).toISOString(),
    milliseconds: clock.now() - start,
    ...more,
  });
  try {
    const answer = await egress.fetch(notification.url, { body, headers, timeoutMs, redirects: 'none', field: 'url' });
    const shown = await readAnswer(notification, answer);
    return judge(answer.status, answer.headers['retry-after'], (more) => tryOf({ ...more, ...shown }));
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { reason, message } = error.failure;
    return { verdict: reason === 'invalid-request' ? 'refused' : 'later', done: tryOf({ because: message }) };
  }
}

const shownBytes = 2048;
const mostHeaders = 20;

/** What is shown of an answer. One that breaks off or takes too long is shown as far as it came: its status has been heard. */
async function readAnswer(
  { webhook }: Notification,
  { body, headers }: EgressResponse,
): Promise<{ answer?: ReceiverAnswer }> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    if (webhook !== undefined)
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        chunks.push(chunk);
        bytes += chunk.byteLength;
        if (bytes >= shownBytes) break;
      }
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
  } finally {
    body.destroy();
  }
  if (webhook === undefined) return {};
  const content = Buffer.concat(chunks).subarray(0, shownBytes).toString();
  const kept = Object.entries(headers).filter(([name, value]) => name !== 'set-cookie' && value !== undefined);
  const shown = kept.slice(0, mostHeaders).map(([name, value]) => [name, String(value).slice(0, 200)] as const);
  return { answer: { headers: Object.fromEntries(shown), content } };
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
