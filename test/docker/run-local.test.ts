import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { call, makeFolder } from '../cli/rig-api.ts';
import { eventually, freePort } from '../rig/installation.ts';
import { engineHost, startRegistry, type TestRegistry } from '../runner/rig.ts';

const run = promisify(execFile);
const root = new URL('../..', import.meta.url).pathname;
const account = { userName: 'builder', password: 'pass-word-1' };

let registry: TestRegistry;

beforeAll(async () => {
  registry = await startRegistry(account);
});
afterAll(async () => {
  const { stdout } = await run('docker', ['images', '-q', `${registry.host}/*`]);
  const ids = [...new Set(stdout.split('\n').filter((id) => id !== ''))];
  if (ids.length > 0) await run('docker', ['rmi', '-f', ...ids]);
  await registry.stop();
});

/** A home directory, a folder with files, and the environment of somebody who has both. */
async function makePlace(files: Record<string, string> = {}) {
  const home = await makeFolder();
  const cwd = join(home, 'work');
  for (const [name, content] of Object.entries({ 'work/.keep': '', ...files })) {
    await mkdir(join(home, name, '..'), { recursive: true });
    await writeFile(join(home, name), content);
  }
  return { cwd, home, env: { HOME: home, SLIPWAY_DATA: join(home, '.slipway'), DOCKER_HOST: engineHost } };
}

type Place = Awaited<ReturnType<typeof makePlace>>;

/** What the engine has of the local runs of a place: containers, networks, volumes. */
async function remains({ env }: Place): Promise<string> {
  const name = (await readFile(join(env.SLIPWAY_DATA, 'local', 'name'), 'utf8')).trim();
  const filter = ['--filter', `label=slipway.installation=${name}`];
  const lists = [
    ['ps', '-aq'],
    ['network', 'ls', '-q'],
    ['volume', 'ls', '-q'],
  ].map((list) => [...list, ...filter]);
  return (await Promise.all(lists.map((list) => run('docker', list)))).map(({ stdout }) => stdout).join('');
}

async function filesLeft({ env }: Place): Promise<readonly string[]> {
  const directories = ['runs', 'work'].map((name) => readdir(join(env.SLIPWAY_DATA, 'local', name)));
  return (await Promise.all(directories)).flat();
}

/** Starts the command as a process of its own; its output grows in `output()`. */
function start({ cwd, env }: Place, words: readonly string[]): { child: ChildProcess; output: () => string } {
  const args = ['--import', join(root, 'node_modules/tsx/dist/esm/index.mjs'), join(root, 'src/cli/main.ts'), ...words];
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}

const waiting = 'version: v1.1.0\nsteps:\n  - id: wait\n    cmd: busybox:latest sh -c "echo up; sleep 600"\n';
const login = { auth: Buffer.from(`${account.userName}:${account.password}`).toString('base64') };

describe('slipway run --local', () => {
  it('runs the multi-step example and pushes to a registry by the login of docker', async () => {
    const place = await makePlace({ '.docker/config.json': JSON.stringify({ auths: { [registry.host]: login } }) });
    await cp(join(root, 'examples', 'multi-step'), place.cwd, { recursive: true });
    const words = ['run', '--local', '-f', 'task.yaml', '--registry', registry.host, '--set', 'greeting=Ahoy'];
    const { code, stdout, stderr } = await call(words, place);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain(`context: ${place.cwd}`);
    expect(stdout).toMatch(/^test +\| Ahoy, Slipway/m);
    expect(stdout).toMatch(/^notes +\| built l[a-z0-9]{15} on /m);
    expect(stdout).toMatch(new RegExp(`Image: ${registry.host}/greeter:l[a-z0-9]{15}@sha256:`));
    expect(await remains(place)).toBe('');
    expect(await filesLeft(place)).toEqual([]);
  });

  it('fails a push for want of a login, with the registry’s reason and exit code 1', async () => {
    const push = `version: v1.1.0\nsteps:\n  - build: -t $Registry/none:1 .\n  - push: [$Registry/none:1]\n`;
    const place = await makePlace({ 'work/acb.yaml': push, 'work/Dockerfile': 'FROM busybox:latest\n' });
    const { code, stdout } = await call(['run', '--local', '--registry', registry.host], place);
    expect(code).toBe(1);
    expect(stdout).toMatch(/none:1 could not be pushed: the registry does not allow it/);
    expect(await remains(place)).toBe('');
  });

  it('ends with 1 when a step fails, says which, and skips the rest', async () => {
    const task = [
      'version: v1.1.0',
      'steps:',
      '  - id: bad',
      '    cmd: busybox:latest sh -c "echo no; exit 3"',
      '  - id: never',
      '    cmd: busybox:latest echo never',
    ];
    const place = await makePlace({ 'work/acb.yaml': task.join('\n') });
    const { code, stdout } = await call(['run', '--local', '--json'], place);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'Failed',
      runType: 'QuickRun',
      steps: [
        { id: 'bad', outcome: { kind: 'failed', exitCode: 3 } },
        { id: 'never', outcome: { kind: 'skipped' } },
      ],
    });
    expect(await remains(place)).toBe('');
  });

  it('masks secret values, reads values files, and keeps out what .dockerignore names', async () => {
    const task = [
      'version: v1.1.0',
      'steps:',
      '  - cmd: busybox:latest sh -c "echo {{.Values.token}} {{.Values.word}}; ls"',
    ];
    const files = { 'work/acb.yaml': task.join('\n'), 'work/v.yaml': 'word: hello\n', 'work/out': '' };
    const place = await makePlace({ ...files, 'work/.dockerignore': 'out\n' });
    const { code, stdout } = await call(
      ['run', '--local', '--values', 'v.yaml', '--set-secret', 'token=hush-hush'],
      place,
    );
    expect(code).toBe(0);
    expect(stdout).toContain('******** hello\n');
    expect(stdout).toContain('\nacb.yaml\n');
    expect(stdout).not.toMatch(/^out$/m);
    expect(stdout).not.toContain('hush-hush');
  });

  it('gives a task its secrets from files, masked, and names the one that is missing', async () => {
    const task = [
      'version: v1.1.0',
      'secrets:',
      '  - id: word',
      'steps:',
      '  - cmd: busybox:latest sh -c "echo the word is $WORD | rev; echo $WORD"',
      '    env: ["WORD={{.Secrets.word}}"]',
    ];
    const place = await makePlace({ 'work/acb.yaml': task.join('\n'), 'word.txt': 'open-sesame' });
    const given = await call(['run', '--local', '--secret-file', 'word=../word.txt'], place);
    expect(given.code).toBe(0);
    expect(given.stdout).toContain('\nemases-nepo si drow eht\n********\n');
    const missing = await call(['run', '--local'], place);
    expect(missing.code).toBe(1);
    expect(missing.stdout).toContain(
      'the task asks for the secret "word"; without a server it is given by --secret-file',
    );
  });

  it('says what is wrong with a task file, with its place', async () => {
    const place = await makePlace({
      'work/acb.yaml': 'version: v1.1.0\nsteps:\n  - cmd: busybox\n    timeout: soon\n',
    });
    const { code, stdout } = await call(['run', '--local'], place);
    expect(code).toBe(1);
    expect(stdout).toMatch(/acb\.yaml:4/);
  });

  it('runs no more steps at the same time than it may', async () => {
    const steps = ['a', 'b', 'c'].map(
      (id) => `  - id: ${id}\n    cmd: busybox:latest sh -c "mkdir lock && sleep 0.3 && rmdir lock"\n    when: ['-']\n`,
    );
    const place = await makePlace({ 'work/acb.yaml': `version: v1.1.0\nsteps:\n${steps.join('')}` });
    expect((await call(['run', '--local', '--max-parallel', '1'], place)).code).toBe(0);
  });

  it('cancels on Ctrl-C, leaves nothing on the engine, and ends with 130', async () => {
    const place = await makePlace({ 'work/acb.yaml': waiting });
    const { child, output } = start(place, ['run', '--local']);
    await eventually('the step', 60_000, async () => (/^up$/m.test(output()) ? true : undefined));
    child.kill('SIGINT');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(130);
    expect(output()).toContain('canceled by Ctrl-C');
    expect(await remains(place)).toBe('');
    expect(await filesLeft(place)).toEqual([]);
  });

  it('clears up behind a local run that was killed, and lets one alone that lives', async () => {
    const place = await makePlace({ 'work/acb.yaml': waiting });
    const [dead, alive] = [start(place, ['run', '--local']), start(place, ['run', '--local'])];
    for (const { output } of [dead, alive])
      await eventually('the step', 60_000, async () => (/^up$/m.test(output()) ? true : undefined));
    dead.child.kill('SIGKILL');
    await once(dead.child, 'exit');
    expect((await call(['run', '--local', '--cmd', 'busybox:latest true', '/dev/null'], place)).code).toBe(0);
    const left = (await remains(place)).split('\n').filter((line) => line !== '');
    const names = (await filesLeft(place)).map((name) => name.replace('.json', ''));
    expect(new Set(names).size).toBe(1);
    const { stdout } = await run('docker', ['ps', '-aq', '--filter', `label=slipway.run=${names[0]!}`]);
    expect(left).toContain(stdout.trim());
    const exited = once(alive.child, 'exit');
    alive.child.kill('SIGINT');
    expect(await exited).toEqual([130, null]);
    expect(await remains(place)).toBe('');
  });

  it('ends with 4 when no engine answers, and says where it looked', async () => {
    const place = await makePlace();
    const env = { ...place.env, DOCKER_HOST: `tcp://127.0.0.1:${await freePort()}` };
    const { code, stderr } = await call(['run', '--local', '--cmd', 'busybox true', '/dev/null'], { ...place, env });
    expect(code).toBe(4);
    expect(stderr).toContain(env.DOCKER_HOST);
    await rm(place.home, { recursive: true, force: true });
  });
});
