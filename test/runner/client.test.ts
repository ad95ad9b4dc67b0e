import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { connectEngine, createDockerRunner, type Engine } from '../../src/runner/docker/index.ts';
import { mapEngineError } from '../../src/runner/docker/errors.ts';
import { parseEngineHost } from '../../src/runner/docker/host.ts';
import { aBuild, aContext, aPush, aSetup, listen, recordIo } from './rig.ts';

let server: Server | undefined;
let engine: Engine | undefined;

afterEach(async () => {
  engine?.close();
  server?.closeAllConnections();
  if (server?.listening) {
    server.close();
    await once(server, 'close');
  }
});

/** An engine that answers as the test says. */
async function fakeEngine(listener: RequestListener): Promise<Engine> {
  server = createServer(listener);
  engine = connectEngine({ host: `tcp://127.0.0.1:${await listen(server)}` });
  return engine;
}

const version = { Version: '20.10.24', ApiVersion: '1.41', Os: 'linux', Arch: 'amd64' };

describe('an engine’s address', () => {
  it('is a socket, or a host with the usual port', () => {
    expect(parseEngineHost('unix:///var/run/docker.sock')).toMatchObject({
      socketPath: '/var/run/docker.sock',
      host: undefined,
    });
    expect(parseEngineHost('tcp://10.0.0.5')).toMatchObject({ host: '10.0.0.5', port: '2375', protocol: 'http' });
    const tls = { ca: 'ca', cert: 'cert', key: 'key' };
    expect(parseEngineHost('tcp://build.example.com', tls)).toMatchObject({ port: '2376', protocol: 'https', ...tls });
  });

  it.each(['', 'docker.sock', 'unix://relative', 'ssh://host', 'ftp://x', 'tcp://'])('is not "%s"', (host) => {
    expect(() => parseEngineHost(host)).toThrow(/is no address of a container engine/);
  });

  it('is the one that was given, whatever DOCKER_HOST says', async () => {
    const before = process.env['DOCKER_HOST'];
    process.env['DOCKER_HOST'] = 'tcp://127.0.0.1:1';
    try {
      const real = await fakeEngine((_, answer) => void answer.end('OK'));
      await expect(real.ping()).resolves.toBeUndefined();
    } finally {
      if (before === undefined) delete process.env['DOCKER_HOST'];
      else process.env['DOCKER_HOST'] = before;
    }
  });
});

describe('what an engine refuses', () => {
  it.each([
    ['(HTTP code 500) unexpected - Get "https://r/v2/": EOF ', 'Get "https://r/v2/": EOF'],
    ['(HTTP code 404) no such image - pull access denied - sorry', 'pull access denied - sorry'],
    ['HTTP 500 - as it is', 'HTTP 500 - as it is'],
  ])('is said in its own words: %s', (message, own) => {
    const refusal = mapEngineError(Object.assign(new Error(message), { statusCode: 500 }), 'unix:///e.sock');
    expect(refusal).toMatchObject({ message: own, status: 500 });
  });
});

describe('an engine', () => {
  it('says its version, asked once', async () => {
    let asked = 0;
    const real = await fakeEngine((_, answer) => {
      asked += 1;
      answer.end(JSON.stringify(version));
    });
    const says = { version: '20.10.24', apiVersion: '1.41', hasBuildKit: true, platform: 'linux/amd64' };
    expect(await real.version()).toEqual(says);
    expect(await real.version()).toEqual(says);
    expect(asked).toBe(1);
  });

  it('has no BuildKit before API 1.39', async () => {
    const real = await fakeEngine((_, answer) => void answer.end(JSON.stringify({ ...version, ApiVersion: '1.38' })));
    expect((await real.version()).hasBuildKit).toBe(false);
  });

  it('is unavailable when nothing listens, and asked anew the next time', async () => {
    const nowhere = connectEngine({ host: 'tcp://127.0.0.1:1' });
    for (const _ of [1, 2]) {
      await expect(nowhere.version()).rejects.toMatchObject({
        failure: { reason: 'engine-unavailable', message: expect.stringContaining('ECONNREFUSED') },
      });
    }
  });

  it('is unavailable when it does not answer in time', async () => {
    const silent = await fakeEngine(() => {});
    await expect(silent.ping({ timeoutMs: 30 })).rejects.toMatchObject({
      failure: { reason: 'engine-unavailable', message: expect.stringContaining('within 0.03 s') },
    });
  });

  it('is unavailable when something else answers', async () => {
    const other = await fakeEngine((_, answer) => void answer.writeHead(404).end('<html>'));
    await expect(other.ping()).rejects.toMatchObject({ failure: { reason: 'engine-unavailable' } });
    await expect(other.version()).rejects.toMatchObject({ failure: { reason: 'engine-unavailable' } });
  });
});

describe('a runner whose engine goes away', () => {
  const options = { installation: 'tests', registryHost: 'x', clock: { now: Date.now } };
  const never = new AbortController().signal;

  it.each(['1.41', '1.38'])('rejects a build in the middle of the engine’s answer (API %s)', async (ApiVersion) => {
    const real = await fakeEngine((request, answer) => {
      if (request.url === '/version') answer.end(JSON.stringify({ ...version, ApiVersion }));
      else if (request.url?.startsWith('/build?')) {
        request.resume();
        request.on('end', () => {
          answer.write('{"stream":"Step 1/1 : FROM x\\n"}\n');
          setImmediate(() => answer.destroy());
        });
      } else answer.writeHead(404).end('{"message":"no"}');
    });
    const run = await createDockerRunner({ engine: real, ...options }).prepare(
      aSetup({ context: aContext({ Dockerfile: '' }) }),
    );
    await expect(run.run(aBuild({ tags: ['x/y'] }), recordIo(), never)).rejects.toMatchObject({
      failure: { reason: 'engine-unavailable' },
    });
  });

  it('rejects a push', async () => {
    const real = await fakeEngine((request, answer) => {
      if (request.url === '/version') answer.end(JSON.stringify(version));
      else request.socket.destroy();
    });
    const run = await createDockerRunner({ engine: real, ...options }).prepare(aSetup());
    await expect(run.run(aPush('x:1/y:v1'), recordIo(), never)).rejects.toMatchObject({
      failure: { reason: 'engine-unavailable' },
    });
  });

  it('fails a build whose run has no context, and a push of a name that is none', async () => {
    const real = await fakeEngine((_, answer) => void answer.end(JSON.stringify(version)));
    const run = await createDockerRunner({ engine: real, ...options }).prepare(aSetup());
    expect((await run.run(aBuild(), recordIo(), never)).kind).toBe('failed');
    expect(await run.run(aPush('UPPER/case'), recordIo(), never)).toMatchObject({ kind: 'failed' });
  });
});

describe('a call of an engine', () => {
  it('costs little however many others are under way', async () => {
    const open = await fakeEngine((request, response) => {
      if (request.url?.startsWith('/long')) response.writeHead(200).flushHeaders();
      else response.setHeader('content-type', 'application/json').end('{}');
    });
    const long = Array.from({ length: 40 }, () => open.stream({ method: 'GET', path: '/long' }));
    for (const answer of await Promise.all(long)) answer.on('error', () => undefined);
    const before = process.cpuUsage();
    for (let calls = 0; calls < 40; calls += 1) await open.json({ method: 'GET', path: '/short' });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 40_000).toBeLessThan(20);
  });
});
