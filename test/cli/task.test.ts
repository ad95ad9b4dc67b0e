import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { confirm } from '../../src/cli/confirm.ts';
import type { CliIo } from '../../src/cli/io.ts';
import type { RunId } from '../../src/domain/run.ts';
import { password, startRig, workingWorker } from '../http/rig.ts';
import { call, Captured, envFor, makeContext, outputImage, runDocument, sendJson, startFakeApi } from './rig-api.ts';

const repository = 'https://git.example.com/team/app.git';

async function setUp() {
  const { url, store, queue, sink } = await startRig();
  await store.workers.beat(workingWorker());
  const env = { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
  const slipway = (words: readonly string[], more: Parameters<typeof call>[1] = {}) => call(words, { ...more, env });
  const build = ['-c', `${repository}#main`, '-f', 'Dockerfile', '-t', 'app', '--arg', 'A=1'];
  await slipway(['task', 'create', 'web-app', ...build]);
  return { store, queue, sink, slipway };
}

describe('slipway task list, show and delete', () => {
  it('show the tasks in columns', async () => {
    const { slipway } = await setUp();
    await slipway(['task', 'create', 'hello-cmd', '--cmd', 'busybox true', '--schedule', '0 3 * * *']);
    const { code, stdout } = await slipway(['task', 'list']);
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'TASK       STATUS   STARTS BY            FILE                  CONTEXT',
      'hello-cmd  Enabled  1 timer, base image  (kept with the task)  -',
      `web-app    Enabled  commit, base image   Dockerfile            ${repository}#main`,
      '',
    ]);
    const json = await slipway(['task', 'list', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject([{ name: 'hello-cmd' }, { name: 'web-app' }]);
  });

  it('follow the list from page to page, whatever the server calls itself', async () => {
    const page = (name: string, nextLink?: string) => ({
      value: [{ name, properties: { step: { type: 'Docker' } } }],
      nextLink,
    });
    const api = await startFakeApi({
      'GET /api/v1/tasks': ({ path }, response) =>
        sendJson(
          response,
          path.includes('skiptoken') ? page('two') : page('one', 'https://elsewhere/x?$skiptoken=a%2Bb'),
        ),
    });
    const { stdout } = await call(['task', 'list', '--json'], { env: envFor(api.url) });
    expect(JSON.parse(stdout)).toMatchObject([{ name: 'one' }, { name: 'two' }]);
    expect(new URL(api.seen[1]!.path, 'http://x').searchParams.get('$skiptoken')).toBe('a+b');
  });

  it('show one task, and exit with 3 for one that is not there', async () => {
    const { slipway } = await setUp();
    const { stdout } = await slipway(['task', 'show', '-n', 'web-app']);
    expect(stdout).toContain('Images:     app\n');
    expect(stdout).toContain('Arguments:  A=1\n');
    expect(stdout).toContain('Watches:\n  yes  pushes to main of git.example.com/team/app\n');
    expect(stdout).not.toContain('secret:');
    const secure = await slipway(['task', 'show', 'web-app', '--with-secure-properties']);
    expect(secure.stdout).toMatch(/Webhook: .*\n {2}secret: \S{40,}\n/);
    const missing = await slipway(['task', 'show', 'no-such']);
    expect(missing).toMatchObject({ code: 3, stdout: '' });
    expect(missing.stderr).toContain('hint: "slipway task list" shows the tasks');
  });

  it('delete a task when somebody is sure', async () => {
    const { slipway } = await setUp();
    const unsure = await slipway(['task', 'delete', 'web-app']);
    expect(unsure.code).toBe(2);
    expect(unsure.stderr).toContain('-y says yes');
    const done = await slipway(['task', 'delete', 'web-app', '-y']);
    expect(done).toMatchObject({ code: 0, stdout: 'Task web-app is deleted. Its runs stay.\n' });
    expect((await slipway(['task', 'delete', 'web-app', '-y'])).code).toBe(3);
    expect((await slipway(['task', 'list'])).stderr).toBe('There are no tasks.\n');
  });

  it.each([
    ['y\n', true],
    ['Yes\n', true],
    ['\n', false],
    ['no\n', false],
    ['', false],
  ])('take %j for %j', async (answer, isYes) => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const stderr = new Captured(true);
    const asking = confirm({ stdin, stderr } as unknown as CliIo, 'Delete?');
    stdin.end(answer);
    expect(await asking).toBe(isYes);
    expect(stderr.text).toBe('Delete? [y/N] ');
  });
});

describe('slipway task run', () => {
  it('runs a task with what this run does otherwise', async () => {
    const { slipway, store } = await setUp();
    const words = [
      'task',
      'run',
      'web-app',
      '--no-wait',
      '--arg',
      'A=2',
      '--secret-arg',
      'B=sesame',
      '--target',
      'test',
    ];
    expect(await slipway(words)).toMatchObject({ code: 0, stdout: 'ca1\n', stderr: '' });
    const run = await store.runs.get('ca1' as RunId);
    expect(run).toMatchObject({
      task: 'web-app',
      request: { type: 'DockerBuildRequest', sourceLocation: `${repository}#main`, target: 'test' },
      cause: { kind: 'manual', by: 'admin' },
    });
    expect(JSON.stringify(run)).toContain('"value":"2"');
    expect(JSON.stringify(run)).not.toContain('sesame');
  });

  it('sends a folder in place of the repository, with the Dockerfile that .dockerignore leaves out', async () => {
    const { slipway, store, sink } = await setUp();
    const cwd = await makeContext();
    await writeFile(join(cwd, '.dockerignore'), 'Dockerfile\n');
    expect(await slipway(['task', 'run', 'web-app', '--no-wait', '-c', '.'], { cwd })).toMatchObject({
      code: 0,
      stderr: '',
    });
    const [[name, archive]] = [...sink.objects.entries()] as [[string, Buffer]];
    expect(archive.toString('latin1')).toContain('FROM scratch');
    const { request } = (await store.runs.get('ca1' as RunId))!;
    expect(name).toContain(request.sourceLocation);
    expect(request).toMatchObject({ dockerFilePath: 'Dockerfile' });
  });

  it('finds the task file in the folder that it sends', async () => {
    const { slipway, store } = await setUp();
    await slipway(['task', 'create', 'file-task', '-c', repository, '-f', 'acb.yaml']);
    const cwd = await makeContext();
    const missing = await slipway(['task', 'run', 'file-task', '--no-wait', '-c', '.'], { cwd });
    expect([missing.code, missing.stderr]).toEqual([
      2,
      'error: the task file acb.yaml is not there\nhint: paths count from the context\n',
    ]);
    await writeFile(join(cwd, 'b.yaml'), 'steps:\n  - cmd: busybox true\n');
    expect((await slipway(['task', 'run', 'file-task', '--no-wait', '-c', '.', '-f', 'b.yaml'], { cwd })).code).toBe(0);
    expect((await store.runs.get('ca1' as RunId))?.request).toMatchObject({ taskFilePath: 'b.yaml' });
  });

  it('says what the task cannot be told', async () => {
    const { slipway } = await setUp();
    const { code, stderr } = await slipway(['task', 'run', 'web-app', '--no-wait', '--set', 'a=1']);
    expect([code, stderr]).toEqual([2, 'error: this task builds a Dockerfile: it takes arguments, not values\n']);
    expect((await slipway(['task', 'run', 'no-such', '--no-wait'])).code).toBe(3);
  });
});

describe('slipway task logs', () => {
  const runs = [
    runDocument({ runId: 'ca3', task: 'web-app', status: 'Failed' }),
    runDocument({ runId: 'ca2', task: 'web-app', status: 'Succeeded', outputImages: [outputImage] }),
  ];
  async function setUpLogs() {
    const api = await startFakeApi({
      'GET /api/v1/runs': ({ path }, response) =>
        sendJson(response, { value: path.includes('empty') ? [] : runs.slice(0, path.includes('top=1&') ? 1 : 2) }),
      'GET /api/v1/tasks/empty': (_, response) => sendJson(response, { name: 'empty', properties: { step: {} } }),
      'GET /api/v1/runs/ca2/log': (_, response) => void response.end('two\n'),
      'GET /api/v1/runs/ca3/log': (_, response) => void response.end('three\n'),
    });
    return { api, logs: (...words: string[]) => call(['task', 'logs', ...words], { env: envFor(api.url) }) };
  }

  it('shows that of the newest run, of a run, and of the run that made an image', async () => {
    const { api, logs } = await setUpLogs();
    expect(await logs('web-app')).toMatchObject({ code: 0, stdout: 'three\n', stderr: 'Run ca3:\n' });
    expect(new URL(api.seen[0]!.path, 'http://x').searchParams.get('$filter')).toBe("taskName eq 'web-app'");
    expect(await logs('--run-id', 'ca2')).toMatchObject({ stdout: 'two\n', stderr: '' });
    const { repository: name, digest } = outputImage;
    for (const image of ['app:v1', 'localhost:5080/app:v1', `${name}@${digest}`])
      expect(await logs('web-app', '--image', image)).toMatchObject({ stdout: 'two\n' });
  });

  it('says so when there is none', async () => {
    const { logs } = await setUpLogs();
    const none = await logs('empty');
    expect(none.code).toBe(3);
    expect(none.stderr).toBe('error: there is no run of task empty yet\nhint: slipway task run empty starts one\n');
    expect((await logs('web-app', '--image', 'app:v9')).stderr).toContain(
      'there is no run of task web-app that made app:v9',
    );
    expect((await logs('--run-id', '../x')).code).toBe(2);
  });
});

describe('slipway task timer', () => {
  it('adds, changes, lists and removes timers, and touches nothing else', async () => {
    const { slipway, store } = await setUp();
    const timer = (...words: string[]) => slipway(['task', 'timer', ...words]);
    const added = await timer('add', 'web-app', '--schedule', '0 3 * * *', '--time-zone', 'Europe/Berlin');
    expect(added.stdout.split('\n')).toEqual([
      'Task web-app has the timer t1.',
      'TIMER  SCHEDULE   TIME ZONE      STATUS   CATCHES UP  NEXT',
      't1     0 3 * * *  Europe/Berlin  Enabled  yes         2026-11-22T02:00:00.000Z',
      '',
    ]);
    const more = ['--timer-name', 'hourly', '--schedule', '0 * * * *', '--catch-up', 'false'];
    expect((await timer('add', '-n', 'web-app', ...more)).code).toBe(0);
    const twice = await timer('add', 'web-app', ...more);
    expect([twice.code, twice.stderr]).toEqual([
      1,
      'error: task web-app has a timer hourly already\nhint: slipway task timer update web-app --timer-name hourly changes it\n',
    ]);
    expect((await timer('update', 'web-app', '--timer-name', 'T1', '--enabled', 'false')).stdout).toContain('Disabled');
    const list = JSON.parse((await timer('list', 'web-app', '--json')).stdout) as unknown;
    expect(list).toEqual([
      { name: 't1', schedule: '0 3 * * *', status: 'Disabled', timeZone: 'Europe/Berlin' },
      { name: 'hourly', schedule: '0 * * * *', status: 'Enabled', catchUp: false },
    ]);
    const before = await store.tasks.get('web-app');
    expect((await timer('remove', 'web-app', '--timer-name', 't1')).stdout).toContain(
      'Timer t1 of task web-app is removed.',
    );
    const after = await store.tasks.get('web-app');
    expect(after?.trigger.timerTriggers).toMatchObject([{ name: 'hourly' }]);
    expect(after?.step).toEqual(before?.step);
    expect(after?.trigger.sourceTriggers).toEqual(before?.trigger.sourceTriggers);
  });

  it.each([
    [['add', 'web-app'], '--schedule is missing', 2],
    [['add', 'web-app', '--schedule', '0 3 *'], 'has not the five fields of cron', 2],
    [['update', 'web-app', '--enabled', 'true'], '--timer-name is missing', 2],
    [['remove', 'web-app', '--timer-name', 'x'], 'task web-app has no timer x', 3],
    [['list', 'no-such'], 'task no-such does not exist', 3],
  ])('says what is wrong with %j', async (words, message, exit) => {
    const { slipway } = await setUp();
    const { code, stderr } = await slipway(['task', 'timer', ...words]);
    expect(stderr).toContain(message);
    expect(code).toBe(exit);
  });

  it('does not write over what somebody else has changed in the meantime', async () => {
    const document = {
      name: 'web-app',
      properties: { step: { type: 'Docker' }, trigger: { timerTriggers: [{ name: 't1', schedule: '0 3 * * *' }] } },
    };
    const api = await startFakeApi({
      'POST /api/v1/tasks/web-app/listDetails': (_, response) => {
        response.setHeader('etag', '"7"');
        sendJson(response, document);
      },
      'PUT /api/v1/tasks/web-app': (_, response) =>
        sendJson(response, { error: { code: 'PreconditionFailed', message: 'the task was changed' } }, 412),
    });
    const words = ['task', 'timer', 'remove', 'web-app', '--timer-name', 't1'];
    const { code, stderr } = await call(words, { env: envFor(api.url) });
    expect([code, stderr]).toEqual([1, 'error: the task was changed\n']);
    expect(api.of('PUT')[0]!.headers['if-match']).toBe('"7"');
  });
});

describe('slipway task credential', () => {
  it('adds, lists and removes the accounts at other registries, whose passwords nobody sees', async () => {
    const { slipway } = await setUp();
    const credential = (words: readonly string[], stdin = '') => slipway(['task', 'credential', ...words], { stdin });
    const login = ['--login-server', 'registry.example.com', '-u', 'bot'];
    const added = await credential(['add', 'web-app', ...login, '--password-stdin'], 'sesame\n');
    expect(added).toMatchObject({
      code: 0,
      stdout: 'Task web-app has a credential for registry.example.com.\n',
      stderr: '',
    });
    expect((await credential(['list', 'web-app'])).stdout).toBe('registry.example.com\n');
    const secure = await slipway(['task', 'show', 'web-app', '--with-secure-properties', '--json']);
    expect(JSON.parse(secure.stdout)).toMatchObject({
      properties: { credentials: { customRegistries: { 'registry.example.com': { password: { value: 'sesame' } } } } },
    });
    const warned = await credential(['update', 'web-app', ...login, '-p', 'other']);
    expect(warned.stderr).toContain('warning: a command line is seen');
    const gone = await credential(['remove', 'web-app', '--login-server', 'Registry.example.com']);
    expect(gone.stdout).toBe('Task web-app has no credential any more for registry.example.com.\n');
    expect((await credential(['list', 'web-app', '--json'])).stdout).toBe('[]\n');
  });

  it.each([
    [['add', 'web-app', '-u', 'bot'], '--login-server is missing', 2],
    [['add', 'web-app', '--login-server', 'x.io'], '--username is missing', 2],
    [['add', 'web-app', '--login-server', 'x.io', '-u', 'bot'], 'the password on stdin is empty', 2],
    [['add', 'web-app', '--login-server', 'x.io', '--use-identity', '[system]'], 'no managed identities here', 2],
    [['remove', 'web-app', '--login-server', 'x.io'], 'task web-app has no credential for x.io', 3],
  ])('says what is wrong with %j', async (words, message, exit) => {
    const { slipway } = await setUp();
    const { code, stderr } = await slipway(['task', 'credential', ...words]);
    expect(stderr).toContain(message);
    expect(code).toBe(exit);
  });
});
