import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type OutgoingHttpHeaders, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunId } from '../../../src/domain/run.ts';
import { usualRunLimits } from '../../../src/domain/run-limits.ts';
import { applyLimits } from '../../../src/runner/docker/limits/applied.ts';
import { freeCpus } from '../../../src/runner/docker/limits/cpus.ts';
import { createPlan } from '../../../src/domain/step-defaults.ts';
import { connectEngine, type Engine } from '../../../src/runner/docker/index.ts';
import { sweepSockets } from '../../../src/runner/docker/socket/paths.ts';
import { createRunSocket, type RunSocket } from '../../../src/runner/docker/socket/run-socket.ts';
import type { RunScope } from '../../../src/runner/docker/scope.ts';
import { createRunVolumes } from '../../../src/runner/docker/volumes.ts';

const ownId = 'a'.repeat(64);
const own = {
  Id: ownId,
  Names: ['/slipway-i-ca1-1-..-db'],
  Labels: { 'slipway.step': '', 'slipway.origin': 'socket' },
  Created: 1,
};

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Told {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

/** A container of the classic builder, of an image that was given the run's labels. */
const forged = { ...own, Id: 'f'.repeat(64), Names: ['/eager_turing'] };

/** An engine that notes what it is asked, has one container of the run, and echoes on connections that are given up to it. */
function createStubEngine(seen: Seen[]): Server {
  const server = createServer((incoming, answer) => {
    let body = '';
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      seen.push({ method, url, headers, body });
      if (url.includes('/rename')) {
        answer.writeHead(409).end('{"message":"the name /slipway-i-ca1-1-..-x is taken"}');
        return;
      }
      if (url.startsWith('/containers/json')) answer.end(JSON.stringify([own, forged]));
      else if (url.includes('/exec/')) answer.end(JSON.stringify({ ContainerID: ownId }));
      else if (url.startsWith('/networks')) answer.end('[]');
      else
        answer
          .writeHead(url.includes('/stop') ? 204 : 200, { 'Builder-Version': '2' })
          .end(method === 'HEAD' || url.includes('/stop') ? undefined : '{}');
    });
  });
  server.on('upgrade', (incoming, socket: Socket, head) => {
    seen.push({
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      headers: incoming.headers,
      body: head.toString(),
    });
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    socket.write(head);
    socket.pipe(socket);
  });
  return server;
}

describe('the engine socket of a run', () => {
  let directory: string;
  let stub: Server;
  let engine: Engine;
  let socket: RunSocket;
  let path: string;
  let seen: Seen[];

  function scopeOf(change: Partial<RunScope> = {}): RunScope {
    return {
      engine,
      address: engine.address,
      setup: { runId: 'ca1' as RunId, attempt: 1, registryCredentials: {} },
      plan: createPlan([]),
      installation: 'i',
      settings: { socketDirectory: join(directory, 's') },
      limits: applyLimits({
        plan: createPlan([]),
        settings: usualRunLimits,
        capacity: { memoryBytes: 0, cpus: 0 },
        cpus: undefined,
        maxParallel: undefined,
      }),
      cpus: freeCpus,
      now: () => 0,
      inBackground: (_, work) => work(),
      ...change,
    };
  }

  beforeEach(async () => {
    seen = [];
    directory = await mkdtemp(join(tmpdir(), 'socket-test-'));
    stub = createStubEngine(seen).listen(join(directory, 'engine'));
    await once(stub, 'listening');
    engine = connectEngine({ host: `unix://${join(directory, 'engine')}` });
    const scope = scopeOf();
    socket = createRunSocket(scope, createRunVolumes(scope));
    const access = await socket.open();
    if (access.kind !== 'socket') throw new Error(access.why);
    ({ path } = access);
  });
  afterEach(async () => {
    await socket.close();
    engine.close();
    stub.close();
    stub.closeAllConnections();
    await rm(directory, { recursive: true, force: true });
  });

  function call(method: string, url: string, headers: OutgoingHttpHeaders = {}, body?: string | Buffer): Promise<Told> {
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: path, method, path: url, headers, agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  const forwarded = (): readonly Seen[] =>
    seen.filter(({ url }) => !url.startsWith('/containers/json') && !url.startsWith('/networks'));

  it('lies in a directory of its own, where everybody who gets in may use it', async () => {
    expect((await stat(join(directory, 's'))).mode & 0o777).toBe(0o700);
    expect((await stat(path)).mode & 0o777).toBe(0o666);
    await expect(socket.open()).resolves.toEqual({ kind: 'socket', path });
  });

  it('passes a call about a container of the run by the container’s id, with nothing else of the client’s', async () => {
    const headers = { 'x-evil': '1', 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await call('POST', '/v1.41/containers/db/stop?t=5&checkpoint=x', headers, 't=1&signal=KILL');
    expect(answer.status).toBe(204);
    expect(forwarded()).toMatchObject([{ method: 'POST', url: `/v1.41/containers/${ownId}/stop?t=5`, body: '' }]);
    expect(Object.keys(forwarded()[0]?.headers ?? {}).sort()).toEqual(['connection', 'content-length', 'host']);
  });

  it.each([
    ['POST', '/session', 403, 'BuildKit'],
    ['GET', '/v1.41/swarm', 403, 'as a whole'],
    ['POST', '/v1.23/containers/db/start', 400, 'too old'],
    ['POST', '/containers/eager_turing/stop', 404, 'No such container: eager_turing'],
    ['POST', `/containers/${'f'.repeat(64)}/kill`, 404, 'No such container'],
    ['POST', '/containers/other/stop', 404, 'No such container: other'],
    ['POST', '/containers/db/rename?name=x', 409, 'the name /x is taken'],
    ['POST', '/containers/db/rename?name=a%2Fb', 400, 'Invalid name'],
    ['POST', '/images/create?fromSrc=http%3A%2F%2Fx', 403, 'URL'],
    ['POST', '/images/app/push', 403, 'one tag'],
    ['GET', '/exec/abc/json', 404, 'No such exec'],
    ['GET', '/containers/json?filters=x', 400, 'JSON'],
  ])('answers %s %s with %i and says why', async (method, url, status, message) => {
    const answer = await call(method, url);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(message)]);
    expect(JSON.parse(answer.text)).toEqual({ message: expect.any(String) as string });
  });

  it('takes no body that is too large or no JSON', async () => {
    const headers = { 'content-type': 'application/json' };
    expect(await call('POST', '/containers/create', headers, Buffer.alloc(2 * 1024 * 1024, ' '))).toMatchObject({
      status: 413,
    });
    expect(await call('POST', '/containers/create', headers, '{')).toMatchObject({ status: 400 });
    expect(forwarded()).toEqual([]);
  });

  it('says that there is no BuildKit', async () => {
    expect((await call('HEAD', '/_ping')).headers['builder-version']).toBe('1');
  });

  it('makes things of the run', async () => {
    const answer = await call('POST', '/v1.41/containers/create?name=db2', {}, JSON.stringify({ Image: 'app' }));
    expect(answer.status).toBe(201);
    const [made] = forwarded();
    expect(made?.url).toBe('/containers/create?name=slipway-i-ca1-1-..-db2');
    expect(JSON.parse(made?.body ?? '')).toMatchObject({
      Labels: { 'slipway.installation': 'i', 'slipway.run': 'ca1', 'slipway.origin': 'socket' },
    });
  });

  /** Opens a connection of its own, sends a head, and gives what comes until the end. */
  async function converse(head: string, body: string, later: string): Promise<string> {
    const client = connect({ path, allowHalfOpen: true });
    let text = '';
    client.on('data', (chunk: Buffer) => {
      if (text === '' && later !== '') client.end(later);
      text += chunk.toString();
    });
    client.write(
      `${head}\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await once(client, 'end');
    client.destroy();
    return text;
  }

  it('gives a connection up to the engine, in both directions, and with its body', async () => {
    const attached = await converse('POST /containers/db/attach?stdin=1 HTTP/1.1', '', 'said');
    expect(attached).toMatch(/^HTTP\/1.1 101 UPGRADED\r\n[^]*\r\n\r\nsaid$/);
    const started = await converse(`POST /exec/${ownId}/start HTTP/1.1`, '{"Detach":false,"Evil":false}', 'typed');
    expect(started).toMatch(/\r\n\r\n\{"Detach":false\}typed$/);
    expect(forwarded().at(-1)?.url).toBe(`/exec/${ownId}/start`);
  });

  it('answers a connection that may not be given up like any other call', async () => {
    expect(await converse('POST /containers/other/attach HTTP/1.1', '', '')).toMatch(
      /^HTTP\/1.1 404 [^]*No such container/,
    );
    expect(await converse('POST /session HTTP/1.1', '', '')).toMatch(/^HTTP\/1.1 403 /);
  });

  it('is gone when it is closed, with whoever was connected, and removes what was made', async () => {
    const client = connect({ path });
    await once(client, 'connect');
    const left = once(client, 'close');
    await socket.close();
    await left;
    expect(forwarded().map(({ method, url }) => `${method} ${url}`)).toContain(
      `DELETE /containers/${ownId}?force=1&v=1`,
    );
    await expect(stat(path)).rejects.toThrow('ENOENT');
    await expect(socket.open()).resolves.toMatchObject({ kind: 'refused' });
  });

  it('can be left to another worker: what was made stays', async () => {
    socket.abandon();
    await expect.poll(() => stat(path).catch(() => 'gone')).toBe('gone');
    expect(forwarded()).toEqual([]);
  });

  it('is refused where it cannot be', async () => {
    const open = (change: Partial<RunScope>): Promise<unknown> => {
      const scope = scopeOf(change);
      return createRunSocket(scope, createRunVolumes(scope)).open();
    };
    const remote = connectEngine({ host: 'tcp://10.1.2.3:2375' });
    await expect(open({ address: remote.address })).resolves.toMatchObject({
      why: expect.stringContaining('another machine') as string,
    });
    await expect(open({ settings: {} })).resolves.toMatchObject({
      why: expect.stringContaining('no directory') as string,
    });
    const file = { socketDirectory: join(directory, 'engine') };
    await expect(open({ settings: file })).resolves.toMatchObject({
      why: expect.stringContaining('could not be opened') as string,
    });
    remote.close();
  });

  it('left by a worker that died is swept once its run is over', async () => {
    const sweep = (installation: string, ...live: string[]): Promise<void> =>
      sweepSockets(join(directory, 's'), { installation, liveRuns: new Set(live) });
    await sweep('other');
    await sweep('i', 'ca1');
    await expect(stat(path)).resolves.toBeDefined();
    await sweep('i', 'ca2');
    await expect(stat(path)).rejects.toThrow('ENOENT');
    await sweepSockets(join(directory, 'none'), { installation: 'i', liveRuns: new Set() });
  });
});
