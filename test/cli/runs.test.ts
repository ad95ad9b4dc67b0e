import { describe, expect, it } from 'vitest';
import {
  call,
  digest,
  envFor,
  outputImage,
  runDocument,
  sendError,
  sendJson,
  startFakeApi,
  type Handler,
} from './rig-api.ts';

const done = {
  runId: 'ca2',
  status: 'Succeeded',
  startTime: '2026-11-21T09:01:00.000Z',
  finishTime: '2026-11-21T09:03:05.000Z',
  outputImages: [outputImage],
  steps: [
    {
      id: 'build',
      kind: 'build',
      startTime: '2026-11-21T09:01:00.000Z',
      finishTime: '2026-11-21T09:01:19.000Z',
      outcome: { kind: 'succeeded' },
    },
    { id: 'push', kind: 'push' },
  ],
};

const notFound: Handler = (_, response) =>
  sendError(response, 404, { code: 'ResourceNotFound', message: 'run zz9 does not exist' });

describe('slipway runs list', () => {
  it('shows the runs in aligned columns with ages in words', async () => {
    const api = await startFakeApi({
      'GET /api/v1/runs': (_, response) => sendJson(response, { value: [runDocument(), runDocument(done)] }),
    });
    const { code, stdout } = await call(['runs', 'list'], { env: envFor(api.url) });
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'RUN  STATUS     TYPE        CREATED        DURATION  IMAGES',
      'ca1  Queued     QuickBuild  5 minutes ago  -         -',
      'ca2  Succeeded  QuickBuild  5 minutes ago  2m5s      app:v1',
      '',
    ]);
  });

  it('hands --top, --status and --filter to the server', async () => {
    const api = await startFakeApi({ 'GET /api/v1/runs': (_, response) => sendJson(response, { value: [] }) });
    const words = ['runs', 'list', '--top', '3', '--status', 'failed', '--filter', "runType eq 'QuickBuild'", '--json'];
    expect(await call(words, { env: envFor(api.url) })).toMatchObject({ code: 0, stdout: '[]\n', stderr: '' });
    const query = new URL(api.seen[0]!.path, 'http://x').searchParams;
    expect(Object.fromEntries(query)).toEqual({ $top: '3', $filter: "status eq 'Failed' and runType eq 'QuickBuild'" });
  });

  it('shows the task of a run and what started it, when there is one', async () => {
    const pushed = { runId: 'ca3', task: 'web-app', sourceTrigger: { eventType: 'commit' } };
    const timed = { runId: 'ca4', task: 'web-app', timerTrigger: { timerTriggerName: 't1', scheduleOccurrence: 'x' } };
    const value = [runDocument(timed), runDocument(pushed), runDocument()];
    const api = await startFakeApi({ 'GET /api/v1/runs': (_, response) => sendJson(response, { value }) });
    const { stdout } = await call(['runs', 'list'], { env: envFor(api.url) });
    expect(stdout.split('\n').map((line) => line.slice(0, 28).trim())).toEqual([
      'RUN  STATUS  TASK     CAUSE',
      'ca4  Queued  web-app  Timer',
      'ca3  Queued  web-app  commit',
      'ca1  Queued  -        Manual',
      '',
    ]);
  });

  it('asks for the runs of a task and of a pool, and keeps an expression with "or" together', async () => {
    const api = await startFakeApi({ 'GET /api/v1/runs': (_, response) => sendJson(response, { value: [] }) });
    const words = ['runs', 'list', '--task', 'web-app', '--pool', 'arm', '--filter', "runId eq 'a' or runId eq 'b'"];
    await call(words, { env: envFor(api.url) });
    expect(new URL(api.seen[0]!.path, 'http://x').searchParams.get('$filter')).toBe(
      "taskName eq 'web-app' and agentPoolName eq 'arm' and (runId eq 'a' or runId eq 'b')",
    );
  });

  it.each([
    [['--task', "x' or"], '--task must be the name of a task'],
    [['--pool', "x' or"], '--pool must be the name of an agent pool'],
    [['--top', '0'], '--top must be a whole number'],
    [['--top', 'x'], '--top must be a whole number'],
    [['--status', 'Fine'], '--status must be one of Queued'],
  ])('refuses %j', async (words, message) => {
    const { code, stderr } = await call(['runs', 'list', ...words]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('slipway runs show', () => {
  it('shows a run with its steps and images', async () => {
    const api = await startFakeApi({ 'GET /api/v1/runs/ca2': (_, response) => sendJson(response, runDocument(done)) });
    const { code, stdout } = await call(['runs', 'show', 'ca2'], { env: envFor(api.url) });
    expect(code).toBe(0);
    expect(stdout).toContain('Status:    Succeeded\n');
    expect(stdout).toContain('  build  build  succeeded  19s\n');
    expect(stdout).toContain('  push   push   waiting    -\n');
    expect(stdout).toContain(`  localhost:5080/app:v1@${digest}\n`);
    const json = await call(['runs', 'show', 'ca2', '--json'], { env: envFor(api.url) });
    expect(JSON.parse(json.stdout)).toMatchObject({ ...done, images: [`localhost:5080/app:v1@${digest}`] });
  });

  it.each([
    [
      {
        sourceTrigger: {
          eventType: 'pullrequest',
          pullRequestId: '7',
          branchName: 'fix',
          commitId: 'a'.repeat(40),
          repositoryUrl: 'https://x/y.git',
        },
        cause: { kind: 'source', by: 'ann', isTrusted: false },
      },
      'pullrequest #7 fix aaaaaaaaaaaa of https://x/y.git, by ann, not trusted: without secrets and pushes',
    ],
    [
      {
        timerTrigger: { timerTriggerName: 't1', scheduleOccurrence: '2026-11-21T03:00:00Z' },
        cause: { kind: 'timer' },
      },
      'timer t1 at 2026-11-21T03:00:00Z',
    ],
    [
      { imageUpdateTrigger: { images: [{ registry: 'x.io', repository: 'base', tag: '1' }] } },
      'changed base image x.io/base:1',
    ],
    [{ cause: { kind: 'manual', by: 'admin', rerunOf: 'ca1' } }, 'by hand, by admin, again what ca1 was'],
    [
      { cause: { kind: 'manual', by: 'ann', rerunOf: 'ca1', fromFailed: true } },
      'by hand, by ann, going on from where ca1 failed',
    ],
  ])('says what started it: %#', async (more, words) => {
    const run = runDocument({ ...more, task: 'web-app', agentPoolName: 'arm', waiting: { reason: 'no worker' } });
    const api = await startFakeApi({ 'GET /api/v1/runs/ca1': (_, response) => sendJson(response, run) });
    const { stdout } = await call(['runs', 'show', 'ca1'], { env: envFor(api.url) });
    expect(stdout).toContain(`Cause:       ${words}\n`);
    expect(stdout).toContain('Task:        web-app\n');
    expect(stdout).toContain('Agent pool:  arm\n');
    expect(stdout).toContain('Why:         no worker\n');
  });

  it('shows what its images stand on', async () => {
    const reference = {
      registry: 'localhost:5080',
      repository: 'base',
      tag: 'v1',
      reference: 'localhost:5080/base:v1',
    };
    const tool = { registry: 'x.io', repository: 'tool', digest, reference: `x.io/tool@${digest}` };
    const dependencies = [
      { image: null, git: {} },
      {
        image: { ...reference, reference: 'localhost:5080/app:v1' },
        'runtime-dependency': { ...reference, digest },
        'buildtime-dependency': [tool],
        git: {},
      },
    ];
    const run = runDocument({ ...done, dependencies });
    const api = await startFakeApi({ 'GET /api/v1/runs/ca2': (_, response) => sendJson(response, run) });
    const { stdout } = await call(['runs', 'show', 'ca2'], { env: envFor(api.url) });
    expect(stdout).toContain(
      [
        'Built on:',
        '  (an image without a name)',
        '  localhost:5080/app:v1',
        `    runtime     localhost:5080/base:v1@${digest}`,
        `    build time  x.io/tool@${digest}`,
        '',
      ].join('\n'),
    );
  });

  it('exits with 3 for a run that does not exist, and with 2 for what is no run', async () => {
    const api = await startFakeApi({ 'GET /api/v1/runs/zz9': notFound });
    const missing = await call(['runs', 'show', 'zz9'], { env: envFor(api.url) });
    expect(missing).toMatchObject({ code: 3, stdout: '', stderr: 'error: run zz9 does not exist\n' });
    const json = await call(['runs', 'show', 'zz9', '--json'], { env: envFor(api.url) });
    expect(JSON.parse(json.stderr)).toEqual({ error: { reason: 'not-found', message: 'run zz9 does not exist' } });
    expect((await call(['runs', 'show', '../x'], { env: envFor(api.url) })).code).toBe(2);
  });

  it('says so when what answers is not Slipway', async () => {
    const api = await startFakeApi({ 'GET /api/v1/runs/ca1': (_, response) => void response.end('<html>hello') });
    const { code, stderr } = await call(['runs', 'show', 'ca1'], { env: envFor(api.url) });
    expect(code).toBe(4);
    expect(stderr).toContain('is not Slipway');
  });
});

describe('slipway runs logs', () => {
  it('prints the log as it is now, without control sequences', async () => {
    const api = await startFakeApi({
      'GET /api/v1/runs/ca1/log': (_, response) => {
        response.write('one\n\u001b[31mtw');
        setTimeout(() => response.end('o\u001b[0m\nthrée'), 10);
      },
    });
    expect(await call(['runs', 'logs', 'ca1'], { env: envFor(api.url) })).toMatchObject({
      code: 0,
      stdout: 'one\ntwo\nthrée\n',
    });
    const json = await call(['runs', 'logs', 'ca1', '--json'], { env: envFor(api.url) });
    expect(JSON.parse(json.stdout)).toEqual({ runId: 'ca1', log: ['one', 'two', 'thrée'] });
  });
});

describe('slipway runs cancel', () => {
  const cancel = async (before: string, after: string) => {
    let isCanceled = false;
    const api = await startFakeApi({
      'GET /api/v1/runs/ca1': (_, response) => sendJson(response, runDocument({ status: isCanceled ? after : before })),
      'POST /api/v1/runs/ca1/cancel': (_, response) => {
        isCanceled = true;
        response.end();
      },
    });
    const result = await call(['runs', 'cancel', 'ca1'], { env: envFor(api.url) });
    return { ...result, isCanceled };
  };

  it('says what became of a queued, a running and a finished run', async () => {
    expect(await cancel('Queued', 'Canceled')).toMatchObject({
      code: 0,
      isCanceled: true,
      stdout: 'Run ca1 is canceled.\n',
    });
    expect((await cancel('Running', 'Running')).stdout).toContain('is being stopped');
    const over = await cancel('Succeeded', 'Succeeded');
    expect(over).toMatchObject({ code: 0, isCanceled: false, stdout: 'Run ca1 is over already: Succeeded\n' });
  });

  it('exits with 3 for a run that does not exist', async () => {
    const api = await startFakeApi({ 'GET /api/v1/runs/zz9': notFound });
    expect((await call(['runs', 'cancel', 'zz9'], { env: envFor(api.url) })).code).toBe(3);
  });
});

describe('slipway runs rerun', () => {
  it('runs again what is over, and shows the new run', async () => {
    const again = runDocument({ runId: 'ca9', cause: { kind: 'manual', rerunOf: 'ca2' } });
    const api = await startFakeApi({ 'POST /api/v1/runs/ca2/rerun': (_, response) => sendJson(response, again) });
    const result = await call(['runs', 'rerun', 'ca2', '--no-wait'], { env: envFor(api.url) });
    expect(result).toMatchObject({ code: 0, stdout: 'ca9\n', stderr: '' });
    expect(api.seen[0]!.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('goes on from where it failed when that is asked for', async () => {
    const again = runDocument({ runId: 'ca9', cause: { kind: 'manual', rerunOf: 'ca2', fromFailed: true } });
    const bodies: unknown[] = [];
    const api = await startFakeApi({
      'POST /api/v1/runs/ca2/rerun': (request, response) => {
        bodies.push(JSON.parse(request.body.toString()));
        sendJson(response, again);
      },
    });
    const env = envFor(api.url);
    expect(await call(['runs', 'rerun', 'ca2', '--from-failed', '--no-wait'], { env })).toMatchObject({ code: 0 });
    expect(await call(['runs', 'rerun', 'ca2', '--no-wait'], { env })).toMatchObject({ code: 0, stdout: 'ca9\n' });
    expect(bodies).toEqual([{ fromFailed: true }, {}]);
  });

  it('says why it cannot', async () => {
    const error = { code: 'Conflict', message: 'run ca2 is not over', hint: 'wait for its end' };
    const api = await startFakeApi({ 'POST /api/v1/runs/ca2/rerun': (_, response) => sendError(response, 409, error) });
    const { code, stderr } = await call(['runs', 'rerun', 'ca2'], { env: envFor(api.url) });
    expect([code, stderr]).toEqual([1, 'error: run ca2 is not over\nhint: wait for its end\n']);
    expect((await call(['runs', 'rerun', '../x'], { env: envFor(api.url) })).code).toBe(2);
  });
});
