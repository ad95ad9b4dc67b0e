import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { FailureReason } from '../../src/domain/failure.ts';
import { createEgress } from '../../src/egress/egress.ts';
import type { EgressOptions, Lookup } from '../../src/egress/ports.ts';

const servers: http.Server[] = [];

async function serve(handler: http.RequestListener): Promise<{ port: number; url: string }> {
  const server = http.createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${String(port)}` };
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const names: Record<string, string> = { 'a.test': '127.0.0.1', 'b.test': '127.0.0.1', 'private.test': '10.0.0.7' };
const lookup: Lookup = async (host) => {
  const address = names[host];
  if (address === undefined) throw new Error('ENOTFOUND');
  return [{ address, family: 4 }];
};

function createTestEgress(options: Partial<EgressOptions> = {}): ReturnType<typeof createEgress> {
  return createEgress({ allow: ['a.test', 'b.test', '127.0.0.1'], lookup, ...options });
}

async function expectFailure(work: Promise<unknown>, reason: FailureReason, words: string): Promise<void> {
  await expect(work).rejects.toMatchObject({ failure: { reason, message: expect.stringContaining(words) as string } });
}

describe('resolve', () => {
  it('refuses a private address and says how to allow it', async () => {
    const work = createEgress({ allow: [], lookup }).resolve('private.test', 443);
    await expectFailure(
      work,
      'invalid-request',
      'private.test (10.0.0.7) is a private address; an operator can allow it',
    );
    await expect(createEgress({ allow: [], lookup }).resolve('private.test')).rejects.toMatchObject({
      failure: { field: 'sourceLocation' },
    });
  });

  it('gives only the addresses that may be reached when a name has several', async () => {
    const mixed: Lookup = async () => [
      { address: '10.0.0.1', family: 4 },
      { address: '1.1.1.1', family: 4 },
    ];
    expect(await createEgress({ allow: [], lookup: mixed }).resolve('x')).toEqual([{ address: '1.1.1.1', family: 4 }]);
  });

  it('calls an unknown host unavailable', async () => {
    await expectFailure(createTestEgress().resolve('nowhere.test'), 'source-unavailable', 'could not be found');
  });
});

describe('fetch', () => {
  it('connects to the address that was checked and keeps the host name', async () => {
    const { port } = await serve((request, response) => response.end(request.headers.host));
    const answer = await createTestEgress().fetch(`http://a.test:${String(port)}/x`);
    expect(answer.status).toBe(200);
    expect((await buffer(answer.body)).toString()).toBe(`a.test:${String(port)}`);
  });

  it.each([
    'http://127.0.0.1:1/',
    'http://[::1]:1/',
    'http://2130706433:1/',
    'http://0x7f.1/',
    'http://[::ffff:127.0.0.1]/',
  ])('refuses %s without an allowance', async (url) => {
    await expectFailure(createEgress({ allow: [] }).fetch(url), 'invalid-request', 'loopback');
  });

  it.each(['ftp://a.test/', 'file:///etc/passwd', 'nonsense', ''])(
    'refuses %j, which is neither http nor https',
    async (url) => {
      await expectFailure(createTestEgress().fetch(url), 'invalid-request', 'only http and https');
    },
  );

  it('follows a redirect, checks it anew, and drops Authorization across hosts', async () => {
    const second = await serve((request, response) =>
      response.end(JSON.stringify(request.headers.authorization ?? 'none')),
    );
    const first = await serve((_, response) =>
      response.writeHead(302, { location: `http://b.test:${String(second.port)}/` }).end(),
    );
    const answer = await createTestEgress().fetch(`http://a.test:${String(first.port)}/`, {
      headers: { Authorization: 'Basic eA==' },
    });
    expect((await buffer(answer.body)).toString()).toBe('"none"');
    expect(answer.url).toContain('b.test');
  });

  it('keeps Authorization on a redirect to the same origin', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/') response.writeHead(307, { location: '/next' }).end();
      else response.end(request.headers.authorization);
    });
    const answer = await createTestEgress().fetch(url, { headers: { authorization: 'Basic eA==' } });
    expect((await buffer(answer.body)).toString()).toBe('Basic eA==');
  });

  it('refuses a redirect to a private address', async () => {
    const { port } = await serve((_, response) => response.writeHead(302, { location: 'http://private.test/' }).end());
    await expectFailure(
      createTestEgress().fetch(`http://a.test:${String(port)}/`),
      'invalid-request',
      'private address',
    );
  });

  it('stops after five redirects', async () => {
    let asked = 0;
    const { url } = await serve((_, response) => {
      asked += 1;
      response.writeHead(302, { location: '/again' }).end();
    });
    await expectFailure(createTestEgress().fetch(url), 'source-unavailable', 'redirects too often');
    expect(asked).toBe(6);
  });

  it('refuses what is announced as too large, and what grows too large', async () => {
    const announced = await serve((_, response) =>
      response.writeHead(200, { 'content-length': '100' }).end(Buffer.alloc(100)),
    );
    await expectFailure(createTestEgress().fetch(announced.url, { maxBytes: 99 }), 'too-large', '100 bytes');
    const growing = await serve((_, response) => {
      response.write(Buffer.alloc(60));
      response.end(Buffer.alloc(60));
    });
    const answer = await createTestEgress().fetch(growing.url, { maxBytes: 99 });
    await expectFailure(buffer(answer.body), 'too-large', '99 bytes');
  });

  it('ends a request that takes too long, before and within the body', async () => {
    const silent = await serve(() => undefined);
    await expectFailure(createTestEgress({ timeoutMs: 50 }).fetch(silent.url), 'timed-out', '50 ms');
    const halting = await serve((_, response) => response.write('x'));
    const answer = await createTestEgress({ timeoutMs: 100 }).fetch(halting.url);
    await expectFailure(buffer(answer.body), 'timed-out', '100 ms');
  });

  it('ends a lookup that takes too long', async () => {
    const egress = createTestEgress({ timeoutMs: 30, lookup: () => new Promise(() => undefined) });
    await expectFailure(egress.fetch('http://a.test/'), 'timed-out', '30 ms');
  });

  it('calls a connection that breaks off unavailable', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('x');
      setImmediate(() => response.destroy());
    });
    const answer = await createTestEgress().fetch(url);
    await expectFailure(buffer(answer.body), 'source-unavailable', 'failed');
    await expectFailure(createTestEgress().fetch('http://127.0.0.1:1/'), 'source-unavailable', 'ECONNREFUSED');
  });

  it('rejects with the reason of the signal', async () => {
    const { url } = await serve(() => undefined);
    const controller = new AbortController();
    const work = createTestEgress().fetch(url, { signal: controller.signal });
    controller.abort(new Error('the run was canceled'));
    await expect(work).rejects.toThrow('the run was canceled');
  });

  it('closes the connection when the body is destroyed unread', async () => {
    let closed = (): void => undefined;
    const isClosed = new Promise<void>((resolve) => (closed = resolve));
    const { url } = await serve((_, response) => {
      response.once('close', closed);
      response.write('x');
    });
    (await createTestEgress().fetch(url)).body.destroy();
    await isClosed;
  });
});

describe('fetchText', () => {
  it('gives the whole text, and refuses an answer that is no success or is too long', async () => {
    const { url } = await serve((request, response) => {
      response.statusCode = request.url === '/missing' ? 404 : 200;
      response.end(request.url === '/long' ? 'x'.repeat(300 * 1024) : 'a text');
    });
    const egress = createTestEgress();
    expect(await egress.fetchText(`${url}/text`)).toBe('a text');
    await expectFailure(egress.fetchText(`${url}/missing`), 'source-unavailable', '404');
    await expectFailure(egress.fetchText(`${url}/long`), 'too-large', '');
  });
});
