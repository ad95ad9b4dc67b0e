import { fail } from '../domain/failure.ts';
import type { Account } from '../secret/account.ts';
import { createAccessCalls } from './access-client.ts';
import { callApi, readJson, type ApiTarget } from './api-call.ts';
import { createCareCalls } from './care-client.ts';
import type { ApiClient, RunView, SecretView, WorkerView } from './api-types.ts';
import { readEventStream } from './event-stream.ts';
import { createImportCalls } from './import-client.ts';
import { createNotificationCalls } from './notification-client.ts';
import { createPatchingCalls } from './patching-client.ts';
import { putStream } from './put-stream.ts';
import { createRepositoryCalls } from './repository-client.ts';
import { createTaskCalls } from './task-client.ts';
import { createTrustCalls } from './trust-client.ts';
import { createUpkeepCalls } from './upkeep-client.ts';
import { createWebhookCalls } from './webhook-client.ts';

export interface ClientOptions {
  readonly server: string;
  readonly account?: Account | undefined;
  /** Milliseconds before each further try of what may be repeated. */
  readonly backoffMs?: readonly number[];
  /** A stream of events that is silent for so long is taken for dead (the server gives a sign of life every 15 s). */
  readonly silenceMs?: number;
}

function readRun(document: unknown): RunView {
  const { properties } = (document ?? {}) as { readonly properties?: RunView };
  if (typeof properties?.runId === 'string' && typeof properties.status === 'string') return properties;
  throw fail('server-unreachable', 'the server answered with something that is no run');
}

function listOf(document: unknown): readonly unknown[] {
  const { value } = (document ?? {}) as { readonly value?: unknown };
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/**
 * The upload URL as this client reaches it: the server writes its own idea of its address into it, which need not be good from here.
 */
function reachUpload(server: string, uploadUrl: string): string {
  const url = new URL(uploadUrl, server);
  const at = url.pathname.indexOf('/uploads/source/');
  return at < 0 ? url.href : `${server}${url.pathname.slice(at)}${url.search}`;
}

function runPath(id: string, more = ''): string {
  return `/runs/${encodeURIComponent(id)}${more}`;
}

/** The calls that concern one run. */
function createRunCalls(
  target: ApiTarget,
  silenceMs: number,
): Pick<ApiClient, 'run' | 'cancel' | 'rerun' | 'log' | 'events'> {
  return {
    run: async (id) => readRun(await readJson(target, { method: 'GET', path: runPath(id), repeat: 'broken' })),
    cancel: async (id) => {
      const response = await callApi(target, { method: 'POST', path: runPath(id, '/cancel'), repeat: 'broken' });
      await response.arrayBuffer();
    },
    rerun: async (id, { fromFailed, idempotencyKey }) => {
      const headers = { 'idempotency-key': idempotencyKey };
      const body = fromFailed ? { fromFailed } : {};
      const call = { method: 'POST', path: runPath(id, '/rerun'), body, headers, repeat: 'patient' } as const;
      return readRun(await readJson(target, call));
    },
    log: async (id) => {
      const response = await callApi(target, { method: 'GET', path: runPath(id, '/log'), repeat: 'broken' });
      return (response.body ?? []) as AsyncIterable<Uint8Array>;
    },
    events: async function* (id, after, signal) {
      const headers = { accept: 'text/event-stream', ...(after > 0 && { 'last-event-id': String(after) }) };
      const stopper = new AbortController();
      const linked = AbortSignal.any([signal, stopper.signal]);
      const call = { method: 'GET', path: runPath(id, '/events'), headers, signal: linked, repeat: 'never' } as const;
      try {
        const { body } = await callApi(target, call);
        if (body !== null) yield* readEventStream(body, { silenceMs, stop: () => stopper.abort() });
      } finally {
        stopper.abort();
      }
    },
  };
}

/** The calls that concern secrets. */
function createSecretCalls(target: ApiTarget): Pick<ApiClient, 'secrets' | 'setSecret' | 'deleteSecret'> {
  const pathOf = (name: string): string => `/secrets/${encodeURIComponent(name)}`;
  return {
    secrets: async () => {
      const document = await readJson(target, { method: 'GET', path: '/secrets', repeat: 'broken' });
      return listOf(document) as readonly SecretView[];
    },
    setSecret: async (name, value) => {
      const body = { valueBase64: value.toString('base64') };
      return (await readJson(target, { method: 'PUT', path: pathOf(name), body, repeat: 'patient' })) as SecretView;
    },
    deleteSecret: async (name) => {
      const response = await callApi(target, { method: 'DELETE', path: pathOf(name), repeat: 'never' });
      await response.arrayBuffer();
    },
  };
}

/** Makes a client of one server. Nothing is sent yet. */
export function createClient(options: ClientOptions): ApiClient {
  const { server, account, backoffMs = [250, 1000, 3000], silenceMs = 45_000 } = options;
  const target = { server, account, backoffMs };
  const get = (path: string): Promise<unknown> => readJson(target, { method: 'GET', path, repeat: 'broken' });
  return {
    ...createRunCalls(target, silenceMs),
    ...createSecretCalls(target),
    ...createTaskCalls(target),
    ...createNotificationCalls(target),
    ...createWebhookCalls(target),
    ...createPatchingCalls(target),
    ...createAccessCalls(target),
    ...createImportCalls(target),
    ...createRepositoryCalls(target),
    ...createTrustCalls(target),
    ...createCareCalls(target),
    ...createUpkeepCalls(target),
    server,
    registry: async () => {
      const { name, properties } = (await get('/')) as { name?: string; properties?: { loginServer?: string } };
      return { name: name ?? '', loginServer: properties?.loginServer ?? new URL(server).host };
    },
    scan: async (image) => {
      const call = { method: 'POST', path: '/registry/scan', body: { image }, repeat: 'never' } as const;
      return readRun(await readJson(target, call));
    },
    workers: async () => listOf(await get('/workers')) as readonly WorkerView[],
    createUpload: async (signal) => {
      const call = { method: 'POST', path: '/listBuildSourceUploadUrl', repeat: 'broken' } as const;
      const given = await readJson(target, { ...call, ...(signal && { signal }) });
      const { uploadUrl, relativePath } = given as { readonly uploadUrl: string; readonly relativePath: string };
      return { uploadUrl: reachUpload(server, uploadUrl), relativePath };
    },
    upload: (url, archive, more) => putStream(server, url, archive, more),
    scheduleRun: async (body, idempotencyKey) => {
      const headers = { 'idempotency-key': idempotencyKey };
      const call = { method: 'POST', path: '/scheduleRun', body, headers, repeat: 'patient' } as const;
      return readRun(await readJson(target, call));
    },
    runs: async ({ top, filter }) => {
      const query = new URLSearchParams({ $top: String(top), ...(filter !== undefined && { $filter: filter }) });
      return listOf(await get(`/runs?${query.toString()}`)).map(readRun);
    },
  };
}
