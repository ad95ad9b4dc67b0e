import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { SequencedEvent } from '../../src/domain/event.ts';
import { fail } from '../../src/domain/failure.ts';
import type { RunId } from '../../src/domain/run.ts';
import { createApp } from '../../src/http/app.ts';
import type { AppConfig, AppOptions, UploadSink } from '../../src/http/options.ts';
import type { RunQueue } from '../../src/queue/ports.ts';
import { isSameSecret, parseBasic } from '../../src/secret/account.ts';
import { createSigner } from '../../src/secret/sign.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import type { Store, WorkerBeat } from '../../src/store/ports.ts';
import { expectContract } from './contract.ts';

const runType = 'Microsoft.ContainerRegistry/registries/runs';
const taskType = 'Microsoft.ContainerRegistry/registries/tasks';
const campaignType = 'Microsoft.ContainerRegistry/registries/campaigns';
export const password = 'correct horse';
export const basic = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
export const testKey = Buffer.alloc(32, 7);

/** A clock that stands still until it is moved. */
export function createTestClock(at = '2026-11-21T09:00:00.000Z') {
  let ms = Date.parse(at);
  return { now: () => ms, advance: (by: number) => void (ms += by) };
}

/** A queue that remembers what was queued, in order. */
export function createTestQueue(): RunQueue & { readonly waiting: RunId[]; failWith: Error | undefined } {
  const waiting: RunId[] = [];
  const queue = {
    waiting,
    failWith: undefined as Error | undefined,
    async enqueue(id: RunId) {
      if (queue.failWith) throw queue.failWith;
      if (!waiting.includes(id)) waiting.push(id);
    },
    async enqueueMany(runs: readonly { readonly id: RunId }[]) {
      await Promise.all(runs.map(({ id }) => queue.enqueue(id)));
    },
    async remove(id: RunId) {
      if (queue.failWith) throw queue.failWith;
      const index = waiting.indexOf(id);
      if (index >= 0) waiting.splice(index, 1);
      return index >= 0;
    },
    position: async (id: RunId) => (waiting.includes(id) ? waiting.indexOf(id) + 1 : undefined),
    has: async (id: RunId) => waiting.includes(id),
    close: async () => undefined,
  };
  return queue;
}

/** A sink that keeps whole objects in memory and shows what it is being given. */
export function createTestSink(): UploadSink & {
  readonly objects: Map<string, Buffer>;
  seen: number;
  hold: Promise<void> | undefined;
} {
  const sink = {
    objects: new Map<string, Buffer>(),
    seen: 0,
    hold: undefined as Promise<void> | undefined,
    async put(key: string, stream: Readable) {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) {
        sink.seen += (chunk as Buffer).length;
        chunks.push(chunk as Buffer);
        await sink.hold;
      }
      sink.objects.set(key, Buffer.concat(chunks));
    },
    async delete(key: string) {
      sink.objects.delete(key);
    },
  };
  return sink;
}

/** Refuses what holds "BAD" and what is empty; reads all of the rest. */
async function inspectForTest(stream: Readable): Promise<void> {
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length;
    if ((chunk as Buffer).includes('BAD'))
      throw fail('invalid-context', 'neither a tar nor a gzip-compressed tar archive');
  }
  if (bytes === 0) throw fail('invalid-context', 'the archive is empty');
}

export function workingWorker(name = 'w1', more: Partial<WorkerBeat> = {}): WorkerBeat {
  const engine = { ok: true, version: '20.10.24' } as const;
  return { name, pool: 'default', concurrency: 1, running: [], engine, startTime: '2026-11-21T08:00:00.000Z', ...more };
}

export interface RigOptions extends Partial<Omit<AppOptions, 'config'>> {
  readonly config?: Partial<AppConfig>;
}

/** The app on a real server, on stand-ins for everything behind it. Ends with the test. */
export async function startRig(overrides: RigOptions = {}) {
  const clock = createTestClock();
  const store: Store = overrides.store ?? createMemoryStore({ clock });
  const queue = createTestQueue();
  const sink = createTestSink();
  const archive = new Map<string, readonly SequencedEvent[]>();
  const logged: { level: string; context: object; message: string }[] = [];
  const at = (level: string) => (context: object, message: string) => void logged.push({ level, context, message });
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config: AppConfig = {
    name: 'slipway',
    url,
    registryHost: 'localhost:5080',
    anonymousPull: false,
    upload: { maxBytes: 1024 * 1024, expiresMs: 3_600_000, idleMs: 5000 },
    heartbeatMs: 50,
    ...overrides.config,
  };
  const app = createApp({
    store,
    queue,
    blobs: sink,
    archive: { read: async (id) => archive.get(id) },
    inspectUpload: inspectForTest,
    hasUpload: async (path) => sink.objects.has(`contexts/${path}`),
    checkLocation: checkLocationForTest,
    authenticate: async (header) => {
      const account = parseBasic(header);
      return account?.username === 'admin' && isSameSecret(account.password, password) ? { name: 'admin' } : undefined;
    },
    signer: createSigner(testKey, 'http'),
    key: testKey,
    clock,
    newId: randomUUID,
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    checks: { redis: () => store.ping() },
    ...overrides,
    config,
  });
  server.on('request', app);
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const api = createCaller(`${url}/api/v1`);
  return { url, api, clock, store, queue, sink, archive, logged, server };
}

function checkLocationForTest(text: string): { location: string; secret?: string } {
  const token = /^https:\/\/([^@/]+)@(.*)$/.exec(text);
  if (token) return { location: `https://********@${token[2] ?? ''}`, secret: token[1] ?? '' };
  if (text.startsWith('https://') || text.startsWith('source/')) return { location: text };
  throw fail('invalid-request', 'sourceLocation is neither an upload, a git URL nor the URL of a tar archive', {
    field: 'sourceLocation',
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Documents are read by tests as they are.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

/** Every error, every run, every task and every campaign is held to its contract wherever a test meets it. */
function checkContract(status: number, document: unknown): void {
  if (status >= 400) expectContract('error', document);
  const { value = [] } = document as { readonly value?: readonly unknown[] };
  for (const one of [document, ...value]) {
    const { type } = one as { readonly type?: unknown };
    if (type === runType) expectContract('run', one);
    if (type === taskType) expectContract('task', one);
    if (type === campaignType) expectContract('campaign', one);
  }
}

/** Calls the API as the admin; a body is sent as JSON. */
function createCaller(base: string) {
  return async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { authorization: basic, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    const document: unknown = isJson ? JSON.parse(text) : text;
    checkContract(response.status, document);
    return { status: response.status, headers: response.headers, body: document };
  };
}

/** The smallest run request that this server takes. */
export function buildRequest(more: object = {}): object {
  return {
    type: 'DockerBuildRequest',
    dockerFilePath: 'Dockerfile',
    imageNames: ['app:v1'],
    sourceLocation: 'https://example.com/app.git#main',
    ...more,
  };
}

/** A text file as requests carry it. */
export function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

export const taskText = 'version: v1.1.0\nsteps:\n  - cmd: busybox echo hello\n';

/** The smallest run of a task file that lies in a context. */
export function fileTaskRequest(more: object = {}): object {
  return {
    type: 'FileTaskRunRequest',
    taskFilePath: 'acb.yaml',
    sourceLocation: 'https://example.com/app.git',
    ...more,
  };
}

/** The smallest run of a task file that comes along. */
export function encodedTaskRequest(more: object = {}): object {
  return { type: 'EncodedTaskRunRequest', encodedTaskContent: encode(taskText), ...more };
}

/** Waits until something holds, at most two seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 2000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('what was waited for did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
