import { describe, expect, it } from 'vitest';
import { failureReasons } from '../../src/domain/failure.ts';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import { call, startFakeApi } from './rig-api.ts';

describe('slipway', () => {
  it('tells what it is and lists its commands with --help, and without any word', async () => {
    for (const words of [['--help'], []]) {
      const { code, stdout, stderr } = await call(words);
      expect(code).toBe(0);
      expect(stderr).toBe('');
      for (const name of ['quickstart', 'up', 'down', 'doctor', 'build', 'runs', 'login'])
        expect(stdout).toContain(`\n  ${name}`);
      expect(stdout).toContain('Exit codes:');
    }
  });

  it.each(['quickstart', 'up', 'down', 'doctor', 'build', 'runs', 'login'])('explains %s with --help', async (name) => {
    const { code, stdout } = await call([name, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: slipway ${name}`);
    expect(stdout).toContain('--json');
  });

  it('prints its version', async () => {
    expect(await call(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n' });
  });

  it('meets an unknown word with exit code 2 and a suggestion', async () => {
    const { code, stdout, stderr } = await call(['buidl']);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: "error: unknown command 'buidl'\nhint: Did you mean build?\n",
    });
    const json = await call(['runs', 'list', '--tpo', '3', '--json']);
    expect(json).toMatchObject({ code: 2, stdout: '' });
    expect(JSON.parse(json.stderr)).toEqual({
      error: { reason: 'invalid-request', message: "unknown option '--tpo'", hint: 'Did you mean --top?' },
    });
  });

  it('shows the help of a group of commands that was called alone, with exit code 2', async () => {
    const { code, stdout, stderr } = await call(['runs']);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: slipway runs');
  });

  it('lists every variable of a configuration that is wrong', async () => {
    const { code, stderr } = await call(['runs', 'list'], { env: { SLIPWAY_PORT: 'x', SLIPWAY_CONCURRENCY: '0' } });
    expect(code).toBe(2);
    expect(stderr).toContain('  - SLIPWAY_PORT must be a whole number');
    expect(stderr).toContain('  - SLIPWAY_CONCURRENCY must be a whole number');
  });

  it('wants the user name and the password of the environment together', async () => {
    const { code, stderr } = await call(['runs', 'list'], { env: { SLIPWAY_USERNAME: 'x' } });
    expect(code).toBe(2);
    expect(stderr).toContain('SLIPWAY_USERNAME and SLIPWAY_PASSWORD go together');
  });

  it('follows no redirect, and says where it would lead', async () => {
    const api = await startFakeApi({
      'GET /api/v1/runs': (_, response) =>
        void response.writeHead(301, { location: 'https://elsewhere.example/api/v1/runs' }).end(),
    });
    const { code, stderr } = await call(['runs', 'list', '--server', api.url]);
    expect(code).toBe(4);
    expect(stderr).toContain('https://elsewhere.example/api/v1/runs');
  });
});

describe('exit codes', () => {
  it('are 1 to 4 for every reason, and never 0', () => {
    for (const reason of failureReasons) expect([1, 2, 3, 4]).toContain(exitCodeOf(reason));
  });
});
