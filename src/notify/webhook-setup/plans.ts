import type { ForgeApi, ForgeClient, ForgeRequest } from '../forge/api.ts';

/** A webhook as it is to be. */
export interface WebhookWish {
  /** Where deliveries go. */
  readonly url: string;
  readonly secret: string;
  /** Pushes and tags always; pull requests where a task asks for them. */
  readonly pullRequests: boolean;
}

/** How one webhook is looked for and made. */
export interface WebhookPlan {
  readonly list: ForgeRequest;
  /** The id of the webhook with our URL in the parsed answer to `list`. */
  find(answer: unknown): string | undefined;
  readonly create: ForgeRequest;
  update(id: string): ForgeRequest;
}

type Simple = Exclude<ForgeApi, 'azure-devops'>;

interface Shape {
  readonly at: (forge: ForgeClient) => readonly string[];
  readonly body: (wish: WebhookWish) => Readonly<Record<string, unknown>>;
  readonly update: 'PATCH' | 'PUT';
  readonly query: Readonly<Record<string, string>>;
}

/** A signing token (a key of 32 bytes), which GitLab takes beside the plain one; versions before it leave the field unread. */
const signingTokenPattern = /^whsec_[A-Za-z0-9+/]{43}=$/;

/** The webhook documents of each forge's API ("Repository webhooks", "Project webhooks", "Hooks"). */
const shapes: Readonly<Record<Simple, Shape>> = {
  github: {
    at: ({ names }) => ['repos', ...names, 'hooks'],
    body: ({ url, secret, pullRequests }) => ({
      name: 'web',
      active: true,
      events: ['push', ...(pullRequests ? ['pull_request'] : [])],
      config: { url, content_type: 'json', secret, insecure_ssl: '0' },
    }),
    update: 'PATCH',
    query: { per_page: '100' },
  },
  gitea: {
    at: ({ names }) => ['repos', ...names, 'hooks'],
    body: ({ url, secret, pullRequests }) => ({
      type: 'gitea',
      active: true,
      events: ['push', ...(pullRequests ? ['pull_request', 'pull_request_sync'] : [])],
      config: { url, content_type: 'json', secret },
    }),
    update: 'PATCH',
    query: { limit: '50' },
  },
  gitlab: {
    at: ({ ids, names }) => ['projects', ids['projectId'] ?? names.join('/'), 'hooks'],
    body: ({ url, secret, pullRequests }) => ({
      url,
      token: secret,
      ...(signingTokenPattern.test(secret) && { signing_token: secret }),
      push_events: true,
      tag_push_events: true,
      merge_requests_events: pullRequests,
      enable_ssl_verification: true,
    }),
    update: 'PUT',
    query: { per_page: '100' },
  },
  'bitbucket-cloud': {
    at: ({ names }) => ['repositories', ...names, 'hooks'],
    body: ({ url, secret, pullRequests }) => ({
      description: 'Slipway',
      url,
      active: true,
      secret,
      events: ['repo:push', ...(pullRequests ? ['pullrequest:created', 'pullrequest:updated'] : [])],
    }),
    update: 'PUT',
    query: { pagelen: '100' },
  },
  'bitbucket-server': {
    at: ({ names: [project = '', slug = ''] }) => ['projects', project, 'repos', slug, 'webhooks'],
    body: ({ url, secret, pullRequests }) => ({
      name: 'Slipway',
      url,
      active: true,
      sslVerificationRequired: true,
      configuration: { secret },
      events: ['repo:refs_changed', ...(pullRequests ? ['pr:opened', 'pr:from_ref_updated'] : [])],
    }),
    update: 'PUT',
    query: { limit: '100' },
  },
};

/** The one webhook of a repository on any forge but Azure DevOps. */
export function planWebhook(forge: ForgeClient, api: Simple, wish: WebhookWish): WebhookPlan {
  const shape = shapes[api];
  const segments = shape.at(forge);
  const body = shape.body(wish);
  return {
    list: forge.request('GET', segments, { query: shape.query }),
    find: (answer) => findHook(answer, (hook) => urlOf(hook) === wish.url),
    create: forge.request('POST', segments, { body }),
    update: (id) => forge.request(shape.update, [...segments, id], { body }),
  };
}

type Members = Readonly<Record<string, unknown>>;

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null;
}

function urlOf(hook: Members): unknown {
  return isMembers(hook['config']) ? hook['config']['url'] : hook['url'];
}

/** The id of the first hook that is ours. Lists are arrays, or pages with `values` or `value`. */
function findHook(answer: unknown, isOurs: (hook: Members) => boolean): string | undefined {
  const page = isMembers(answer) && !Array.isArray(answer) ? (answer['values'] ?? answer['value']) : answer;
  const hooks = Array.isArray(page) ? (page as unknown[]).filter(isMembers) : [];
  const id = hooks.filter(isOurs).map((hook) => hook['uuid'] ?? hook['id'])[0];
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}

const azureVersion = { 'api-version': '6.0' };

/** Asks Azure DevOps for the ids of a repository and its project, which subscriptions are made with. */
export function planAzureLookup(forge: ForgeClient): ForgeRequest {
  const [project = '', name = ''] = forge.names.slice(-2);
  return forge.request('GET', [project, '_apis', 'git', 'repositories', name], { query: azureVersion });
}

/** What {@link planAzureLookup} was answered; undefined for anything else. */
export function readAzureIds(answer: unknown): { repository: string; project: string } | undefined {
  if (!isMembers(answer) || !isMembers(answer['project'])) return undefined;
  const [repository, project] = [answer['id'], answer['project']['id']];
  return typeof repository === 'string' && typeof project === 'string' ? { repository, project } : undefined;
}

/** Azure DevOps has a subscription for each event; of updates to pull requests, those that bring commits. */
export function planAzureWebhooks(
  forge: ForgeClient,
  ids: { readonly repository: string; readonly project: string },
  wish: WebhookWish,
): readonly WebhookPlan[] {
  const base = ['_apis', 'hooks', 'subscriptions'];
  const plan = (eventType: string, more: Readonly<Record<string, string>> = {}): WebhookPlan => {
    const body = {
      publisherId: 'tfs',
      eventType,
      resourceVersion: '1.0',
      consumerId: 'webHooks',
      consumerActionId: 'httpRequest',
      publisherInputs: { projectId: ids.project, repository: ids.repository, ...more },
      consumerInputs: { url: wish.url, basicAuthUsername: 'slipway', basicAuthPassword: wish.secret },
    };
    const isOurs = (hook: Members): boolean => {
      const [inputs, source] = [hook['consumerInputs'], hook['publisherInputs']];
      if (!isMembers(inputs) || !isMembers(source)) return false;
      return hook['eventType'] === eventType && inputs['url'] === wish.url && source['repository'] === ids.repository;
    };
    return {
      list: forge.request('GET', base, { query: { publisherId: 'tfs', consumerId: 'webHooks', ...azureVersion } }),
      find: (answer) => findHook(answer, isOurs),
      create: forge.request('POST', base, { query: azureVersion, body }),
      update: (id) => forge.request('PUT', [...base, id], { query: azureVersion, body: { id, ...body } }),
    };
  };
  if (!wish.pullRequests) return [plan('git.push')];
  const commits = { notificationType: 'PushNotification' };
  return [plan('git.push'), plan('git.pullrequest.created'), plan('git.pullrequest.updated', commits)];
}
