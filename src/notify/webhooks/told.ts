import { createHash } from 'node:crypto';
import type { RegistryEvent } from '../../domain/event.ts';
import type { Webhook } from '../../domain/notification.ts';
import type { WebhookAction } from '../../domain/webhook.ts';
import { isInScope, parseScope } from './scope.ts';

/** What is told of an event, under the name that a webhook has asked for. */
export interface Told {
  /** A UUID, the same whenever the event is told again. */
  readonly id: string;
  readonly action: WebhookAction;
  readonly event: RegistryEvent;
}

/** A UUID (version 8: made of a digest) that stands for an event. */
export function idOf({ id }: RegistryEvent): string {
  const hex = createHash('sha256').update(id).digest('hex');
  const variant = '89ab'[parseInt(hex[16] ?? '0', 16) % 4] ?? '8';
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`];
  return [...parts, hex.slice(20, 32)].join('-');
}

const chartConfig = 'application/vnd.cncf.helm.config.v1+json';

/** A Helm chart, by its own metadata or by the media type that Helm gives to these. */
export function isChart({ chart, configMediaType }: RegistryEvent): boolean {
  return chart !== undefined || configMediaType === chartConfig;
}

/** The names of what has happened, the closest first: who does not ask for pushes of charts hears of one as of any push. */
function actionsOf(event: RegistryEvent): readonly WebhookAction[] {
  switch (event.kind) {
    case 'push':
      return isChart(event) ? ['chart_push', 'push'] : ['push'];
    case 'delete':
      return isChart(event) ? ['chart_delete', 'delete'] : ['delete'];
    case 'quarantine':
      return ['quarantine'];
    case 'untag':
      return ['untag'];
  }
}

/** The action by which a webhook is to be told of an event; undefined: it is not. */
export function findAction(
  { status, webhook }: Pick<Webhook, 'status' | 'webhook'>,
  event: RegistryEvent,
): WebhookAction | undefined {
  const scope = parseScope(webhook.scope);
  if (status === 'Disabled' || scope === undefined || !isInScope(scope, event)) return undefined;
  return actionsOf(event).find((one) => webhook.actions.includes(one));
}

/** The tag that an event is about. */
export function tagOf(event: RegistryEvent): string | undefined {
  return event.kind === 'delete' ? undefined : event.tag;
}

/** `repository:tag` or `repository@digest`. */
export function imageOf(event: RegistryEvent): string {
  const tag = tagOf(event);
  return tag === undefined ? `${event.repository}@${event.digest}` : `${event.repository}:${tag}`;
}
