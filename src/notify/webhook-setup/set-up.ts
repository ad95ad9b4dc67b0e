import { fail, type FailureError } from '../../domain/failure.ts';
import type { ForgeApi, ForgeClient, ForgeRequest } from '../forge/api.ts';
import type { ForgeAnswer, SendToForge } from '../forge/send.ts';
import { planAzureLookup, planAzureWebhooks, planWebhook, readAzureIds } from './plans.ts';
import type { WebhookPlan, WebhookWish } from './plans.ts';

/** What was done about one webhook; `id` is the forge's. */
export interface WebhookResult {
  readonly action: 'created' | 'updated';
  readonly id?: string;
}

interface Way {
  readonly api: ForgeApi;
  readonly send: SendToForge;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes sure that the repository has the webhook: one with its URL is brought up to date, its secret too, else one is made. Azure DevOps
 * has one for each event. Asking twice changes nothing.
 * @throws `forbidden` when the token may not do it, `not-found` without the repository, `source-unavailable` for any other answer.
 */
export async function setUpWebhook(
  forge: ForgeClient,
  wish: WebhookWish,
  send: SendToForge,
  signal?: AbortSignal,
): Promise<readonly WebhookResult[]> {
  const way = { api: forge.api, send, signal };
  const results: WebhookResult[] = [];
  for (const plan of await makePlans(forge, wish, way)) results.push(await carryOut(plan, way));
  return results;
}

async function makePlans(forge: ForgeClient, wish: WebhookWish, way: Way): Promise<readonly WebhookPlan[]> {
  if (forge.api !== 'azure-devops') return [planWebhook(forge, forge.api, wish)];
  const ids = readAzureIds(await ask(planAzureLookup(forge), way));
  if (ids === undefined) throw fail('source-unavailable', 'Azure DevOps does not say the ids of the repository');
  return planAzureWebhooks(forge, ids, wish);
}

async function carryOut(plan: WebhookPlan, way: Way): Promise<WebhookResult> {
  const existing = plan.find(await ask(plan.list, way));
  if (existing !== undefined) {
    await ask(plan.update(existing), way);
    return { action: 'updated', id: existing };
  }
  const made = await ask(plan.create, way);
  const id = typeof made === 'object' && made !== null ? idOf(made) : undefined;
  return { action: 'created', ...(id !== undefined && { id }) };
}

function idOf(made: object): string | undefined {
  const id: unknown = 'uuid' in made ? made.uuid : 'id' in made ? made.id : undefined;
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}

async function ask(request: ForgeRequest, { api, send, signal }: Way): Promise<unknown> {
  const answer = await send(request, signal);
  if (answer.status < 200 || answer.status >= 300) throw refuse(api, answer);
  try {
    return answer.text === '' ? undefined : (JSON.parse(answer.text) as unknown);
  } catch (cause) {
    throw fail('source-unavailable', `${new URL(request.url).host} does not answer with JSON`, { cause });
  }
}

/** The right that a token needs, in each forge's words. */
const rights: Readonly<Record<ForgeApi, string>> = {
  github: 'the scope admin:repo_hook, or repository webhooks: read and write',
  gitlab: 'the scope api and the role Maintainer',
  gitea: 'write access to the repository, as its administrator',
  'bitbucket-cloud': 'the scopes webhook and repository:admin',
  'bitbucket-server': 'the permission repository admin',
  'azure-devops': 'the permission to edit subscriptions of the project',
};

/** The forge's own words are not repeated: they can hold what was sent, the secret with it. */
function refuse(api: ForgeApi, { status }: ForgeAnswer): FailureError {
  if (status === 401 || status === 403) {
    const hint = `the token needs ${rights[api]}`;
    return fail('forbidden', `the forge does not let this token manage webhooks (${String(status)})`, { hint });
  }
  if (status === 404) {
    const hint = `check the URL; a forge also says so when the token lacks ${rights[api]}`;
    return fail('not-found', 'the forge finds no such repository with this token (404)', { hint });
  }
  return fail('source-unavailable', `the forge refuses the webhook (${String(status)})`, {
    hint: 'its URL must be one that the forge can reach; add the webhook by hand if it cannot be done from here',
  });
}
