import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { isSupportedApi, parseEngineHost, probeEngine } from '../../src/host/engine-probe.ts';
import { ensureEngine, usualSockets } from '../../src/host/engine.ts';
import { explainLog } from '../../src/host/private-engine.ts';
import { createFakeTools } from './fakes.ts';

const facts = { Version: '28.0.1', ApiVersion: '1.48', Os: 'linux', Arch: 'amd64' };
const servers: Server[] = [];

async function serve(status: number, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(body));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const wish = { dataDir: '/nonexistent/slipway', install: false, usual: [] };

describe('engine addresses', () => {
  it.each([
    ['unix:///run/x.sock', { socketPath: '/run/x.sock' }],
    ['/run/x.sock', { socketPath: '/run/x.sock' }],
    ['tcp://engine:2376', { host: 'engine', port: 2376 }],
    ['tcp://[::1]', { host: '::1', port: 2375 }],
    ['ssh://host', undefined],
    ['npipe:////./pipe/x', undefined],
    ['', undefined],
  ])('reads "%s"', (host, expected) => {
    expect(parseEngineHost(host)).toEqual(expected);
  });

  it('include rootless and desktop engines', () => {
    expect(usualSockets('/home/me', '/run/user/1')).toContain('unix:///run/user/1/docker.sock');
    expect(usualSockets('/home/me')).not.toContain('unix://undefined/docker.sock');
  });

  it.each([
    ['1.39', true],
    ['1.38', false],
    ['1.100', true],
    ['2.0', true],
    ['', false],
  ])('takes API %s: %s', (version, isSupported) => {
    expect(isSupportedApi(version)).toBe(isSupported);
  });
});

describe('probeEngine', () => {
  it('gives the facts of an engine', async () => {
    const answer = await probeEngine(await serve(200, JSON.stringify(facts)));
    expect(answer).toEqual({ ok: true, facts: { version: '28.0.1', apiVersion: '1.48', os: 'linux', arch: 'amd64' } });
  });

  it.each([
    [200, 'hello'],
    [200, '{}'],
    [200, 'null'],
    [500, JSON.stringify(facts)],
  ])('takes a server that answers %d "%s" for no engine', async (status, body) => {
    expect(await probeEngine(await serve(status, body))).toMatchObject({ ok: false, code: 'EPROTO' });
  });

  it('never rejects on an address where nothing listens', async () => {
    expect(await probeEngine('unix:///nonexistent/docker.sock')).toMatchObject({ ok: false, code: 'ENOENT' });
  });
});

describe('ensureEngine', () => {
  it('uses DOCKER_HOST and no other', async () => {
    const host = await serve(200, JSON.stringify(facts));
    expect(await ensureEngine(createFakeTools({}), { ...wish, host })).toMatchObject({ host, started: false });
    const gone = ensureEngine(createFakeTools({}), { ...wish, host: 'unix:///nonexistent.sock', usual: [host] });
    await expect(gone).rejects.toMatchObject({ failure: { reason: 'engine-unavailable' } });
  });

  it('refuses an engine that is too old, and takes the next', async () => {
    const old = await serve(200, JSON.stringify({ ...facts, ApiVersion: '1.24' }));
    const good = await serve(200, JSON.stringify(facts));
    const found = await ensureEngine(createFakeTools({}), { ...wish, usual: [old, good] });
    expect(found.host).toBe(good);
  });

  it('tells an ordinary user what to install, or to start', async () => {
    const absent = ensureEngine(createFakeTools({}), wish);
    await expect(absent).rejects.toMatchObject({ failure: { hint: expect.stringContaining('docker.io') as string } });
    const stopped = ensureEngine(createFakeTools({ installed: ['dockerd'] }), wish);
    await expect(stopped).rejects.toMatchObject({ failure: { hint: expect.stringContaining('systemctl') as string } });
  });

  it('finds the line of a log that says why an engine gave up', () => {
    expect(explainLog('a\nfailed to start daemon: no iptables\nb')).toBe('failed to start daemon: no iptables');
    expect(explainLog('')).toBe('it said nothing');
  });
});
