import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { basic, codesOf } from '../rig.ts';
import { nobodyUser, startAccessRig, type AccessRig } from './rig.ts';

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

describe('logins that fail', () => {
  const attempt = (password: string): Promise<Response> => ask('GET', '/v2/', basic('admin', password));

  it('are slowed down by name, answered with when to come back, and forgotten by a right one', async () => {
    for (let tries = 0; tries < 5; tries += 1) expect((await attempt('wrong')).status).toBe(401);
    const slowed = await attempt('secret');
    expect([slowed.status, slowed.headers.get('retry-after'), await codesOf(slowed)]).toEqual([
      429,
      '1',
      ['TOOMANYREQUESTS'],
    ]);
    const posted = await post('/oauth2/token', { grant_type: 'password', username: 'admin', password: 'secret' });
    expect(posted.status).toBe(429);
    expect((await ask('GET', '/v2/', basic('member', 'secret'))).status).toBe(200);
    running.clock.time += 1000;
    expect((await attempt('secret')).status).toBe(200);
    expect((await attempt('wrong')).status).toBe(401);
    expect((await attempt('secret')).status).toBe(200);
  });

  it('leave a line of audit, without the password', async () => {
    await ask('GET', '/v2/', basic('admin', 'pa55word'));
    expect(running.audit).toEqual([
      { time: '2026-01-01T00:00:00.000Z', who: 'admin', address: '127.0.0.1', action: 'login', result: 'refused' },
    ]);
  });

  it('with a refresh token that is over are no reason to wait: nobody guesses those', async () => {
    for (let tries = 0; tries < 10; tries += 1)
      expect((await ask('GET', '/v2/', basic(nobodyUser, 'a.b.c'))).status).toBe(401);
  });
});

describe('the challenge', () => {
  const realmOf = async (headers: Record<string, string>): Promise<string | undefined> => {
    const answer = await fetch(`${running.url}/v2/`, { headers });
    return /realm="([^"]*)"/.exec(answer.headers.get('www-authenticate') ?? '')?.[1];
  };

  it('names https where a proxy ends TLS, by what the proxy says or by the configured address', async () => {
    const { host } = new URL(running.url);
    expect(await realmOf({})).toBe(`http://${host}/oauth2/token`);
    expect(await realmOf({ 'x-forwarded-proto': 'https' })).toBe(`https://${host}/oauth2/token`);
    await running.stop();
    running = await startAccessRig({ publicUrl: 'https://registry.test' });
    expect(await realmOf({})).toMatch(/^http:/);
  });
});
