import { request, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { admin, basic, codesOf, sha, startRegistry, type RunningRegistry } from './rig.ts';

let running: RunningRegistry;
beforeEach(async () => {
  running = await startRegistry();
});
afterEach(async () => {
  await running.stop();
  expect(running.errors).toEqual([]);
});

const ask = (method: string, path: string, authorization?: string): Promise<Response> =>
  fetch(running.url + path, { method, headers: authorization === undefined ? {} : { authorization } });
const restart = async (options: Parameters<typeof startRegistry>[0]): Promise<void> => {
  await running.stop();
  running = await startRegistry(options);
};

describe('without credentials', () => {
  it('every request is asked to log in, before anything else is looked at', async () => {
    const requests = [
      ['GET', '/v2/'],
      ['GET', '/v2/app/tags/list'],
      ['GET', '/v2/_catalog'],
      ['HEAD', `/v2/app/blobs/${sha('x')}`],
      ['POST', '/v2/app/blobs/uploads/'],
      ['PUT', '/v2/app/manifests/v1'],
      ['DELETE', '/v2/app/manifests/v1'],
    ] as const;
    for (const [method, path] of requests) {
      const answer = await ask(method, path);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers.get('www-authenticate')).toMatch(
        /^Bearer realm="http:[^"]+\/oauth2\/token",service="[^"]+"(?:,scope=|$)/,
      );
      expect(answer.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
      if (method !== 'HEAD') expect(await codesOf(answer)).toEqual(['UNAUTHORIZED']);
    }
  });

  it('a pull works where everybody may pull, and nothing else does', async () => {
    await restart({ anonymousPull: true });
    const { digest, bytes } = await running.pushImage('app', 'v1');
    expect(await (await ask('GET', '/v2/app/manifests/v1')).text()).toBe(bytes);
    expect((await ask('GET', '/v2/app/tags/list')).status).toBe(200);
    for (const [method, path] of [
      ['GET', '/v2/_catalog'],
      ['DELETE', `/v2/app/manifests/${digest}`],
      ['POST', '/v2/app/blobs/uploads/'],
    ] as const) {
      expect((await ask(method, path)).status).toBe(401);
    }
  });
});

describe('credentials', () => {
  it('that are right are let in', async () => {
    const answer = await ask('GET', '/v2/', basic('admin', 'secret'));
    expect([answer.status, await answer.json()]).toEqual([200, {}]);
  });

  it.each([
    'wrong password',
    'Basic',
    'Basic !!!',
    'Basic bm9jb2xvbg==',
    'Bearer x',
    'Digest username="x"',
    basic('admin', 'wrong'),
    basic('', 'x'),
  ])('that are wrong (%s) are refused, even where everybody may pull', async (authorization) => {
    expect((await ask('GET', '/v2/app/tags/list', authorization)).status).toBe(401);
    await restart({ anonymousPull: true });
    expect((await ask('GET', '/v2/app/tags/list', authorization)).status).toBe(401);
  });

  it('with a colon in the password are taken whole', async () => {
    await restart({ authenticate: (name, password) => (name === 'a' && password === 'b:c:d' ? admin : undefined) });
    expect((await ask('GET', '/v2/', basic('a', 'b:c:d'))).status).toBe(200);
  });

  it('give the rights that they give, and no more', async () => {
    const { digest } = await running.pushImage('team/app', 'v1');
    await running.pushImage('other', 'v1');
    const member = basic('member', 'secret');
    expect((await ask('GET', '/v2/team/app/manifests/v1', member)).status).toBe(200);
    expect((await ask('POST', '/v2/team/app/blobs/uploads/', member)).status).toBe(202);
    for (const [method, path] of [
      ['GET', '/v2/other/manifests/v1'],
      ['POST', '/v2/other/blobs/uploads/'],
      ['DELETE', `/v2/team/app/manifests/${digest}`],
      ['GET', '/v2/_catalog'],
    ] as const) {
      const answer = await ask(method, path, member);
      expect([answer.status, await codesOf(answer)]).toEqual([403, ['DENIED']]);
    }
  });

  it('that nobody gave, as some clients send them, count as none', async () => {
    await restart({ anonymousPull: true });
    await running.pushImage('app', 'v1');
    expect((await ask('GET', '/v2/app/manifests/v1', basic('', ''))).status).toBe(200);
  });
});

describe('a client that waits for 100 Continue', () => {
  const send = (
    path: string,
    authorization: string | undefined,
  ): Promise<{ answer: IncomingMessage; continued: boolean }> =>
    new Promise((resolve, reject) => {
      let continued = false;
      const headers = {
        expect: '100-continue',
        'content-length': '5',
        ...(authorization !== undefined && { authorization }),
      };
      const sent = request(running.url + path, { method: 'POST', headers, agent: false });
      sent.on('continue', () => {
        continued = true;
        sent.end('hello');
      });
      sent.on('response', (answer) => {
        answer.resume();
        resolve({ answer, continued });
        if (!continued) sent.destroy();
      });
      sent.on('error', reject);
      sent.flushHeaders();
    });

  it('is refused before it sends a byte of the body', async () => {
    const { answer, continued } = await send(`/v2/app/blobs/uploads/?digest=${sha('hello')}`, undefined);
    expect([answer.statusCode, continued]).toEqual([401, false]);
    const forbidden = await send('/v2/app/blobs/uploads/', basic('member', 'secret'));
    expect([forbidden.answer.statusCode, forbidden.continued]).toEqual([403, false]);
  });

  it('is asked for the body when it may push', async () => {
    const { answer, continued } = await send(`/v2/app/blobs/uploads/?digest=${sha('hello')}`, basic('admin', 'secret'));
    expect([answer.statusCode, continued]).toEqual([201, true]);
  });

  it('is served by the rest of the server when the request is not for the registry', async () => {
    const { answer, continued } = await send('/elsewhere', undefined);
    expect([answer.statusCode, continued]).toEqual([418, true]);
  });
});
