import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { basic, codesOf, sha } from '../rig.ts';
import { followChallenge, nobodyUser, read, startAccessRig, type AccessRig } from './rig.ts';

let running: AccessRig;
beforeEach(async () => {
  running = await startAccessRig();
});
afterEach(async () => {
  await running.stop();
  expect(running.errors).toEqual([]);
});

const ask: AccessRig['ask'] = (...words) => running.ask(...words);
const post: AccessRig['post'] = (...words) => running.post(...words);
const accessOf = (token: string): unknown => decodeJwt(token.replace('Bearer ', ''))['access'];

describe('a client that follows the challenge, as docker does', () => {
  it('logs in at the ping, and gets for each repository a token that is good for what was asked', async () => {
    const login = await followChallenge(await ask('GET', '/v2/'), basic('admin', 'secret'));
    expect((await ask('GET', '/v2/', login)).status).toBe(200);
    const refused = await ask('POST', '/v2/team/app/blobs/uploads/', login);
    expect(refused.headers.get('www-authenticate')).toBe(
      `Bearer realm="${running.url}/oauth2/token",service="${new URL(running.url).host}",` +
        'scope="repository:team/app:pull,push",error="insufficient_scope"',
    );
    expect(await codesOf(refused.clone())).toEqual(['UNAUTHORIZED']);
    const push = await followChallenge(refused, basic('admin', 'secret'));
    expect(accessOf(push)).toEqual([{ type: 'repository', name: 'team/app', actions: ['pull', 'push'] }]);
    const uploaded = await ask('POST', `/v2/team/app/blobs/uploads/?digest=${sha('hello')}`, push, 'hello');
    expect(uploaded.status).toBe(201);
    expect((await ask('GET', `/v2/team/app/blobs/${sha('hello')}`, push)).status).toBe(200);
    expect((await ask('POST', '/v2/team/other/blobs/uploads/', push)).status).toBe(401);
  });

  it('is told of both repositories when it mounts', async () => {
    const { headers } = await ask('POST', `/v2/b/blobs/uploads/?mount=${sha('x')}&from=a`);
    expect(headers.get('www-authenticate')).toContain('scope="repository:b:pull,push repository:a:pull"');
  });

  it('mounts with a token for both, and is asked to upload with one for the target alone', async () => {
    await running.pushBlob('a', 'hello');
    const fetchFor = async (scope: string): Promise<string> => {
      const answer = await ask('GET', `/oauth2/token?service=x&${scope}`, basic('admin', 'secret'));
      return `Bearer ${(await read(answer)).token}`;
    };
    const path = `/v2/b/blobs/uploads/?mount=${sha('hello')}&from=a`;
    const one = await fetchFor('scope=repository:b:pull,push');
    expect((await ask('POST', path, one)).status).toBe(202);
    const both = await fetchFor('scope=repository:b:pull,push&scope=repository:a:pull');
    expect((await ask('POST', path, both)).status).toBe(201);
  });

  it('gets a token with nothing in it for what it may not do, and then hears what it may not', async () => {
    const answer = await ask('GET', '/oauth2/token?scope=repository:other:pull,push', basic('member', 'secret'));
    const { token } = await read(answer);
    expect(accessOf(token)).toEqual([]);
    const denied = await ask('GET', '/v2/other/tags/list', `Bearer ${token}`);
    expect([denied.status, await codesOf(denied)]).toEqual([403, ['DENIED']]);
  });

  it('without credentials gets no token where nobody may do anything without', async () => {
    expect((await ask('GET', '/oauth2/token?scope=repository:app:pull')).status).toBe(401);
    expect((await ask('GET', '/oauth2/token', basic('', ''))).status).toBe(401);
    expect((await ask('GET', '/v2/', basic('', ''))).status).toBe(401);
  });

  it('without credentials pulls where everybody may, and what the scope map “anonymous” says', async () => {
    await running.pushImage('public/app', 'v1');
    await running.pushImage('private/app', 'v1');
    const { scopeMaps } = running.registry.accessDesk;
    await scopeMaps.put('anonymous', { actions: ['repositories/public/*/content/read'] }, 'ada');
    const path = '/v2/public/app/manifests/v1';
    const token = await followChallenge(await ask('GET', '/v2/'));
    expect((await ask('GET', '/v2/', token)).status).toBe(200);
    expect((await ask('GET', path, token)).status).toBe(200);
    expect((await ask('GET', path)).status).toBe(200);
    expect((await ask('GET', '/v2/private/app/manifests/v1', token)).status).toBe(401);
    expect((await ask('POST', '/v2/public/app/blobs/uploads/', token)).status).toBe(401);
    await scopeMaps.delete('anonymous', 'ada');
    expect((await ask('GET', path, token)).status).toBe(401);
  });
});

describe('a client that posts, as containerd and Azure’s do', () => {
  const password = { grant_type: 'password', username: 'admin', password: 'secret', service: 'registry.test' };

  it('gets an access token for a name and password', async () => {
    const issued = await read(await post('/oauth2/token', { ...password, scope: 'repository:app:pull,push' }));
    expect([issued.expires_in, issued.token === issued.access_token]).toEqual([3600, true]);
    expect((await ask('POST', '/v2/app/blobs/uploads/', `Bearer ${issued.access_token}`)).status).toBe(202);
    expect(decodeJwt(issued.access_token)).toMatchObject({
      iss: 'Slipway',
      aud: 'registry.test',
      sub: 'given:admin',
      version: '1.0',
      grant_type: 'access_token',
      access: [{ type: 'repository', name: 'app', actions: ['pull', 'push'] }],
    });
    expect(decodeJwt(issued.access_token).jti).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('exchanges what it has for a refresh token, and that for access tokens', async () => {
    const accessToken = Buffer.from('admin:secret').toString('base64');
    const fields = { grant_type: 'access_token', service: 'x', tenant: 't', access_token: accessToken };
    const { refresh_token: refresh } = await read(await post('/oauth2/exchange', fields));
    const { exp = 0, iat = 0, grant_type: use } = decodeJwt(refresh);
    expect([exp - iat, use]).toEqual([3 * 3600, 'refresh_token']);
    const more = { grant_type: 'refresh_token', service: 'x', refresh_token: refresh, scope: 'registry:catalog:*' };
    const { access_token: token } = await read(await post('/oauth2/token', more));
    expect((await ask('GET', '/v2/_catalog', `Bearer ${token}`)).status).toBe(200);
    // As `docker login -u 0000… -p <refresh token>` does it, and with Basic alone.
    const got = await ask('GET', '/oauth2/token?scope=repository:app:pull', basic(nobodyUser, refresh));
    expect(accessOf((await read(got)).token)).toEqual([{ type: 'repository', name: 'app', actions: ['pull'] }]);
    expect((await ask('GET', '/v2/', basic(nobodyUser, refresh))).status).toBe(200);
    running.clock.time += 3 * 3600_000;
    expect((await ask('GET', '/v2/', basic(nobodyUser, refresh))).status).toBe(401);
  });

  it('cannot make a refresh token last by exchanging it', async () => {
    const accessToken = Buffer.from('admin:secret').toString('base64');
    const exchange = async (token: string): Promise<string> => {
      const answer = await post('/oauth2/exchange', { grant_type: 'access_token', access_token: token });
      return (await read(answer)).refresh_token;
    };
    const first = await exchange(accessToken);
    running.clock.time += 3600_000;
    expect(decodeJwt(await exchange(first)).exp).toBe(decodeJwt(first).exp);
  });

  it('cannot use one kind of token for the other', async () => {
    const access = (await read(await post('/oauth2/token', { ...password, scope: 'repository:app:pull' }))).token;
    expect((await post('/oauth2/token', { grant_type: 'refresh_token', refresh_token: access })).status).toBe(401);
    expect((await post('/oauth2/exchange', { grant_type: 'access_token', access_token: access })).status).toBe(401);
    const fields = { grant_type: 'access_token', access_token: Buffer.from('admin:secret').toString('base64') };
    const { refresh_token: refresh } = await read(await post('/oauth2/exchange', fields));
    expect((await ask('GET', '/v2/', `Bearer ${refresh}`)).status).toBe(401);
  });

  it('is told what is wrong with what it posts', async () => {
    const wrong: readonly [Record<string, string>, number][] = [
      [{}, 400],
      [{ grant_type: 'fly' }, 400],
      [{ grant_type: 'password' }, 400],
      [{ grant_type: 'password', username: 'admin', password: 'wrong' }, 401],
      [{ grant_type: 'refresh_token', refresh_token: 'a.b.c' }, 401],
      [{ ...password, scope: 'repository:a:pull '.repeat(400) }, 400],
      [{ ...password, scope: 'x'.repeat(70_000) }, 413],
    ];
    for (const [fields, status] of wrong) {
      const answer = await post('/oauth2/token', fields);
      expect([fields, answer.status]).toEqual([fields, status]);
      expect(await codesOf(answer)).toHaveLength(1);
    }
    const json = await fetch(`${running.url}/oauth2/token`, { method: 'POST', body: '{}' });
    expect(json.status).toBe(415);
    expect((await ask('PUT', '/oauth2/token')).headers.get('allow')).toBe('GET, POST');
    expect((await ask('GET', '/oauth2/exchange')).status).toBe(405);
    expect((await ask('GET', '/oauth2/token', 'Digest x')).status).toBe(401);
  });
});
