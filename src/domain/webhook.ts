/**
 * What webhooks tell of: the actions of Azure Container Registry's webhooks, and `untag`, which is ours: a tag was deleted and its manifest
 * stays.
 */
export const webhookActions = ['push', 'delete', 'chart_push', 'chart_delete', 'quarantine', 'untag'] as const;

export type WebhookAction = (typeof webhookActions)[number];

/**
 * What deliveries look like: `azure` as Azure Container Registry sends them, `cloudevents` as its events reach subscribers of Event Grid,
 * `distribution` as the notifications of the reference registry.
 */
export const webhookFormats = ['azure', 'cloudevents', 'distribution'] as const;

export type WebhookFormat = (typeof webhookFormats)[number];

/** What makes a notification a webhook: it is told of the registry instead of runs. The notification's name is {@link webhookKey} then. */
export interface RegistryInterest {
  /** As people have spelt it. */
  readonly name: string;
  readonly actions: readonly WebhookAction[];
  /** '' (everything), `repository:tag`, `repository:*`, or `repository`, which stands for its tag `latest`. */
  readonly scope: string;
  readonly format: WebhookFormat;
  readonly tags: Readonly<Record<string, string>>;
}

/** 5 to 50 letters and digits, as in Azure Container Registry. */
export function isWebhookName(text: string): boolean {
  return /^[a-zA-Z0-9]{5,50}$/.test(text);
}

const prefix = 'webhook/';

/** The name that a webhook is kept under among notifications, which have no slash in theirs; letter case does not matter. */
export function webhookKey(name: string): string {
  return `${prefix}${name.toLowerCase()}`;
}

/** True for the name of a kept webhook. */
export function isWebhookKey(name: string): boolean {
  return name.startsWith(prefix);
}

/** A webhook as people want it; in a change, what is absent stays. */
export interface WebhookWish {
  /** http or https. */
  readonly serviceUri?: string | undefined;
  readonly actions?: readonly WebhookAction[] | undefined;
  readonly scope?: string | undefined;
  readonly format?: WebhookFormat | undefined;
  readonly isEnabled?: boolean | undefined;
  readonly customHeaders?: Readonly<Record<string, string>> | undefined;
  /** What deliveries are signed with. */
  readonly secret?: string | undefined;
  /** A new secret is made, whatever was there. */
  readonly rotateSecret?: boolean | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** What is kept sealed of a webhook, for those who may see it. */
export interface WebhookConfig {
  readonly serviceUri: string;
  readonly customHeaders: Readonly<Record<string, string>>;
  readonly secret: string;
}
