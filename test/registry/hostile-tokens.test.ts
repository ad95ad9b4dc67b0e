import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDice, type Dice } from './hostile-cases.ts';
import { converse, wire, type Outcome, type WireRequest } from './hostile-wire.ts';
import { basic, startRegistry, type RunningRegistry } from './rig.ts';

const { seed = 1 } = fc.readConfigureGlobal();
const secretPath = '/v2/kept/image/manifests/v1';

let running: RunningRegistry;
let port: number;
beforeAll(async () => {
  running = await startRegistry();
  port = (running.server.address() as AddressInfo).port;
  await running.pushImage('kept/image', 'v1');
  await running.pushImage('team/app', 'v1');
});
afterAll(async () => {
  await running.stop();
  expect(running.errors).toEqual([]);
});

/** A token for these scopes, as somebody of the rig. */
async function fetchToken(name: string, ...scopes: string[]): Promise<string> {
  const query = scopes.map((scope) => `scope=${encodeURIComponent(scope)}`).join('&');
  const headers = { authorization: basic(name, 'secret') };
  const answer = await fetch(`${running.url}/oauth2/token?${query}`, { headers });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { access_token: string }).access_token;
}

const statusOf = (outcome: Outcome | undefined): number =>
  outcome === undefined || outcome === 'closed' ? 0 : outcome.status;
const get = (path: string, token: string): WireRequest =>
  wire('GET', path, { headers: { Authorization: `Bearer ${token}` } });
const encode = (value: object | string | Buffer): string =>
  Buffer.from(typeof value === 'object' && !Buffer.isBuffer(value) ? JSON.stringify(value) : value).toString(
    'base64url',
  );
const decode = (part: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;

/** A token that says other than what was signed, or that nobody signed. */
function forge(dice: Dice, token: string): string {
  const [head = '', body = '', signature = ''] = token.split('.');
  const access = [{ type: 'repository', name: dice.pick(['kept/image', '*', 'kept/*', '']), actions: ['*', 'pull'] }];
  const claims = encode({ ...decode(body), access, sub: dice.pick(['admin', '', '*']), exp: 4e9 });
  const bytes = Buffer.from(signature, 'base64url');
  bytes[dice.roll(bytes.length)] = dice.roll(256);
  const header = (more: object): string => encode({ ...decode(head), ...more });
  return dice.pick([
    `${head}.${claims}.${signature}`,
    `${head}.${claims}.`,
    `${head}.${claims}.${encode(bytes)}`,
    `${header({ alg: dice.pick(['none', 'None', 'HS256', 'RS256', '', 'EdDSA', 'ES256']) })}.${claims}.${dice.pick(['', signature])}`,
    `${header({ kid: dice.pick(['', '../../key', '0', 'a'.repeat(2000)]) })}.${claims}.${signature}`,
    `${header({ jwk: { kty: 'oct', k: 'AA' }, jku: 'http://127.0.0.1:1/keys', x5u: 'file:///etc/passwd' })}.${claims}.${signature}`,
    `${header({ crit: ['exp'], b64: false })}.${claims}.${signature}`,
    ...[`${claims}.${head}.${signature}`, `${head}.${claims}`, `.${claims}.`, '..', '.', `${token}.${signature}`],
    ...[dice.text(200), encode(dice.text(50)), `${encode('null')}.${encode('null')}.${signature}`, 'a'.repeat(8000)],
    `${head}.${encode('[]')}.${signature}`,
  ]);
}

describe('thousands of forged tokens', () => {
  it('open nothing, and are answered with a challenge', async () => {
    const token = await fetchToken('member', 'repository:team/app:pull');
    const dice = createDice(seed + 3);
    const outcomes = await converse(
      port,
      Array.from({ length: 4000 }, () => get(dice.pick([secretPath, '/v2/team/app/manifests/v1']), forge(dice, token))),
    );
    const wrong = outcomes.filter((outcome) => statusOf(outcome) !== 401);
    expect(wrong.slice(0, 3)).toEqual([]);
    const challenges = outcomes.map((outcome) => (outcome === 'closed' ? '' : outcome.headers['www-authenticate']));
    expect(challenges.filter((challenge) => challenge?.startsWith('Bearer realm="') !== true)).toEqual([]);
    expect(statusOf((await converse(port, [get('/v2/team/app/manifests/v1', token)]))[0])).toBe(200);
  });

  it('of which a true one opens what it is for, and nothing else', async () => {
    const token = await fetchToken('admin', 'repository:team/app:pull');
    const paths = [secretPath, '/v2/_catalog', '/v2/kept/image/tags/list', '/v2/team/manifests/v1'];
    const outcomes = await converse(port, [
      ...paths.map((path) => get(path, token)),
      wire('DELETE', '/v2/team/app/manifests/v1', { headers: { Authorization: `Bearer ${token}` } }),
      wire('PUT', '/v2/team/app/manifests/v1', { headers: { Authorization: `Bearer ${token}` }, body: '{}' }),
    ]);
    for (const outcome of outcomes) expect([401, 403]).toContain(statusOf(outcome));
  });
});

describe('thousands of requests for tokens', () => {
  const names = [
    'team/app',
    'kept/image',
    '*',
    '**',
    '',
    '..',
    'team/../kept/image',
    'TEAM/app',
    'a'.repeat(300),
    'x:y:z',
  ];
  const actions = ['pull', 'push', 'delete', '*', 'pull,push', ',', '', 'PULL', 'metadata_read', 'pull,'.repeat(100)];
  const scopeOf = (dice: Dice): string =>
    dice.roll(5) === 0
      ? dice.text(60)
      : `${dice.pick(['repository', 'registry', 'repository(plugin)', '', 'x'])}:${dice.pick(names)}:${dice.pick(actions)}`;
  const grants = ['password', 'refresh_token', 'access_token', '', 'client_credentials', '__proto__'];

  const draw = (dice: Dice): WireRequest => {
    const fields: [string, string][] = Array.from({ length: dice.roll(4) }, () => ['scope', scopeOf(dice)]);
    fields.push(['service', dice.pick(['registry.test', '', '\r\nX-Injected: 1', dice.text(30)])]);
    const credentials = dice.roll(2) === 0 ? { Authorization: basic('member', 'secret') } : {};
    if (dice.roll(3) === 0) {
      return wire('GET', `/oauth2/token?${new URLSearchParams(fields).toString()}`, { headers: credentials });
    }
    fields.push(['grant_type', dice.pick(grants)], ['username', dice.pick(['member', '', dice.text(20)])]);
    fields.push([dice.pick(['password', 'refresh_token', 'access_token']), dice.pick(['secret', '', dice.text(90)])]);
    const type = dice.roll(5) === 0 ? dice.text(30) : 'application/x-www-form-urlencoded';
    const body = dice.roll(20) === 0 ? dice.text(300, true) : new URLSearchParams(fields).toString();
    return wire('POST', dice.pick(['/oauth2/token', '/oauth2/exchange']), { headers: { 'Content-Type': type }, body });
  };

  it('are answered, none with a fault of the server, and with no more rights than their owner has', async () => {
    const dice = createDice(seed + 4);
    const requests = Array.from({ length: 3000 }, () => draw(dice));
    const outcomes = await converse(port, requests);
    const wrong = outcomes.filter((outcome) => ![200, 400, 401, 413, 415, 429].includes(statusOf(outcome)));
    expect(wrong.slice(0, 3)).toEqual([]);
    const tokens = outcomes.flatMap((outcome) => {
      if (outcome === 'closed' || outcome.status !== 200) return [];
      expect(Object.keys(outcome.headers)).not.toContain('x-injected');
      const { access_token: token } = JSON.parse(outcome.body) as { access_token?: string };
      return token === undefined ? [] : [token];
    });
    expect(tokens.length).toBeGreaterThan(100);
    const tries = await converse(
      port,
      tokens.flatMap((token) => [get(secretPath, token), get('/v2/_catalog', token)]),
    );
    expect(tries.filter((outcome) => ![401, 403].includes(statusOf(outcome)))).toEqual([]);
  });
});
