import type { Clock } from '../../domain/clock.ts';
import { fail, type FailureError } from '../../domain/failure.ts';
import type { Webhook } from '../../domain/notification.ts';
import { isWebhookName, webhookKey, type RegistryInterest, type WebhookWish } from '../../domain/webhook.ts';
import type { Egress } from '../../egress/ports.ts';
import type { InstallationKey } from '../../secret/key-ring.ts';
import type { NotificationStore } from '../../store/ports.ts';
import { sealNotification, type NotificationSecrets } from '../notifications/sealed.ts';
import { decideSecrets } from '../notifications/secret-change.ts';
import { checkReceiver } from '../notifications/wish.ts';
import { parseScope } from './scope.ts';

export interface WriteOptions {
  readonly notifications: NotificationStore;
  readonly egress: Pick<Egress, 'resolve'>;
  /** The installation's key. */
  readonly key: InstallationKey;
  readonly clock: Clock;
}

/** Azure Container Registry lets people say a content type of their own. */
const rules = { at: 'properties.', replaceable: ['content-type'] };

/** Throws `invalid-request` that names what is missing or wrong: what the contract of the body cannot say. */
export async function checkWebhook(name: string, wish: WebhookWish, { egress }: WriteOptions): Promise<void> {
  if (!isWebhookName(name))
    throw fail('invalid-request', 'the name of a webhook has 5 to 50 letters and digits', { field: 'name' });
  if (wish.scope !== undefined && parseScope(wish.scope) === undefined)
    throw fail('invalid-request', 'properties.scope is no scope', {
      field: 'properties.scope',
      hint: 'leave it empty for everything, or say repository:tag or repository:*',
    });
  if (wish.secret !== undefined && wish.rotateSecret === true)
    throw fail('invalid-request', 'properties.secret and properties.rotateSecret exclude each other', {
      field: 'properties.rotateSecret',
    });
  if (wish.serviceUri !== undefined) await checkReceiver(wish.serviceUri, 'properties.serviceUri', egress);
}

function missing(field: string): FailureError {
  return fail('invalid-request', `${field} is missing`, { field });
}

function interestOf(wish: WebhookWish, old: RegistryInterest): RegistryInterest {
  const { actions = old.actions, scope = old.scope, format = old.format, tags = old.tags } = wish;
  if (actions.length === 0) throw missing('properties.actions');
  return { name: old.name, actions: [...new Set(actions)], scope, format, tags };
}

interface Before {
  readonly webhook: Webhook;
  readonly secrets: NotificationSecrets;
}

function statusOf({ isEnabled }: WebhookWish, old: Webhook | undefined): Pick<Webhook, 'status' | 'disabledBecause'> {
  if (isEnabled !== undefined) return { status: isEnabled ? 'Enabled' : 'Disabled' };
  const { status = 'Enabled', disabledBecause } = old ?? {};
  return { status, ...(disabledBecause !== undefined && { disabledBecause }) };
}

export interface Write {
  readonly name: string;
  readonly wish: WebhookWish;
  readonly who: string;
  /** The version that is replaced; 0: there is none. */
  readonly version: number;
  /** What stays where the wish does not speak of it. */
  readonly kept: Partial<Before>;
}

/** Writes a webhook. Throws `invalid-request` that names the field, `conflict` when somebody else was quicker or there are too many. */
export async function writeWebhook({ name, wish, who, version, kept }: Write, options: WriteOptions): Promise<Webhook> {
  const { key, clock, notifications } = options;
  const url = wish.serviceUri ?? kept.webhook?.url;
  if (url === undefined) throw missing('properties.serviceUri');
  const { secrets } = decideSecrets(wish, { old: kept.secrets, now: clock.now(), rules });
  const stored = webhookKey(name);
  const webhook: Webhook = {
    name: stored,
    url,
    events: [],
    webhook: interestOf(wish, kept.webhook?.webhook ?? { name, actions: [], scope: '', format: 'azure', tags: {} }),
    ...statusOf(wish, kept.webhook),
    headerNames: Object.keys(secrets.headers).sort(),
    sealed: sealNotification(key, stored, secrets),
    lastUpdatedTime: new Date(clock.now()).toISOString(),
    updatedBy: who,
    version: version + 1,
  };
  await notifications.put(webhook, version);
  return webhook;
}
