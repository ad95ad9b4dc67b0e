import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readHidden } from '../../src/cli/read-hidden.ts';
import type { CliIo } from '../../src/cli/io.ts';
import { createOwnSecrets } from '../../src/secret/own-secrets.ts';
import { password, startRig, testKey } from '../http/rig.ts';
import { call, Captured, makeFolder } from './rig-api.ts';

async function setUp() {
  const { url, store } = await startRig();
  const env = { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
  const own = createOwnSecrets(testKey, store.secrets);
  return { store, env, text: async (name: string) => (await own.read(name))?.toString('latin1') };
}

describe('slipway secret set', () => {
  it.each([
    ['hush\n', 'hush'],
    ['hush\r\n', 'hush'],
    ['two\nlines\n\n', 'two\nlines\n'],
    [Buffer.from([0, 255, 10, 0]), '\0\xff\n\0'],
  ])('takes %j from a pipe, without the line end at its end', async (stdin, value) => {
    const { env, text } = await setUp();
    const { code, stdout, stderr } = await call(['secret', 'set', 'db'], { env, stdin });
    expect([code, stdout, stderr]).toEqual([0, 'Secret db is set.\n', '']);
    expect(await text('db')).toBe(value);
  });

  it('takes a file byte for byte, and prints no value as JSON either', async () => {
    const { env, text } = await setUp();
    const cwd = await makeFolder();
    await writeFile(join(cwd, 'key'), 'hush\n');
    const { stdout } = await call(['secret', 'set', 'tls.key', '--value-file', 'key', '--json'], { env, cwd });
    expect(JSON.parse(stdout)).toEqual({
      name: 'tls.key',
      lastUpdatedTime: '2026-11-21T09:00:00.000Z',
      updatedBy: 'admin',
    });
    expect(await text('tls.key')).toBe('hush\n');
  });

  it.each([[['db', 'hush']], [['db', '--value', 'hush']], [['db', '--value=hush']]])(
    'does not take a value out of a command line: %j',
    async (words) => {
      const { env, store } = await setUp();
      const { code, stdout, stderr } = await call(['secret', 'set', ...words], { env, stdin: 'x' });
      expect(code).toBe(2);
      expect(stderr).toContain('a secret value is not taken from the command line');
      expect(stderr).toContain('hint: pipe it in');
      expect(stdout + stderr).not.toContain('hush');
      expect(await store.secrets.list()).toEqual([]);
    },
  );

  it.each([
    [['no name'], 'the name of a secret has 1 to 127 letters'],
    [['db'], 'the value is empty'],
    [['db', '--value-file', 'nowhere'], 'nowhere cannot be read'],
  ])('says what is wrong with %j', async (words, message) => {
    const { env } = await setUp();
    const { code, stderr } = await call(['secret', 'set', ...words], { env, stdin: '\n' });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('slipway secret list and delete', () => {
  it('show names, times and who set them, and take them away', async () => {
    const { env } = await setUp();
    expect((await call(['secret', 'list'], { env })).stderr).toBe('There are no secrets.\n');
    await call(['secret', 'set', 'db'], { env, stdin: 'hush' });
    await call(['secret', 'set', 'another'], { env, stdin: 'hush' });
    const { stdout } = await call(['secret', 'list'], { env });
    expect(stdout).toBe('another  5 minutes ago  by admin\ndb       5 minutes ago  by admin\n');
    expect(JSON.parse((await call(['secret', 'list', '--json'], { env })).stdout)).toMatchObject([
      { name: 'another' },
      { name: 'db' },
    ]);
    expect(await call(['secret', 'delete', 'db'], { env })).toMatchObject({
      code: 0,
      stdout: 'Secret db is deleted.\n',
    });
    const again = await call(['secret', 'delete', 'db'], { env });
    expect(again).toMatchObject({ code: 3, stderr: 'error: there is no secret "db"\n' });
  });
});

describe('a value that is typed', () => {
  function terminal() {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const stderr = new Captured(true);
    const stdout = new Captured(true);
    const io = { stdin, stdout, stderr } as unknown as CliIo;
    return { stdin, shown: () => stdout.text + stderr.text, asking: readHidden(io, 'Value of db: ') };
  }

  it('is not shown, and may be corrected', async () => {
    const { stdin, shown, asking } = terminal();
    stdin.write('hush-x\u007f!\r');
    expect(await asking).toBe('hush-!');
    expect(shown()).toBe('Value of db: \n');
  });

  it.each(['\u0003', '\u0004'])('may be given up with %j', async (key) => {
    const { stdin, asking } = terminal();
    stdin.write(key);
    await expect(asking).rejects.toMatchObject({ failure: { message: 'nothing was entered' } });
  });
});
