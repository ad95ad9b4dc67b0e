import { createServer, request as send, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { createGate, type NetworkSettings } from '../../src/network/gate.ts';

describe('the gate', () => {
  let server: Server;

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  /** A server that says who asks, behind a gate. */
  async function open(settings: NetworkSettings): Promise<number> {
    const gate = createGate(settings);
    server = createServer((request, response) => {
      if (!gate.refuses(request, response)) response.end(gate.clientOf(request));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  function ask(port: number, path: string, forwarded?: string) {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    return fetch(`http://127.0.0.1:${port}${path}`, { headers });
  }

  it('lets everybody in when there are no rules', async () => {
    const port = await open({ allow: [], trustedProxies: [] });
    expect(await (await ask(port, '/v2/', '203.0.113.9')).text()).toBe('127.0.0.1');
  });

  it('answers paths of the registry with its error document, and others with that of the API', async () => {
    const port = await open({ allow: ['10.0.0.0/8'], trustedProxies: [] });
    const message = 'a client with the address 127.0.0.1 is not allowed to connect';
    for (const path of ['/v2', '/v2/', '/v2/a/manifests/b?x=y', '/acr/v1/_catalog', '/oauth2/token']) {
      const answer = await ask(port, path);
      expect([answer.status, await answer.json()]).toEqual([403, { errors: [{ code: 'DENIED', message }] }]);
      expect(answer.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
    }
    for (const path of ['/api/v1/runs', '/v2x', '/', '/healthz/x', '//healthz', '/hooks/git/a']) {
      const answer = await ask(port, path);
      expect([answer.status, await answer.json()]).toEqual([403, { error: { code: 'AuthorizationFailed', message } }]);
    }
  });

  it('lets probes of health from this machine pass, and those from elsewhere not', async () => {
    const port = await open({ allow: ['10.0.0.0/8'], trustedProxies: ['127.0.0.1'] });
    expect((await ask(port, '/healthz')).status).toBe(200);
    expect((await ask(port, '/readyz?x=1')).status).toBe(200);
    expect((await ask(port, '/healthz', '203.0.113.9')).status).toBe(403);
    expect((await ask(port, '/healthz', '10.1.1.1')).status).toBe(200);
  });

  it('measures each request by the client behind a trusted proxy', async () => {
    const port = await open({ allow: ['10.0.0.0/8'], trustedProxies: ['127.0.0.0/8'] });
    expect(await (await ask(port, '/x', '203.0.113.9, 10.1.1.1')).text()).toBe('10.1.1.1');
    expect((await ask(port, '/x', '10.1.1.1, 203.0.113.9')).status).toBe(403);
    const unknown = await ask(port, '/x', 'unknown');
    expect([unknown.status, await unknown.text()]).toEqual([403, expect.stringContaining('whose address is unknown')]);
  });

  it('believes no proxy that is not trusted', async () => {
    const port = await open({ allow: ['10.0.0.0/8'], trustedProxies: ['192.0.2.1'] });
    expect((await ask(port, '/x', '10.1.1.1')).status).toBe(403);
  });

  it('answers before a body has come, and closes', async () => {
    const port = await open({ allow: ['10.0.0.0/8'], trustedProxies: [] });
    const socket = connect(port, '127.0.0.1');
    socket.write('PUT /v2/a/blobs/uploads/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n');
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer.toLowerCase()).toContain('\r\nconnection: close\r\n');
    expect(answer).toContain('"code":"DENIED"');
  });

  it('answers HEAD without a body', async () => {
    const port = await open({ allow: ['10.0.0.0/8'], trustedProxies: [] });
    const outgoing = send({ port, path: '/v2/', method: 'HEAD' }).end();
    const [answer] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }];
    expect([answer.statusCode, await text(answer)]).toEqual([403, '']);
  });
});
