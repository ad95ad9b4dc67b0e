import { describe, expect, it } from 'vitest';
import { readChallenge } from '../../src/registry-client/challenge.ts';
import { nextPage, readRetryAfter } from '../../src/registry-client/headers.ts';
import { createSender } from '../../src/registry-client/sender.ts';
import { tokenUrlOf } from '../../src/registry-client/token.ts';
import { bot, openClients, startServer } from './rig.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const basic = `Basic ${Buffer.from('bot:pa55word').toString('base64')}`;

describe('what a registry asks for', () => {
  it('is a token where one is offered, else a password', () => {
    const bearer = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a:pull"';
    expect(readChallenge(bearer)).toEqual({
      ...{ kind: 'bearer', realm: 'https://auth.docker.io/token', service: 'registry.docker.io' },
      scope: 'repository:a:pull',
    });
    expect(readChallenge(['Basic realm="x"', bearer])).toMatchObject({ kind: 'bearer' });
    expect(readChallenge('bearer realm=https://a.test/t, error="x"')).toMatchObject({ realm: 'https://a.test/t' });
    expect(readChallenge('Basic realm="x"')).toEqual({ kind: 'basic' });
    for (const none of ['Bearer realm="nowhere"', 'Negotiate', undefined]) expect(readChallenge(none)).toBeUndefined();
  });

  it('is asked of the server of tokens for one repository, or several', () => {
    const challenge = { kind: 'bearer', realm: 'https://auth.test/token?x=1', service: 'a b' } as const;
    expect(tokenUrlOf(challenge, ['repository:library/node:pull', 'repository:b:pull'])).toBe(
      'https://auth.test/token?x=1&service=a+b&scope=repository%3Alibrary%2Fnode%3Apull&scope=repository%3Ab%3Apull',
    );
  });
});

/** A registry that wants tokens, which `token` gives out. */
async function startTokens(token: (path: string, authorization: string | undefined, body: string) => object | number) {
  const fake = await startServer(({ path, headers, body }, response) => {
    if (path.startsWith('/token')) {
      const given = token(path, headers.authorization, body.toString());
      if (typeof given === 'number') response.writeHead(given).end();
      else response.end(JSON.stringify(given));
    } else if (headers.authorization?.startsWith('Bearer good') === true)
      response.writeHead(200, { 'docker-content-digest': digest }).end();
    else
      response
        .writeHead(401, { 'www-authenticate': `Bearer realm="http://${fake.host}/token",service="s"` })
        .end('{"errors":[]}');
  });
  return fake;
}

describe('logging in to a registry', () => {
  it('keeps a token for as long as it is good, and asks for another one once when it is refused early', async () => {
    let given = 0;
    const fake = await startTokens(() => ({ access_token: `good${String((given += 1))}`, expires_in: 300 }));
    const { clients, advance } = openClients([bot]);
    const client = clients.at(fake.host);
    for (let times = 0; times < 3; times += 1) expect(await client.resolve('app', 'v1')).toBe(digest);
    expect(given).toBe(1);
    advance(300_000);
    await client.resolve('app', 'v1');
    expect(given).toBe(2);
    await client.resolve('other', 'v1');
    expect(given).toBe(3);
    expect(fake.requests.filter(({ headers }) => headers.authorization === basic)).toHaveLength(3);
  });

  it('goes on as a stranger where no login is known, and tells that it was denied without the password', async () => {
    const fake = await startTokens((_, authorization) => (authorization === undefined ? { token: 'good' } : 401));
    expect(await openClients().clients.at(fake.host).resolve('app', 'v1')).toBe(digest);
    const refused = openClients([bot]).clients.at(fake.host).resolve('app', 'v1');
    await expect(refused).rejects.toMatchObject({ status: 401, failure: { reason: 'unauthenticated' } });
    const error = await refused.catch((one: unknown) => String(one) + JSON.stringify(one));
    expect(error).toContain(`${fake.host} refuses HEAD app/manifests/v1: denied`);
    expect(error).not.toContain('pa55word');
  });

  it.each([
    [
      { ...bot, userName: '00000000-0000-0000-0000-000000000000' },
      'refresh_token=pa55word',
      'grant_type=refresh_token',
    ],
    [bot, 'password=pa55word', 'grant_type=password'],
  ])('posts a form where the server of tokens wants one: %j', async (credential, secret, grant) => {
    const fake = await startTokens((_, _authorization, body) => (body === '' ? 405 : { access_token: 'good' }));
    expect(await openClients([credential]).clients.at(fake.host).resolve('app', 'v1')).toBe(digest);
    const form = fake.requests.find(({ method }) => method === 'POST')?.body.toString() ?? '';
    for (const part of [secret, grant, 'service=s', 'scope=repository%3Aapp%3Apull']) expect(form).toContain(part);
  });

  it('takes what the registry says that the token must be good for', async () => {
    const fake = await startServer(({ path, headers }, response) => {
      if (path.startsWith('/token')) response.end('{"token":"good"}');
      else if (headers.authorization === undefined)
        response
          .writeHead(401, {
            'www-authenticate': `Bearer realm="http://${fake.host}/token",scope="repository:x/app:pull"`,
          })
          .end();
      else response.writeHead(200, { 'docker-content-digest': digest }).end();
    });
    await openClients([bot]).clients.at(fake.host).resolve('app', 'v1');
    expect(fake.log()[1]).toBe('GET /token?scope=repository%3Ax%2Fapp%3Apull');
  });

  it('calls a server of tokens that sends nonsense a failure', async () => {
    const fake = await startServer(({ path }, response) => {
      if (path.startsWith('/token')) response.end('<html>');
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${fake.host}/token"` }).end();
    });
    const { clients } = openClients([], { tries: 1 });
    await expect(clients.at(fake.host).resolve('app', 'v1')).rejects.toThrow('no JSON');
  });
});

describe('a redirect', () => {
  it('of a blob is followed, and the login does not go to another host', async () => {
    const store = await startServer((_, response) => response.end('blob'));
    const fake = await startServer(({ headers }, response) => {
      if (headers.authorization === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      else response.writeHead(307, { location: `http://${store.host}/signed?x=1` }).end();
    });
    const { clients } = openClients([bot]);
    const blob = 'sha256:fa2c8cc4f28176bbeed4b736df569a34c79cd3723e9ec42f9674b4d46ac6b8b8';
    expect((await clients.at(fake.host).smallBlob('app', blob as never)).toString()).toBe('blob');
    expect(store.requests[0]?.headers.authorization).toBeUndefined();
    expect(store.log()).toEqual(['GET /signed?x=1']);
  });

  it('to what may not be reached, in a circle, or of an upload is not followed', async () => {
    const fake = await startServer(({ path }, response) => {
      const location = path.includes('away') ? 'http://10.0.0.1/x' : path;
      response.writeHead(302, { location }).end();
    });
    const client = openClients([], { tries: 1 }).clients.at(fake.host);
    await expect(client.resolve('app', 'away')).rejects.toMatchObject({ failure: { reason: 'invalid-request' } });
    await expect(client.resolve('app', 'circle')).rejects.toThrow('redirects too often');
    const blob = { digest: digest as never, bytes: Buffer.from('x') };
    await expect(client.putBlob('app', blob)).rejects.toMatchObject({ status: 302 });
  });
});

describe('a registry that is busy', () => {
  it('is asked again after the pause that it names, a few times', async () => {
    let times = 0;
    const fake = await startServer((_, response) => {
      times += 1;
      if (times === 1) response.writeHead(429, { 'retry-after': '7' }).end();
      else if (times === 2) response.writeHead(503).end();
      else response.writeHead(200, { 'docker-content-digest': digest }).end();
    });
    const { clients, slept } = openClients();
    expect(await clients.at(fake.host).resolve('app', 'v1')).toBe(digest);
    expect(slept).toEqual([7000, 1000]);
  });

  it('is told of when it goes on, or asks for too long a pause', async () => {
    let headers: Record<string, string> = {};
    const fake = await startServer((_, response) => response.writeHead(429, headers).end());
    const { clients, slept } = openClients();
    const refused = { status: 429, failure: { reason: 'rate-limited' } };
    await expect(clients.at(fake.host).resolve('app', 'v1')).rejects.toMatchObject(refused);
    expect(slept).toEqual([500, 1000, 2000]);
    headers = { 'retry-after': '3600' };
    const failure = { ...refused.failure, retryAfterSeconds: 3600 };
    await expect(clients.at(fake.host).resolve('app', 'v1')).rejects.toMatchObject({ ...refused, failure });
    expect(slept).toHaveLength(3);
  });

  it('is asked again when the connection breaks, and not when it may not be reached at all', async () => {
    let times = 0;
    const fake = await startServer((_, response) => {
      times += 1;
      if (times < 3) response.destroy();
      else response.writeHead(200, { 'docker-content-digest': digest }).end();
    });
    const { clients } = openClients();
    expect(await clients.at(fake.host).resolve('app', 'v1')).toBe(digest);
    const shut = openClients([], {}, []);
    await expect(shut.clients.at(fake.host).resolve('app', 'v1')).rejects.toMatchObject({
      failure: { reason: 'invalid-request', message: expect.stringContaining('SLIPWAY_EGRESS_ALLOW') as string },
    });
    expect(shut.slept).toEqual([]);
  });

  it('says by seconds or a date when', () => {
    const now = Date.parse('2026-11-21T09:00:00.000Z');
    expect(readRetryAfter({ 'retry-after': '120' }, now)).toBe(120_000);
    expect(readRetryAfter({ 'retry-after': 'Sat, 21 Nov 2026 09:01:00 GMT' }, now)).toBe(60_000);
    expect(readRetryAfter({ 'retry-after': 'soon' }, now)).toBeUndefined();
  });
});

describe('a request', () => {
  it('ends with its signal, and when a registry takes too long or says nothing', async () => {
    const fake = await startServer(() => undefined);
    const abort = new AbortController();
    const slow = openClients([], { tries: 1, limits: { timeoutMs: 50 } });
    await expect(slow.clients.at(fake.host).resolve('app', 'v1')).rejects.toMatchObject({
      failure: { reason: 'timed-out' },
    });
    const asked = openClients().clients.at(fake.host, abort.signal).resolve('app', 'v1');
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    const sender = createSender({ idleMs: 50 });
    const idle = openClients([], { sender, tries: 1 });
    await expect(idle.clients.at(fake.host).openBlob('app', digest as never)).rejects.toMatchObject({
      failure: { reason: 'timed-out' },
    });
    sender.close();
  });

  it('says the words of an error document on one line, and what the reason is', async () => {
    const message = `bad\n${'x'.repeat(500)}`;
    const fake = await startServer((_, response) =>
      response.writeHead(400).end(JSON.stringify({ errors: [{ code: 'MANIFEST_INVALID', message }] })),
    );
    const bytes = Buffer.from('{}');
    const sent = { digest: digest as never, mediaType: 'a/b', bytes };
    const refused = await openClients()
      .clients.at(fake.host)
      .putManifest('app', 'v1', sent)
      .catch((error: unknown) => error as Error);
    expect(refused).toMatchObject({ status: 400, failure: { reason: 'invalid-request' } });
    expect((refused as Error).message).toMatch(/HTTP status: 400 \(MANIFEST_INVALID: bad x+\)$/);
    expect((refused as Error).message.length).toBeLessThan(350);
  });

  it('follows the pages of tags within the registry, and nowhere else', async () => {
    expect(nextPage({ link: '</v2/a?x=1>; rel="next"' }, 'http://a.test/v2/')).toBe('http://a.test/v2/a?x=1');
    expect(nextPage({ link: '<http://b.test/>; rel="next"' }, 'http://a.test/v2/')).toBeUndefined();
    const fake = await startServer(({ path }, response) => {
      const isFirst = !path.includes('last');
      response.writeHead(200, isFirst ? { link: '</v2/app/tags/list?last=1&n=1000>; rel="next"' } : {});
      response.end(JSON.stringify({ tags: isFirst ? ['1', 7] : ['2'] }));
    });
    expect(await openClients().clients.at(fake.host).tags('app')).toEqual(['1', '2']);
    const endless = await startServer((_, response) =>
      response.writeHead(200, { link: '</v2/app/tags/list?last=1>; rel="next"' }).end('{"tags":[]}'),
    );
    const few = openClients([], { limits: { pages: 3 } });
    await expect(few.clients.at(endless.host).tags('app')).rejects.toThrow('more of a list');
  });
});
