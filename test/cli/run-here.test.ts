import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LocalHost, LocalRunWish } from '../../src/cli/local-host.ts';
import type { FinalStatus } from '../../src/domain/run.ts';
import {
  call,
  digest,
  makeFolder,
  number,
  outputImage,
  runDocument,
  successfulRun,
  type CallOptions,
} from './rig-api.ts';

const task = 'version: v1.1.0\nsteps:\n  - cmd: busybox echo hello\n';

interface RigOptions {
  readonly status?: FinalStatus;
  /** The run ends only when it is canceled. */
  readonly waits?: boolean;
}

/** A machine that takes every run and says that it went as the test wants. */
function createMachine({ status = 'Succeeded', waits = false }: RigOptions = {}) {
  const wishes: LocalRunWish[] = [];
  const done: string[] = [];
  let isCanceled = false;
  let wake = (): void => undefined;
  const canceled = new Promise<void>((resolve) => (wake = resolve));
  const events = successfulRun().slice(0, -1);
  const end = (): FinalStatus => (waits && isCanceled ? 'Canceled' : status);
  const startRun: LocalHost['startRun'] = async (_, wish) => {
    wishes.push(wish);
    return {
      id: 'ca1',
      reader: {
        server: 'here',
        run: async () => {
          const more = { status: end(), runType: 'QuickRun', outputImages: [outputImage] };
          return (runDocument(more) as { properties: never }).properties;
        },
        events: async function* () {
          for (const event of events) yield { event };
          if (waits) await canceled;
          yield { event: { ...number([{ kind: 'run-ended', status: end() }])[0]!, seq: events.length + 1 } };
        },
      },
      cancel: () => {
        if (!isCanceled) done.push('cancel');
        isCanceled = true;
        wake();
      },
      gone: Promise.resolve().then(() => void done.push('gone')),
    };
  };
  return { wishes, done, wiring: { host: async () => ({ startRun }) as unknown as LocalHost } };
}

async function run(words: readonly string[], files: Record<string, string> = {}, given: CallOptions & RigOptions = {}) {
  const { status, waits, ...options } = given;
  const machine = createMachine({ ...(status && { status }), ...(waits && { waits }) });
  const cwd = await makeFolder();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(cwd, name, '..'), { recursive: true });
    await writeFile(join(cwd, name), content);
  }
  const env = { HOME: cwd, SLIPWAY_DATA: join(cwd, '.slipway'), ...options.env };
  const result = await call(['run', '--local', ...words], { cwd, wiring: machine.wiring, ...options, env });
  return { ...result, cwd, done: machine.done, wish: machine.wishes[0] };
}

describe('slipway run --local', () => {
  it('hands the task to this machine, prints the log and the images, and speaks to no server', async () => {
    const { code, stdout, stderr, wish, cwd } = await run(['--set', 'a=1', '--max-parallel', '3'], {
      'acb.yaml': task,
    });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('line 1\nline 2\nline 3\n');
    expect(stdout).toContain(`Image: localhost:5080/app:v1@${digest}`);
    expect(wish).toMatchObject({
      body: { type: 'FileTaskRunRequest', taskFilePath: 'acb.yaml', values: [{ name: 'a', value: '1' }] },
      context: { kind: 'archive', folder: { dockerfile: undefined } },
      registryHost: '127.0.0.1:5080',
      maxParallel: 3,
    });
    expect(wish!.description).toBe(cwd);
  });

  it('hands over no context with /dev/null, and the location of a remote one', async () => {
    expect((await run(['--cmd', 'busybox', '/dev/null'])).wish).toMatchObject({
      context: undefined,
      body: { type: 'EncodedTaskRunRequest' },
    });
    const location = 'https://github.com/owner/app.git#main';
    expect((await run([location])).wish).toMatchObject({
      context: { kind: 'remote', location },
      body: { sourceLocation: location },
    });
  });

  it('prints one JSON document with --json, and no log with --no-logs', async () => {
    const json = await run(['--json'], { 'acb.yaml': task });
    expect(JSON.parse(json.stdout)).toMatchObject({ runId: 'ca1', status: 'Succeeded' });
    expect(json.stderr).toContain('line 1\n');
    const silent = await run(['--no-logs'], { 'acb.yaml': task });
    expect(silent.stdout).toBe(`Run ca1 Succeeded\nImage: localhost:5080/app:v1@${digest}\n`);
  });

  it.each(['Failed', 'Error', 'Timeout'] as const)('ends with 1 when the run is %s', async (status) => {
    expect((await run([], { 'acb.yaml': task }, { status })).code).toBe(1);
  });

  it('cancels the run on Ctrl-C, waits until it is gone, and ends with 130', async () => {
    const { code, done } = await run(
      [],
      { 'acb.yaml': task },
      { waits: true, onListening: (press) => setImmediate(press) },
    );
    expect([code, done]).toEqual([130, expect.arrayContaining(['cancel', 'gone'])]);
  });

  it.each([
    [['--registry', 'reg.example:5000'], {}, 'reg.example:5000'],
    [[], { SLIPWAY_REGISTRY: 'own.example' }, 'own.example'],
    [[], { SLIPWAY_SERVER: 'https://ci.example.com' }, 'ci.example.com'],
    [['--registry', 'localhost'], { SLIPWAY_SERVER: 'https://ci.example.com' }, 'localhost'],
  ])('with %j and %j has the registry %s', async (words, env: Record<string, string>, registryHost) => {
    expect((await run(words, { 'acb.yaml': task }, { env })).wish).toMatchObject({ registryHost });
  });

  it('knows the registry of a server from its login', async () => {
    const login = { username: 'u', password: 'p', registry: 'images.example.com' };
    const files = {
      'acb.yaml': task,
      '.slipway/credentials.json': JSON.stringify({ servers: { 'https://ci.example.com': login } }),
    };
    const { wish } = await run([], files, { env: { SLIPWAY_SERVER: 'https://ci.example.com' } });
    expect(wish).toMatchObject({ registryHost: 'images.example.com' });
    expect(wish!.credentials).toEqual({ 'images.example.com': { userName: 'u', password: 'p' } });
  });

  it('takes the logins of docker, of slipway and of this machine', async () => {
    const auth = Buffer.from('me:pass:word').toString('base64');
    const servers = { 'https://old.example.com': { username: 'u', password: 'p' } };
    const files = {
      'acb.yaml': task,
      '.docker/config.json': JSON.stringify({
        auths: { 'https://reg.example/v1/': { auth }, 'old.example.com': { auth } },
      }),
      '.slipway/credentials.json': JSON.stringify({ servers }),
      '.slipway/admin.json': JSON.stringify({ username: 'admin', password: 'own' }),
    };
    expect((await run([], files)).wish!.credentials).toEqual({
      'reg.example': { userName: 'me', password: 'pass:word' },
      'old.example.com': { userName: 'u', password: 'p' },
      '127.0.0.1:5080': { userName: 'admin', password: 'own' },
    });
  });

  it('says of a failed run that credential helpers were not asked, and of a good one nothing', async () => {
    const config = {
      auths: { 'https://index.docker.io/v1/': {} },
      credsStore: 'desktop',
      credHelpers: { 'gcr.io': 'gcr' },
    };
    const files = { 'acb.yaml': task, '.docker/config.json': JSON.stringify(config) };
    const { stderr } = await run([], files, { status: 'Failed' });
    expect(stderr).toBe('note: passwords in docker’s credential helpers are not read: gcr.io, docker.io\n');
    expect((await run([], files)).stderr).toBe('');
  });

  it.each(['{', 'null', '[]', '{"auths":{"a":null,"b":{"auth":"!"},"c":{"auth":"Og=="}}}'])(
    'is not stopped by a config.json of docker that is %s',
    async (text) => {
      const { code, wish } = await run([], { 'acb.yaml': task, '.docker/config.json': text });
      expect([code, wish!.credentials]).toEqual([0, {}]);
    },
  );

  it.each([
    [['--no-wait'], /--no-wait needs a server/],
    [['--max-parallel', '0'], /--max-parallel must be a whole number from 1 to 1000/],
    [['--max-parallel', 'many'], /--max-parallel must be a whole number/],
    [['--secret-file', 'word'], /--secret-file must be NAME=PATH/],
    [['--secret-file', '=x'], /--secret-file must be NAME=PATH/],
    [['--secret-file', 'a=none.txt'], /--secret-file: none.txt cannot be read/],
    [['--registry', 'myregistry'], /--registry myregistry is no host of a registry/],
    [['--registry', 'reg.example/team'], /--registry reg.example\/team is no host/],
    [['-f', 'no.yaml'], /there is no task file no.yaml/],
  ])('refuses %j before anything is started', async (words, message) => {
    const { code, stderr, wish } = await run(words, { 'acb.yaml': task });
    expect(stderr).toMatch(message);
    expect([code, wish]).toEqual([2, undefined]);
  });

  it('hands over the secrets that lie in files, byte for byte', async () => {
    const words = ['--secret-file', 'a=a.txt', '--secret-file', 'b=sub/b=b'];
    const { wish } = await run(words, { 'acb.yaml': task, 'a.txt': 'one\n', 'sub/b=b': 'two' });
    expect([...wish!.secrets].map(([name, value]) => [name, value.toString()])).toEqual([
      ['a', 'one\n'],
      ['b', 'two'],
    ]);
  });

  it.each([
    ['--max-parallel', '2', /SLIPWAY_MAX_PARALLEL/],
    ['--secret-file', 'a=b', /slipway secret set/],
  ])('says that %s is for --local', async (flag, value, hint) => {
    const { code, stderr } = await call(['run', flag, value, '--cmd', 'busybox', '/dev/null'], {});
    expect(code).toBe(2);
    expect(stderr).toContain(`${flag} goes with --local`);
    expect(stderr).toMatch(hint);
  });
});
