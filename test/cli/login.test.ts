import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, makeFolder, sendError, sendJson, startFakeApi, type Handler } from './rig-api.ts';

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

/** A server that knows one account. */
const registryFor =
  (authorization: string): Handler =>
  ({ headers }, response) => {
    if (headers.authorization === authorization)
      sendJson(response, { name: 'slipway', properties: { loginServer: 'reg:5080' } });
    else sendError(response, 401, { code: 'Unauthorized', message: 'the user name or password is wrong' });
  };

async function makeData(account?: object): Promise<string> {
  const dataDir = join(await makeFolder(), '.slipway');
  await mkdir(dataDir);
  if (account !== undefined) await writeFile(join(dataDir, 'admin.json'), JSON.stringify(account));
  return dataDir;
}

describe('slipway login --show', () => {
  it('prints the account of this machine and how docker is told of it', async () => {
    const env = { SLIPWAY_DATA: await makeData({ username: 'admin', password: 'pw' }), SLIPWAY_PORT: '5099' };
    const { code, stdout } = await call(['login', '--show'], { env });
    expect(code).toBe(0);
    expect(stdout).toContain('Registry:  127.0.0.1:5099\nUser:      admin\nPassword:  pw\n');
    expect(stdout).toContain('docker login -u admin --password-stdin 127.0.0.1:5099');
    const json = await call(['login', '--show', '--json'], { env });
    expect(JSON.parse(json.stdout)).toEqual({
      server: 'http://127.0.0.1:5099',
      registry: '127.0.0.1:5099',
      username: 'admin',
      password: 'pw',
    });
  });

  it('exits with 3 where there is no installation', async () => {
    const { code, stderr } = await call(['login', '--show']);
    expect(code).toBe(3);
    expect(stderr).toContain('hint: slipway up makes it at its first start');
  });
});

describe('slipway login', () => {
  it('keeps an account that works, for its server alone, in a file that only this user may read', async () => {
    const api = await startFakeApi({ 'GET /api/v1/': registryFor(basic('ann', 'p w')) });
    const other = await startFakeApi({ 'GET /api/v1/': registryFor(basic('ann', 'p w')) });
    const env = { SLIPWAY_DATA: await makeData() };
    const words = ['login', '-u', 'ann', '--password-stdin', api.url];
    const { code, stdout } = await call(words, { env, stdin: 'p w\n' });
    expect(code).toBe(0);
    expect(stdout).toContain(`Logged in to ${api.url} as ann.`);
    expect(stdout).toContain('docker login -u ann --password-stdin reg:5080');
    const file = join(env.SLIPWAY_DATA, 'credentials.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      servers: { [api.url]: { username: 'ann', password: 'p w', registry: 'reg:5080' } },
    });
    expect(await call(['login'], { env: { ...env, SLIPWAY_SERVER: api.url } })).toMatchObject({ code: 0 });
    expect(await call(['login', '--server', other.url], { env })).toMatchObject({ code: 1 });
    expect(other.seen).toHaveLength(0);
  });

  it('keeps nothing of an account that does not work', async () => {
    const api = await startFakeApi({ 'GET /api/v1/': registryFor(basic('ann', 'right')) });
    const env = { SLIPWAY_DATA: await makeData() };
    const { code, stderr } = await call(['login', '-u', 'ann', '--password-stdin', api.url], {
      env,
      stdin: 'wrong-one',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('error: the user name or password is wrong');
    expect(stderr).not.toContain('wrong-one');
    await expect(stat(join(env.SLIPWAY_DATA, 'credentials.json'))).rejects.toThrow();
  });

  it('uses the account of this machine for the server of this machine and no other', async () => {
    const api = await startFakeApi({ 'GET /api/v1/': registryFor(basic('admin', 'pw')) });
    const env = {
      SLIPWAY_DATA: await makeData({ username: 'admin', password: 'pw' }),
      SLIPWAY_PORT: new URL(api.url).port,
    };
    expect(await call(['login'], { env })).toMatchObject({ code: 0 });
    const stranger = await startFakeApi({});
    expect(await call(['runs', 'list', '--server', stranger.url], { env })).toMatchObject({ code: 3 });
    expect(stranger.seen[0]!.headers.authorization).toBeUndefined();
  });

  it.each([
    [['login', '-u', 'ann'], '--username and --password-stdin go together'],
    [['login', '--password-stdin'], '--username and --password-stdin go together'],
    [['login', 'ftp://x'], 'SERVER must be the address of a server'],
    [['login', 'https://u:p@x'], 'SERVER must hold no user name and password'],
    [['login', '-u', 'ann', '--password-stdin', 'http://127.0.0.1:1'], 'no password came on stdin'],
    [['login', '--server', 'http://'], '--server must be the address of a server'],
  ])('refuses %j with exit code 2', async (words, message) => {
    const { code, stderr } = await call(words);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});
