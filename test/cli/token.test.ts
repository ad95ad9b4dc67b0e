import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/domain/clock.ts';
import { createAccessDesk } from '../../src/registry/access/desk.ts';
import { createMemoryAccessRecords } from '../../src/registry/access/memory-records.ts';
import { password, startRig } from '../http/rig.ts';
import { call, makeFolder } from './rig-api.ts';

async function setUp(more: object = {}) {
  const records = createMemoryAccessRecords();
  const access = createAccessDesk({ records, clock: systemClock, audit: () => undefined, isTaken: () => false });
  const { url } = await startRig({ access, ...more });
  const env = { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
  const cwd = await makeFolder();
  return { slipway: (...words: string[]) => call(words, { env, cwd }), access };
}

describe('slipway scope-map', () => {
  it('makes, changes, shows, lists and deletes', async () => {
    const { slipway, access } = await setUp();
    const made = await slipway(
      ...['scope-map', 'create', 'team-push', '--repository', 'team/*', 'content/read', 'content/write'],
      ...['--repository', 'base', 'content/read', '--description', 'for CI'],
    );
    expect([made.code, made.stderr, made.stdout]).toEqual([0, '', 'Scope map team-push has 3 actions.\n']);
    expect(access.scopeMaps.get('team-push')?.actions).toEqual([
      'repositories/team/*/content/read',
      'repositories/team/*/content/write',
      'repositories/base/content/read',
    ]);
    const flags = ['--add-repository', 'base', 'metadata/read', '--remove-repository', 'base', 'content/read'];
    expect((await slipway('scope-map', 'update', 'team-push', ...flags)).stdout).toBe(
      'Scope map team-push now has 3 actions.\n',
    );
    const shown = await slipway('scope-map', 'show', 'team-push');
    expect(shown.stdout).toContain('actions      repositories/team/*/content/read\n');
    expect(shown.stdout).toContain('repositories/base/metadata/read\n');
    expect((await slipway('scope-map', 'list')).stdout).toMatch(
      /_repositories_pull +SystemDefined.*\n(.*\n)*team-push/,
    );
    expect((await slipway('scope-map', 'delete', 'team-push')).stdout).toBe('Scope map team-push is deleted.\n');
    expect((await slipway('scope-map', 'delete', 'team-push')).code).toBe(3);
  });

  it.each([
    [['create', 'team-push']],
    [['create', 'team-push', '--repository', 'app']],
    [['create', 'team-push', '--repository', 'content/read']],
    [['create', 'team-push', '--repository', 'App', 'content/read']],
    [['create', 'x', '--repository', 'app', 'content/read']],
    [['update', 'team-push']],
  ])('refuses %j', async (words) => {
    const { slipway } = await setUp();
    expect((await slipway('scope-map', ...words)).code).toBe(2);
  });
});

describe('slipway token', () => {
  it('makes one with rights of its own, and shows its passwords once', async () => {
    const { slipway, access } = await setUp();
    const flags = ['--repository', 'team/*', 'content/read', '--expiration-in-days', '30'];
    const made = await slipway('token', 'create', 'ci-pull', ...flags);
    expect([made.code, made.stderr]).toEqual([0, '']);
    expect(made.stdout).toContain('Token ci-pull has the scope map ci-pull-scope-map.\n');
    const [, value = ''] = /password1 +(\S{43}) +until 2/.exec(made.stdout) ?? [];
    expect(value).not.toBe('');
    expect(made.stdout).toContain('docker login -u ci-pull --password-stdin localhost:5080');
    const shown = await slipway('token', 'show', 'ci-pull');
    expect(shown.stdout).toContain('scope map  ci-pull-scope-map\n');
    expect(shown.stdout).not.toContain(value);
    expect((await slipway('token', 'list')).stdout).toBe('ci-pull  enabled  ci-pull-scope-map\n');
    const update = ['--status', 'disabled', '--scope-map', '_repositories_push'];
    expect((await slipway('token', 'update', 'ci-pull', ...update)).stdout).toBe(
      'Token ci-pull is disabled and has the scope map _repositories_push.\n',
    );
    expect(access.tokens.get('ci-pull')?.passwords).toHaveLength(2);
    expect((await slipway('token', 'delete', 'ci-pull')).code).toBe(0);
    expect((await slipway('token', 'show', 'ci-pull')).code).toBe(3);
  });

  it('makes and ends passwords', async () => {
    const { slipway, access } = await setUp();
    const none = await slipway(
      'token',
      'create',
      'viewer',
      '--scope-map',
      '_repositories_pull',
      '--no-passwords',
      '--json',
    );
    expect(JSON.parse(none.stdout)).toMatchObject({ name: 'viewer', properties: { credentials: { passwords: [] } } });
    const made = await slipway('token', 'credential', 'generate', 'viewer', '--password2', '--json');
    expect(JSON.parse(made.stdout)).toMatchObject({ username: 'viewer', passwords: [{ name: 'password2' }] });
    await slipway('token', 'credential', 'generate', 'viewer');
    const ended = await slipway('token', 'credential', 'delete', 'viewer', '--password1');
    expect(ended.stdout).toBe('password1 of viewer ended.\n');
    expect(access.tokens.get('viewer')?.passwords.map(({ name }) => name)).toEqual(['password2']);
    await slipway('token', 'credential', 'delete', 'viewer');
    expect(access.tokens.get('viewer')?.passwords).toEqual([]);
  });

  it.each([
    [['create', 'viewer'], 2],
    [['create', 'viewer', '--scope-map', 'none-such'], 2],
    [['create', 'viewer', '--scope-map', 'a', '--repository', 'b', 'content/read'], 2],
    [['create', 'viewer', '--scope-map', '_repositories_pull', '--expiration', 'soon'], 2],
    [['create', 'viewer', '--scope-map', '_repositories_pull', '--expiration-in-days', '0'], 2],
    [['update', 'viewer'], 2],
    [['update', 'viewer', '--status', 'disabled'], 3],
    [['credential', 'generate', 'viewer'], 3],
  ])('refuses %j', async (words, code) => {
    const { slipway } = await setUp();
    const answer = await slipway('token', ...words);
    expect([answer.code, answer.stdout]).toEqual([code, '']);
    expect(answer.stderr).not.toBe('');
  });
});

describe('slipway registry', () => {
  it('gives service principals roles and passwords', async () => {
    const { slipway, access } = await setUp();
    const principal = (...words: string[]) => slipway('registry', 'service-principal', ...words);
    const made = await principal('create', 'builder', '--role', 'repository writer:team/*', '--role', 'AcrPull');
    expect(made.stdout).toContain('Service principal builder has Repository Writer for team/*, AcrPull.\n');
    expect(made.stdout).toMatch(/password2 +\S{43}\n/);
    expect((await principal('list')).stdout).toBe('builder  enabled  Repository Writer for team/*, AcrPull\n');
    expect((await principal('update', 'builder', '--role', 'AcrDelete')).stdout).toBe(
      'Service principal builder is enabled and has AcrDelete.\n',
    );
    expect((await principal('show', 'builder')).stdout).toContain('roles      AcrDelete\n');
    await principal('credential', 'delete', 'builder', '--password2');
    expect(access.servicePrincipals.get('builder')?.passwords.map(({ name }) => name)).toEqual(['password1']);
    expect((await principal('create', 'other', '--role', 'King')).code).toBe(2);
    expect((await principal('delete', 'builder')).code).toBe(0);
    expect((await principal('show', 'builder')).code).toBe(3);
  });

  it('shows and renews the admin account’s passwords', async () => {
    const passwords: [string, string] = ['one', 'two'];
    const current = () => ({ username: 'admin', passwords });
    const adminCredential = {
      current,
      renew: async (which: 1 | 2) => {
        passwords[which - 1] = 'new';
        return current();
      },
    };
    const { slipway } = await setUp({ adminCredential });
    expect((await slipway('registry', 'credential', 'show')).stdout).toBe(
      'user       admin\npassword   one\npassword2  two\n',
    );
    const renewed = await slipway('registry', 'credential', 'renew', '--password', '2');
    expect(renewed.stdout).toContain('password2  new\n');
    expect((await slipway('registry', 'credential', 'renew')).code).toBe(2);
  });
});
