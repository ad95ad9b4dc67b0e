import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  call,
  digest,
  envFor,
  goodBuild,
  listEntries,
  makeContext,
  makeFolder,
  number,
  outputImage,
  runDocument,
  sendError,
  sendEvents,
  sendJson,
  startFakeApi,
  successfulRun,
} from './rig-api.ts';

describe('slipway build', () => {
  it('sends the folder without what .dockerignore names, schedules the run and prints its log and images', async () => {
    const api = await startFakeApi(goodBuild());
    const cwd = await makeContext();
    const { code, stdout, stderr } = await call(['build', '-t', 'app:v1', '.'], { env: envFor(api.url), cwd });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'Queued a run with ID: ca1',
      'Started on worker w1',
      'Step build started',
      'line 1',
      'line 2',
      'line 3',
      'Step build succeeded after 4s',
      'Run ID: ca1 was successful after 6s',
      `Image: localhost:5080/app:v1@${digest}`,
      '',
    ]);
    const [put] = api.of('PUT /uploads');
    expect(await listEntries(put!.body)).toEqual(['.dockerignore', 'Dockerfile', 'a']);
    expect(put!.headers.authorization).toBeUndefined();
    const [scheduled] = api.of('POST /api/v1/scheduleRun');
    expect(JSON.parse(scheduled!.body.toString())).toEqual({
      type: 'DockerBuildRequest',
      imageNames: ['app:v1'],
      isPushEnabled: true,
      noCache: false,
      arguments: [],
      sourceLocation: 'source/202611210900/x.tar.gz',
      dockerFilePath: 'Dockerfile',
    });
    expect(scheduled!.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
    expect(scheduled!.headers.authorization).toBe(`Basic ${Buffer.from('admin:pw').toString('base64')}`);
  });

  it('sends every flag on', async () => {
    const api = await startFakeApi(goodBuild());
    const cwd = await makeContext();
    const words = [
      'build',
      '-t',
      'app:v1',
      '--image',
      'app:{{.Run.ID}}',
      '--build-arg',
      'A=1=2',
      '--build-arg',
      'FROM_ENV',
    ];
    words.push(
      '--build-arg',
      'NOT_THERE',
      '--secret-build-arg',
      'TOKEN=s',
      '--target',
      'final',
      '--platform',
      'Linux/ARM64/v8',
    );
    words.push('--no-push', '--no-cache', '--timeout', '600', '--auth-mode', 'none', '-r', 'SLIPWAY', '.');
    const { code, stderr } = await call(words, { env: envFor(api.url, { FROM_ENV: 'e' }), cwd });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const [scheduled] = api.of('POST /api/v1/scheduleRun');
    expect(JSON.parse(scheduled!.body.toString())).toMatchObject({
      imageNames: ['app:v1', 'app:{{.Run.ID}}'],
      isPushEnabled: false,
      noCache: true,
      target: 'final',
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      timeout: 600,
      arguments: [
        { name: 'A', value: '1=2', isSecret: false },
        { name: 'FROM_ENV', value: 'e', isSecret: false },
        { name: 'TOKEN', value: 's', isSecret: true },
      ],
      credentials: { sourceRegistry: { loginMode: 'None' } },
    });
  });

  it('passes a git URL on without an upload, and says when --registry names another registry', async () => {
    const api = await startFakeApi(goodBuild());
    const location = 'https://github.com/owner/app.git#main:server';
    const { code, stderr } = await call(['build', location, '-f', 'deploy/Dockerfile', '--registry', 'other'], {
      env: envFor(api.url),
    });
    expect(code).toBe(0);
    expect(stderr).toContain("note: --registry other is ignored; this server's registry is slipway (localhost:5080)");
    expect(api.of('POST /api/v1/listBuildSourceUploadUrl')).toHaveLength(0);
    const [scheduled] = api.of('POST /api/v1/scheduleRun');
    expect(JSON.parse(scheduled!.body.toString())).toMatchObject({
      sourceLocation: location,
      dockerFilePath: 'deploy/Dockerfile',
    });
  });

  it('sends a tar archive from stdin as it is', async () => {
    const api = await startFakeApi(goodBuild());
    const { code } = await call(['build', '-t', 'app', '-'], { env: envFor(api.url), stdin: Buffer.from('a tar') });
    expect(code).toBe(0);
    expect(api.of('PUT /uploads')[0]!.body.toString()).toBe('a tar');
  });

  it('finds a Dockerfile in the context, in the current directory, and outside the context', async () => {
    const api = await startFakeApi(goodBuild());
    const cwd = await makeFolder();
    await mkdir(join(cwd, 'src'));
    await writeFile(join(cwd, 'src', 'Own.Dockerfile'), 'FROM scratch\n');
    await writeFile(join(cwd, 'Outer.Dockerfile'), 'FROM busybox\n');
    for (const file of ['Own.Dockerfile', 'src/Own.Dockerfile', 'Outer.Dockerfile']) {
      expect((await call(['build', '-f', file, 'src'], { env: envFor(api.url), cwd })).code).toBe(0);
    }
    const paths = api.of('POST /api/v1/scheduleRun').map(({ body }) => JSON.parse(body.toString()).dockerFilePath);
    expect(paths.slice(0, 2)).toEqual(['Own.Dockerfile', 'Own.Dockerfile']);
    expect(paths[2]).toMatch(/^\.dockerfile\.[0-9a-f]{16}$/);
    expect(await listEntries(api.of('PUT /uploads')[2]!.body)).toContain(paths[2]);
  });

  it('prints one JSON document with --json, and the log on stderr', async () => {
    const api = await startFakeApi(goodBuild());
    const { code, stdout, stderr } = await call(['build', '--json', '-t', 'app:v1'], {
      env: envFor(api.url),
      cwd: await makeContext(),
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      runId: 'ca1',
      status: 'Succeeded',
      outputImages: [outputImage],
      images: [`localhost:5080/app:v1@${digest}`],
    });
    expect(stderr).toContain('line 1\nline 2\nline 3\n');
  });

  it('prints the id alone with --no-wait', async () => {
    const api = await startFakeApi(goodBuild());
    const plain = await call(['build', '--no-wait'], { env: envFor(api.url), cwd: await makeContext() });
    expect(plain).toMatchObject({ code: 0, stdout: 'ca1\n' });
    const json = await call(['build', '--no-wait', '--json'], { env: envFor(api.url), cwd: await makeContext() });
    expect(JSON.parse(json.stdout)).toMatchObject({ runId: 'ca1', status: 'Queued', images: [] });
  });

  it('waits without the log with --no-logs', async () => {
    const api = await startFakeApi(goodBuild());
    const { code, stdout } = await call(['build', '--no-logs'], { env: envFor(api.url), cwd: await makeContext() });
    expect(code).toBe(0);
    expect(stdout).toBe(`Run ca1 Succeeded\nImage: localhost:5080/app:v1@${digest}\n`);
  });

  it.each(['Failed', 'Canceled', 'Error', 'Timeout'] as const)(
    'exits with 1 when the run ends as %s',
    async (status) => {
      const events = number([{ kind: 'run-queued' }, { kind: 'run-ended', status, message: 'because' }]);
      const api = await startFakeApi({
        ...goodBuild(events),
        'GET /api/v1/runs/ca1': (_, response) =>
          sendJson(response, runDocument({ status, runErrorMessage: 'because' })),
      });
      const { code, stdout } = await call(['build'], { env: envFor(api.url), cwd: await makeContext() });
      expect(code).toBe(1);
      expect(stdout).toContain('because');
    },
  );

  it('schedules with the same key again when the server could not answer', async () => {
    const routes = goodBuild();
    const schedule = routes['POST /api/v1/scheduleRun']!;
    let tries = 0;
    routes['POST /api/v1/scheduleRun'] = (seen, response) => {
      tries += 1;
      if (tries === 1) response.destroy();
      else if (tries === 2) sendError(response, 503, { code: 'RedisUnavailable', message: 'Redis does not answer' });
      else return schedule(seen, response);
    };
    const api = await startFakeApi(routes);
    const { code } = await call(['build'], { env: envFor(api.url), cwd: await makeContext() });
    expect(code).toBe(0);
    const keys = api.of('POST /api/v1/scheduleRun').map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
  });

  it('uploads again from the beginning when the connection breaks', async () => {
    const routes = goodBuild();
    let tries = 0;
    routes['PUT /uploads/source/202611210900/x.tar.gz'] = (_, response) => {
      tries += 1;
      if (tries === 1) response.destroy();
      else response.writeHead(201).end();
    };
    const api = await startFakeApi(routes);
    const { code, stderr } = await call(['build'], { env: envFor(api.url), cwd: await makeContext() });
    expect(code).toBe(0);
    expect(stderr).toContain('uploading again');
    expect(api.of('PUT /uploads')).toHaveLength(2);
  });

  it('says why an archive is refused, and schedules nothing', async () => {
    const api = await startFakeApi({
      ...goodBuild(),
      'PUT /uploads/source/202611210900/x.tar.gz': (_, response) =>
        sendError(response, 400, {
          code: 'InvalidContext',
          message: 'neither a tar nor a gzip-compressed tar archive',
          hint: 'send a tar',
        }),
    });
    const { code, stderr } = await call(['build', '-'], { env: envFor(api.url), stdin: 'no tar' });
    expect(code).toBe(2);
    expect(stderr).toBe('error: neither a tar nor a gzip-compressed tar archive\nhint: send a tar\n');
    expect(api.of('POST /api/v1/scheduleRun')).toHaveLength(0);
  });

  it('says why a run waits', async () => {
    const routes = goodBuild();
    routes['GET /api/v1/runs/ca1/events'] = async (_, response) => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      sendEvents(response, successfulRun());
    };
    let asked = 0;
    routes['GET /api/v1/runs/ca1'] = (_, response) => {
      asked += 1;
      const waiting = { position: 1, reason: 'no worker is connected' };
      sendJson(response, runDocument(asked < 4 ? { waiting } : { status: 'Succeeded' }));
    };
    const api = await startFakeApi(routes);
    const { stderr } = await call(['build'], { env: envFor(api.url), cwd: await makeContext() });
    expect(stderr).toBe('Waiting for a worker: no worker is connected\n');
  });

  it('keeps a link out of the context from being sent', async () => {
    const api = await startFakeApi(goodBuild());
    const cwd = await makeContext();
    await symlink('/etc/passwd', join(cwd, 'passwd'));
    const { code, stderr } = await call(['build'], { env: envFor(api.url), cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('passwd is a symbolic link out of the context');
    expect(api.of('POST /api/v1/scheduleRun')).toHaveLength(0);
  });
});
