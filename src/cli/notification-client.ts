import type { Notification, NotificationEvent, OutgoingDelivery } from '../domain/notification.ts';
import { callApi, readJson, type ApiTarget } from './api-call.ts';

/** What the API shows of a notification; `secret` once, when it was made. */
export interface NotificationView extends Omit<Notification, 'headerNames' | 'sealed'> {
  readonly customHeaderNames: readonly string[];
  readonly secret?: string;
}

/** The body of PUT notifications/{name}. */
export interface NotificationBody {
  readonly url: string;
  readonly events: readonly NotificationEvent[];
  readonly tasks?: readonly string[];
  readonly status?: Notification['status'];
  readonly customHeaders?: Readonly<Record<string, string>>;
  readonly secret?: string;
  readonly rotateSecret?: boolean;
}

/** The calls that concern notifications. */
export interface NotificationCalls {
  notifications(): Promise<readonly NotificationView[]>;
  notification(name: string): Promise<NotificationView>;
  putNotification(name: string, body: NotificationBody): Promise<NotificationView>;
  deleteNotification(name: string): Promise<void>;
  /** Sends a test event and says what came of it. */
  pingNotification(name: string): Promise<OutgoingDelivery>;
  /** Newest first. */
  notificationDeliveries(
    name: string,
    query: { readonly top: number; readonly status?: string },
  ): Promise<readonly OutgoingDelivery[]>;
  replayDelivery(name: string, id: string): Promise<OutgoingDelivery>;
}

function pathOf(name: string, more = ''): string {
  return `/notifications/${encodeURIComponent(name)}${more}`;
}

function valuesOf(document: unknown): readonly unknown[] {
  const { value = [] } = document as { readonly value?: readonly unknown[] };
  return value;
}

/** Makes the calls that concern notifications. */
export function createNotificationCalls(target: ApiTarget): NotificationCalls {
  const get = (path: string): Promise<unknown> => readJson(target, { method: 'GET', path, repeat: 'broken' });
  const post = (path: string): Promise<unknown> => readJson(target, { method: 'POST', path, repeat: 'never' });
  return {
    notifications: async () => valuesOf(await get('/notifications')) as readonly NotificationView[],
    notification: async (name) => (await get(pathOf(name))) as NotificationView,
    // A second try of what has been done would not show the secret that was made.
    putNotification: async (name, body) =>
      (await readJson(target, { method: 'PUT', path: pathOf(name), body, repeat: 'never' })) as NotificationView,
    deleteNotification: async (name) => {
      const response = await callApi(target, { method: 'DELETE', path: pathOf(name), repeat: 'never' });
      await response.arrayBuffer();
    },
    pingNotification: async (name) => (await post(pathOf(name, '/ping'))) as OutgoingDelivery,
    notificationDeliveries: async (name, { top, status }) => {
      const query = new URLSearchParams({ $top: String(top), ...(status !== undefined && { status }) });
      return valuesOf(await get(pathOf(name, `/deliveries?${query.toString()}`))) as readonly OutgoingDelivery[];
    },
    replayDelivery: async (name, id) =>
      (await post(pathOf(name, `/deliveries/${encodeURIComponent(id)}/replay`))) as OutgoingDelivery,
  };
}
