import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { call, envFor, makeContext } from './rig-api.ts';

describe('slipway build with bad input', () => {
  const refused: readonly (readonly [string, readonly string[], string])[] = [
    ['an unknown flag', ['build', '--platfrm', 'x'], "unknown option '--platfrm'"],
    ['a platform that is none', ['build', '--platform', 'linux/z80'], '--platform: "z80" is none of'],
    ['a timeout that is too short', ['build', '--timeout', '10'], '--timeout must be a whole number of seconds'],
    ['an auth mode that is none', ['build', '--auth-mode', 'x'], '--auth-mode must be None or Default'],
    ['an image name that is none', ['build', '-t', 'App:v1'], 'a repository is written in lower case'],
    ['a build argument without a name', ['build', '--build-arg', '=x'], '--build-arg must be NAME=VALUE or NAME'],
    ['a context that does not exist', ['build', 'nowhere'], 'the context nowhere does not exist'],
    [
      'a git URL that the server would refuse',
      ['build', 'git://host/x.git'],
      'git:// is not among https, ssh, http and oci',
    ],
    ['a Dockerfile that is not there', ['build', '-f', 'No.Dockerfile'], 'there is no Dockerfile No.Dockerfile'],
    ['two contexts', ['build', '.', 'b'], 'too many arguments'],
  ];
  it.each(refused)('refuses %s with exit code 2', async (_, words, message) => {
    const { code, stdout, stderr } = await call(words, { env: envFor('http://127.0.0.1:1'), cwd: await makeContext() });
    expect(stderr).toContain(`error: `);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('never repeats a secret argument that is malformed', async () => {
    const { stderr } = await call(['build', '--secret-build-arg', 'my secret=x'], { cwd: await makeContext() });
    expect(stderr).not.toContain('my secret');
  });

  it('exits with 4 and says how to start the server when nothing answers', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const url = `http://127.0.0.1:${port}`;
    const plain = await call(['build'], { env: envFor(url), cwd: await makeContext() });
    expect(plain).toMatchObject({ code: 4, stdout: '' });
    expect(plain.stderr).toContain(`error: nothing answers at ${url}\nhint: Start Slipway with slipway up`);
    const json = await call(['build', '--json'], { env: envFor(url), cwd: await makeContext() });
    expect(json).toMatchObject({ code: 4, stdout: '' });
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { reason: 'server-unreachable' } });
  });
});
