import type { ImageAtDigest } from '../../domain/base-image.ts';
import { fail, FailureError } from '../../domain/failure.ts';
import type { Task, TaskName, TaskSecrets } from '../../domain/task.ts';
import type { Egress } from '../../egress/ports.ts';
import type { EndpointNews, PatchQueue } from '../../queue/ports.ts';
import type { TaskStore } from '../../store/ports.ts';
import type { GraphCache } from '../graph/graph-cache.ts';
import type { CampaignRuns, WantedRun } from '../ports.ts';

export interface TellEndpointOptions {
  readonly tasks: Pick<TaskStore, 'get'>;
  /** Opens the sealed secrets of a task. */
  readonly openSecrets: (sealed: string | undefined) => TaskSecrets;
  readonly egress: Pick<Egress, 'fetch'>;
  /** Told of an endpoint that will never take it. */
  readonly onRefused: (task: TaskName, because: string) => void;
  /** How long the endpoint may take; 10 s when left out. */
  readonly timeoutMs?: number;
}

/** The body of what an endpoint is told by. */
type Payload = Readonly<Record<string, unknown>>;

function describeImage({ registry, repository, tag, digest }: ImageAtDigest): Payload {
  return { registry, repository, ...(tag !== undefined && { tag }), digest };
}

/**
 * What is sent (docs/base-images.md): `Token` has the token of the task's last run that gave one, and nothing else; `Default` says besides
 * what has changed. `id` is the same in each try.
 */
export function payloadOf(news: EndpointNews, type: 'Default' | 'Token', token: string | undefined): Payload {
  const given = { ...(token !== undefined && { token }) };
  if (type === 'Token') return given;
  return {
    id: `${news.campaign}/${news.task}/${String(news.try)}`,
    timestamp: news.at,
    action: 'base-image-update',
    task: news.task,
    campaign: news.campaign,
    images: news.images.map(describeImage),
    ...given,
  };
}

/** Undefined: it was taken. Throws for what may be better later. */
async function send(
  url: string,
  payload: Payload,
  { egress, timeoutMs = 10_000 }: TellEndpointOptions,
): Promise<string | undefined> {
  try {
    const { status, body } = await egress.fetch(url, {
      body: JSON.stringify(payload),
      headers: { 'content-type': 'application/json; charset=utf-8' },
      timeoutMs,
      redirects: 'none',
      field: 'updateTriggerEndpoint',
    });
    body.destroy();
    if (status >= 200 && status < 300) return undefined;
    const because = `the endpoint answers ${String(status)}`;
    if (status >= 500 || status === 408 || status === 429) throw fail('source-unavailable', because);
    return because;
  } catch (error) {
    if (error instanceof FailureError && error.failure.reason === 'invalid-request') return error.failure.message;
    throw error;
  }
}

function endpointOf(task: Task | undefined) {
  const trigger = task?.trigger.baseImageTrigger;
  if (task === undefined || trigger?.updateTriggerEndpoint === undefined) return undefined;
  return { task, url: trigger.updateTriggerEndpoint, type: trigger.updateTriggerPayloadType ?? 'Default' };
}

/**
 * Makes the handler of `tell` jobs: one try each to tell the endpoint of a task's trigger that the task is rebuilt. A task or endpoint that
 * is gone is told nothing. Rejects when it should be tried again, and as the store does.
 */
export function createTellEndpoint(options: TellEndpointOptions): (news: EndpointNews) => Promise<void> {
  return async (news) => {
    const found = endpointOf(await options.tasks.get(news.task));
    if (found === undefined) return;
    const { updateToken } = options.openSecrets(found.task.sealedSecrets);
    const because = await send(found.url, payloadOf(news, found.type, updateToken), options);
    if (because !== undefined) options.onRefused(news.task, because);
  };
}

function newsOf({ task, campaign, try: number, images }: WantedRun, at: string): EndpointNews {
  return { task, campaign, try: number, images, at };
}

export interface TellingOptions {
  readonly graph: GraphCache;
  readonly publish: PatchQueue['publish'];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Has the endpoints of tasks told of the runs that campaigns start for them; the runs themselves start as before. */
export function tellOfStarts(runs: CampaignRuns, { graph, publish, now }: TellingOptions): CampaignRuns {
  return {
    get: (id) => runs.get(id),
    cancel: (id, by) => runs.cancel(id, by),
    async start(wanted) {
      const results = await runs.start(wanted);
      const tasks = await graph.read();
      const told = wanted.filter(
        ({ task }, at) =>
          'runId' in (results[at] ?? {}) && tasks.task(task)?.record.trigger?.updateTriggerEndpoint !== undefined,
      );
      const at = new Date(now()).toISOString();
      for (const one of told) await publish({ kind: 'tell', news: newsOf(one, at) });
      return results;
    },
  };
}
