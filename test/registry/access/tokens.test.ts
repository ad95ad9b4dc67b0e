import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryBlobStore } from '../../../src/blob/memory/store.ts';
import { createObjectJournal } from '../../../src/blob/object-journal.ts';
import { journalPrefix } from '../../../src/registry/layout.ts';
import { basic, sha } from '../rig.ts';
import { read, startAccessRig, testKey, type AccessRig } from './rig.ts';

let running: AccessRig;
beforeEach(async () => {
  running = await startAccessRig();
});
afterEach(async () => {
  await running.stop();
  expect(running.errors).toEqual([]);
});

const ask: AccessRig['ask'] = (...words) => running.ask(...words);

describe('a token', () => {
  const scope = 'scope=repository:team/app:pull,push';
  const fetchToken = async (name: string, password: string): Promise<string> =>
    `Bearer ${(await read(await ask('GET', `/oauth2/token?${scope}`, basic(name, password)))).token}`;
  const push = async (token: string): Promise<number> =>
    (await ask('POST', '/v2/team/app/blobs/uploads/', token)).status;
  const rights = ['repositories/team/*/content/read', 'repositories/team/*/content/write'];

  it('is over after an hour', async () => {
    const token = await fetchToken('admin', 'secret');
    running.clock.time += 59 * 60_000;
    expect(await push(token)).toBe(202);
    running.clock.time += 60_000;
    const answer = await ask('POST', '/v2/team/app/blobs/uploads/', token);
    expect(answer.headers.get('www-authenticate')).toMatch(
      /scope="repository:team\/app:pull,push",error="invalid_token"$/,
    );
  });

  it('ends at once with its password, its status, its rights, its scope map and its holder', async () => {
    const { tokens, scopeMaps } = running.registry.accessDesk;
    const first = await running.makeToken('builder', ...rights);
    const [second] = await tokens.generate('builder', { name: 'password2' }, 'ada');
    const [a, b] = [await fetchToken('builder', first), await fetchToken('builder', second!.value)];
    expect([await push(a), await push(b)]).toEqual([202, 202]);
    await tokens.generate('builder', { name: 'password1' }, 'ada');
    expect([await push(a), await push(b)]).toEqual([401, 202]);
    await tokens.update('builder', { status: 'disabled' }, 'ada');
    expect(await push(b)).toBe(401);
    expect((await ask('GET', '/v2/', basic('builder', second!.value))).status).toBe(401);
    await tokens.update('builder', { status: 'enabled' }, 'ada');
    expect(await push(b)).toBe(202);
    await scopeMaps.update('builder-map', { actions: ['repositories/team/*/content/read'] }, 'ada');
    expect(await push(b)).toBe(403);
    await tokens.update('builder', { scopeMap: '_repositories_push' }, 'ada');
    expect(await push(b)).toBe(202);
    await tokens.update('builder', { passwords: ['password1'] }, 'ada');
    expect(await push(b)).toBe(401);
    await tokens.delete('builder', 'ada');
    expect((await ask('GET', '/v2/', basic('builder', first))).status).toBe(401);
  });

  it('ends when its password does', async () => {
    await running.makeToken('builder', ...rights);
    const expiry = new Date(running.clock.time + 600_000).toISOString();
    const [made] = await running.registry.accessDesk.tokens.generate('builder', { name: 'password1', expiry }, 'ada');
    const token = await fetchToken('builder', made!.value);
    running.clock.time += 599_000;
    expect(await push(token)).toBe(202);
    running.clock.time += 1000;
    expect(await push(token)).toBe(401);
    expect((await ask('GET', '/v2/', basic('builder', made!.value))).status).toBe(401);
  });

  it('may list no catalog, and nobody else’s repositories', async () => {
    const password = await running.makeToken('builder', ...rights);
    const me = basic('builder', password);
    expect((await ask('GET', '/v2/_catalog', me)).status).toBe(403);
    expect((await ask('GET', '/v2/other/tags/list', me)).status).toBe(403);
    expect((await ask('DELETE', `/v2/team/app/manifests/${sha('x')}`, me)).status).toBe(403);
  });

  it('is good at every process that has the key, by whichever it was issued, also after the key was changed', async () => {
    const keys: [Buffer, ...Buffer[]] = [testKey];
    await running.stop();
    const storage = createMemoryBlobStore(() => running.clock.time);
    const journal = () => createObjectJournal({ storage, prefix: journalPrefix, clock: running.clock });
    running = await startAccessRig({ storage, journal: journal() });
    const other = await startAccessRig({ storage, journal: journal(), key: { keys: () => keys } });
    const password = await running.makeToken('builder', ...rights);
    const token = await fetchToken('builder', password);
    const pushThere = async (): Promise<number> =>
      (await fetch(`${other.url}/v2/team/app/blobs/uploads/`, { method: 'POST', headers: { authorization: token } }))
        .status;
    expect(await pushThere()).toBe(202);
    keys.unshift(Buffer.alloc(32, 9));
    expect(await pushThere()).toBe(202);
    const issued = await fetch(`${other.url}/oauth2/token`, { headers: { authorization: basic('builder', password) } });
    expect(decodeProtectedHeader((await read(issued)).token).kid).not.toBe(decodeProtectedHeader(token.slice(7)).kid);
    keys.pop();
    expect(await pushThere()).toBe(401);
    await other.stop();
  });

  it('is not taken when it was changed in any way', async () => {
    const token = (await fetchToken('admin', 'secret')).slice(7);
    const [head = '', body = '', mac = ''] = token.split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none', kid: decodeProtectedHeader(token).kid })).toString(
      'base64url',
    );
    const claims = { ...decodeJwt(token), exp: 9_999_999_999 };
    const longer = Buffer.from(JSON.stringify(claims)).toString('base64url');
    for (const forged of [
      `${head}.${longer}.${mac}`,
      `${none}.${body}.`,
      `${none}.${body}.${mac}`,
      `${head}.${body}`,
      head,
    ]) {
      expect((await ask('GET', '/v2/', `Bearer ${forged}`)).status).toBe(401);
    }
  });
});

describe('a service principal', () => {
  it('does what its roles allow, where they are for', async () => {
    await running.pushImage('team/app', 'v1');
    const { servicePrincipals } = running.registry.accessDesk;
    const secret = 'a long enough secret';
    const roleAssignments = [
      { role: 'AcrPull', repositories: '*' },
      { role: 'Repository Writer', repositories: 'team/*' },
    ] as const;
    await servicePrincipals.put('deployer', { roleAssignments, secret }, 'ada');
    const me = basic('deployer', secret);
    expect((await ask('GET', '/v2/team/app/manifests/v1', me)).status).toBe(200);
    expect((await ask('GET', '/v2/_catalog', me)).status).toBe(200);
    expect((await ask('POST', '/v2/team/app/blobs/uploads/', me)).status).toBe(202);
    expect((await ask('POST', '/v2/other/blobs/uploads/', me)).status).toBe(403);
    const [made] = await servicePrincipals.generate('deployer', { name: 'password1' }, 'ada');
    expect((await ask('GET', '/v2/', me)).status).toBe(401);
    expect((await ask('GET', '/v2/', basic('deployer', made!.value))).status).toBe(200);
  });
});
