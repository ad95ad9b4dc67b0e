import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { onTestFinished } from 'vitest';
import { main } from '../../src/cli/main.ts';
import type { Wiring } from '../../src/cli/cli.ts';
import type { RunEvent, SequencedEvent } from '../../src/domain/event.ts';

/** A request as it came, its body read. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export type Handler = (seen: Seen, response: ServerResponse) => void | Promise<void>;

/** A small server that answers as it is told, by `METHOD /path` without the query; 404 for the rest. Ends with the test. */
export async function startFakeApi(handlers: Record<string, Handler>) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', 'http://x');
      const one = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: await buffer(request),
      };
      seen.push(one);
      const handler = handlers[`${one.method} ${url.pathname}`];
      if (handler) await handler(one, response);
      else sendError(response, 404, { code: 'ResourceNotFound', message: `there is nothing at ${url.pathname}` });
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url,
    seen,
    handlers,
    of: (key: string) => seen.filter((one) => `${one.method} ${one.path}`.startsWith(key)),
  };
}

export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function sendError(
  response: ServerResponse,
  status: number,
  error: { code: string; message: string; hint?: string },
): void {
  sendJson(response, { error }, status);
}

export function runDocument(more: object = {}): object {
  const properties = {
    runId: 'ca1',
    status: 'Queued',
    runType: 'QuickBuild',
    createTime: '2026-11-21T09:00:00.000Z',
    lastUpdatedTime: '2026-11-21T09:00:00.000Z',
    provisioningState: 'Succeeded',
    isArchiveEnabled: false,
    steps: [],
    attempt: 1,
    ...more,
  };
  return { id: `/x/runs/${properties.runId}`, name: properties.runId, type: 'x/runs', properties };
}

export const digest = `sha256:${'ab'.repeat(32)}`;
export const outputImage = { registry: 'localhost:5080', repository: 'app', tag: 'v1', digest };

/** Events with numbers and times, from 1 on. */
export function number(events: readonly RunEvent[]): readonly SequencedEvent[] {
  return events.map((event, at) => ({
    ...event,
    seq: at + 1,
    at: new Date(Date.UTC(2026, 10, 21, 9, 0, at)).toISOString(),
  }));
}

/** A run that ends well, with so many lines of output. */
export function successfulRun(lines = 3): readonly SequencedEvent[] {
  const step = 'build' as never;
  const output = Array.from({ length: lines }, (_, at): RunEvent => ({
    kind: 'output',
    step,
    stream: 'stdout',
    text: `line ${at + 1}`,
  }));
  return number([
    { kind: 'run-queued' },
    { kind: 'run-started', attempt: 1, worker: 'w1' },
    { kind: 'step-started', step },
    ...output,
    { kind: 'step-ended', step, outcome: { kind: 'succeeded' } },
    { kind: 'run-ended', status: 'Succeeded' },
  ]);
}

export function formatSse(event: SequencedEvent): string {
  return `id: ${event.seq}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}

export function sendEvents(response: ServerResponse, events: readonly SequencedEvent[], status = 'Succeeded'): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events) response.write(formatSse(event));
  response.end(`event: end\ndata: ${JSON.stringify({ runId: 'ca1', status })}\n\n`);
}

/** Routes of a server on which one build goes well. */
export function goodBuild(events = successfulRun()): Record<string, Handler> {
  let isOver = false;
  return {
    'GET /api/v1/': (_, response) =>
      sendJson(response, { name: 'slipway', properties: { loginServer: 'localhost:5080' } }),
    'POST /api/v1/listBuildSourceUploadUrl': (_, response) =>
      sendJson(response, {
        uploadUrl: 'http://unreachable.invalid:1/uploads/source/202611210900/x.tar.gz?sig=s',
        relativePath: 'source/202611210900/x.tar.gz',
      }),
    'PUT /uploads/source/202611210900/x.tar.gz': (_, response) => void response.writeHead(201).end(),
    'POST /api/v1/scheduleRun': (_, response) => sendJson(response, runDocument()),
    'GET /api/v1/runs/ca1/events': (_, response) => {
      isOver = true;
      sendEvents(response, events);
    },
    'GET /api/v1/runs/ca1': (_, response) =>
      sendJson(response, runDocument(isOver ? { status: 'Succeeded', outputImages: [outputImage] } : {})),
  };
}

/** What is written to it, as text; a terminal when told so. */
export class Captured extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 100;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export interface CallOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly isTTY?: boolean;
  readonly stdin?: string | Buffer;
  readonly wiring?: Wiring;
  /** What is written, for those who look at it while the command runs. */
  readonly outputs?: { readonly stdout: Captured; readonly stderr: Captured };
  /** Called when the command listens for Ctrl-C, with what presses it. */
  readonly onListening?: (press: () => void) => void;
}

/** A folder of its own for a test. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Calls the CLI as a person would, in an environment of its own. */
export async function call(argv: readonly string[], options: CallOptions = {}) {
  const { isTTY = false, env = {}, stdin = '' } = options;
  const { stdout, stderr } = options.outputs ?? { stdout: new Captured(isTTY), stderr: new Captured(isTTY) };
  const input = Object.assign(new PassThrough(), { isTTY: false });
  input.end(stdin);
  const dataDir = env['SLIPWAY_DATA'] ?? join(await makeFolder(), '.slipway');
  const code = await main(
    argv,
    {
      stdin: input,
      stdout,
      stderr,
      env: { SLIPWAY_DATA: dataDir, ...env },
      cwd: options.cwd ?? (await makeFolder()),
      clock: { now: () => Date.parse('2026-11-21T09:05:00.000Z') },
      onInterrupt: (listener) => {
        options.onListening?.(listener);
        return () => undefined;
      },
    },
    { backoffMs: [5, 5, 5], patienceMs: 20, ...options.wiring },
  );
  return { code, stdout: stdout.text, stderr: stderr.text, dataDir };
}

/** A folder with a Dockerfile, a file that it needs, and things that .dockerignore keeps out. */
export async function makeContext(): Promise<string> {
  const folder = await makeFolder();
  await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY a /a\n');
  await writeFile(join(folder, 'a'), 'a');
  await writeFile(join(folder, 'secret.txt'), 'no');
  await writeFile(join(folder, '.dockerignore'), '*.txt\nnode_modules\n');
  await mkdir(join(folder, 'node_modules'));
  await writeFile(join(folder, 'node_modules', 'b'), 'b');
  return folder;
}

/** The environment of somebody who has an account on a server. */
export function envFor(url: string, more: Record<string, string> = {}): Record<string, string> {
  return { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: 'pw', ...more };
}

/** The names of all that an archive holds. */
export async function listEntries(archive: Buffer): Promise<readonly string[]> {
  const names: string[] = [];
  const tar = extract();
  tar.on('entry', (header, stream, next) => {
    names.push(header.name);
    stream.on('end', next).resume();
  });
  await new Promise<void>((resolve, reject) => {
    tar.on('finish', resolve).on('error', reject);
    Readable.from(archive, { objectMode: false }).pipe(tar);
  });
  return names;
}
