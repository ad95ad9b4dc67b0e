import type { FinalStatus, RunId } from './run.ts';
import type { EnabledStatus } from './task.ts';
import type { RegistryInterest, WebhookAction } from './webhook.ts';

/** What notifications tell of. */
export const notificationEvents = [
  'run.queued',
  'run.started',
  'run.succeeded',
  'run.failed',
  'run.canceled',
  'run.error',
  'run.timeout',
] as const;

export type NotificationEvent = (typeof notificationEvents)[number];

const eventsOfEnds: Readonly<Record<FinalStatus, NotificationEvent>> = {
  Succeeded: 'run.succeeded',
  Failed: 'run.failed',
  Canceled: 'run.canceled',
  Error: 'run.error',
  Timeout: 'run.timeout',
};

/** The event that a run's end is. */
export function eventOfEnd(status: FinalStatus): NotificationEvent {
  return eventsOfEnds[status];
}

/** 1 to 50 letters, digits, `-` and `_`. */
export function isNotificationName(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,49}$/.test(text);
}

/** A web address that is told of runs, or of the registry. Names are told apart by letter case. */
export interface Notification {
  readonly name: string;
  /** http or https, without a user name. */
  readonly url: string;
  readonly events: readonly NotificationEvent[];
  /** Patterns of task names; absent: runs of every task, and those of none. */
  readonly tasks?: readonly string[];
  /** What of the registry it is told of; `events` is empty then. */
  readonly webhook?: RegistryInterest;
  readonly status: EnabledStatus;
  /** Why it was disabled by itself; absent when people did it. */
  readonly disabledBecause?: string;
  /** Names of the headers that go with each delivery. */
  readonly headerNames: readonly string[];
  /** Key and header values, encrypted. */
  readonly sealed: string;
  /** ISO 8601. */
  readonly lastUpdatedTime: string;
  readonly updatedBy: string;
  /** Counts the writes, from 1. */
  readonly version: number;
}

/** A notification that is told of the registry. */
export type Webhook = Notification & { readonly webhook: RegistryInterest };

export function isWebhook(notification: Notification): notification is Webhook {
  return notification.webhook !== undefined;
}

/** What a receiver has answered: the beginning of it. */
export interface ReceiverAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly content: string;
}

/** One try to deliver. */
export interface DeliveryTry {
  /** ISO 8601. */
  readonly at: string;
  readonly milliseconds: number;
  /** HTTP status of the answer; absent: there was none. */
  readonly status?: number;
  /** Why it did not count as delivered. */
  readonly because?: string;
  /** Kept of the last try of a webhook's delivery. */
  readonly answer?: ReceiverAnswer;
}

/** One event on its way to one notification. */
export interface OutgoingDelivery {
  /** The same in each try, so that a receiver can tell a repetition. */
  readonly id: string;
  readonly notification: string;
  /** `ping` for one that people asked for. */
  readonly event: NotificationEvent | WebhookAction | 'ping';
  readonly runId?: RunId;
  /** What of the registry it is about: `repository:tag` or `repository@digest`. */
  readonly image?: string;
  /** Of the body; absent: that of a CloudEvent. */
  readonly contentType?: string;
  /** ISO 8601. */
  readonly createdTime: string;
  /** `pending`: will be tried, or tried again; `dead`: given up, until it is asked for again. */
  readonly status: 'pending' | 'delivered' | 'dead';
  /** The last tries, oldest first. */
  readonly tries: readonly DeliveryTry[];
  /** How often it was asked for again. */
  readonly replays: number;
}
