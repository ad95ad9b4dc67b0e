import { fail } from '../domain/failure.ts';
import { callApi, readAnswer, readJson, type ApiCall, type ApiTarget } from './api-call.ts';
import { readPages, valuesOf } from './pages.ts';
import type { DeliveryView, TaskBody, TaskCalls, TaskDocument, WebhookSetUp } from './task-types.ts';

function taskPath(name: string, more = ''): string {
  return `/tasks/${encodeURIComponent(name)}${more}`;
}

function asTask(document: unknown): TaskDocument {
  const { name, properties } = (document ?? {}) as Partial<TaskDocument>;
  if (typeof name === 'string' && typeof properties?.step === 'object') return document as TaskDocument;
  throw fail('server-unreachable', 'the server answered with something that is no task');
}

async function listTasks(target: ApiTarget): Promise<readonly TaskDocument[]> {
  const get = (path: string): Promise<unknown> => readJson(target, { method: 'GET', path, repeat: 'broken' });
  return (await readPages(get, '/tasks', {})).map(asTask);
}

function putCall(name: string, body: TaskBody, version: string | undefined): ApiCall {
  const call = { method: 'PUT', path: taskPath(name), body } as const;
  // What the first try has done makes the second one fail when a version is named.
  return version === undefined
    ? { ...call, repeat: 'patient' }
    : { ...call, repeat: 'never', headers: { 'if-match': version } };
}

async function deleteTask(target: ApiTarget, name: string): Promise<void> {
  const response = await callApi(target, { method: 'DELETE', path: taskPath(name), repeat: 'never' });
  await response.arrayBuffer();
  if (response.status !== 204) return;
  throw fail('not-found', `task ${name} does not exist`, { hint: '"slipway task list" shows the tasks' });
}

/** A delivery out of its document: the properties, and our name of it. */
function asDelivery(document: unknown): DeliveryView {
  const { name, properties } = (document ?? {}) as { readonly name?: string; readonly properties?: DeliveryView };
  if (typeof name === 'string' && typeof properties?.status === 'string') return { ...properties, id: name };
  throw fail('server-unreachable', 'the server answered with something that is no delivery');
}

type DeliveryCalls = Pick<TaskCalls, 'deliveries' | 'delivery' | 'redeliver'>;

function createDeliveryCalls(target: ApiTarget): DeliveryCalls {
  const path = (id: string, more = ''): string => `/webhookDeliveries/${encodeURIComponent(id)}${more}`;
  return {
    deliveries: async ({ top, hook }) => {
      const query = new URLSearchParams({ $top: String(top), ...(hook !== undefined && { hook }) });
      const call = { method: 'GET', path: `/webhookDeliveries?${query.toString()}`, repeat: 'broken' } as const;
      return valuesOf(await readJson(target, call)).map(asDelivery);
    },
    delivery: async (id) => asDelivery(await readJson(target, { method: 'GET', path: path(id), repeat: 'broken' })),
    redeliver: async (id) =>
      asDelivery(await readJson(target, { method: 'POST', path: path(id, '/redeliver'), repeat: 'never' })),
  };
}

/** Makes the calls of one server that concern tasks and deliveries. */
export function createTaskCalls(target: ApiTarget): TaskCalls {
  return {
    ...createDeliveryCalls(target),
    tasks: () => listTasks(target),
    task: async (name) => asTask(await readJson(target, { method: 'GET', path: taskPath(name), repeat: 'broken' })),
    taskDetails: async (name) => {
      const call = { method: 'POST', path: taskPath(name, '/listDetails'), repeat: 'broken' } as const;
      const response = await callApi(target, call);
      const version = response.headers.get('etag') ?? undefined;
      return { document: asTask(await readAnswer(target, response)), version };
    },
    putTask: async (name, body, version) => asTask(await readJson(target, putCall(name, body, version))),
    patchTask: async (name, body) =>
      asTask(await readJson(target, { method: 'PATCH', path: taskPath(name), body, repeat: 'patient' })),
    deleteTask: (name) => deleteTask(target, name),
    renewWebhookSecret: async (name, revokeOld) => {
      const path = taskPath(name, `/regenerateWebhookSecret${revokeOld ? '?revokeOld=true' : ''}`);
      const answer = await readJson(target, { method: 'POST', path, repeat: 'never' });
      return answer as { readonly url: string; readonly secrets: readonly string[] };
    },
    setUpWebhook: async (name, body) => {
      const call = { method: 'POST', path: taskPath(name, '/setUpWebhook'), body, repeat: 'never' } as const;
      return (await readJson(target, call)) as WebhookSetUp;
    },
  };
}
