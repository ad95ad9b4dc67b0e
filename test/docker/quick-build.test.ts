import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startInstallation, type Installation } from '../rig/installation.ts';
import { ended, getLog, getRun, hasProcess, logged, removeImages, schedule, upload } from '../rig/quick-build.ts';

const run = promisify(execFile);
let slipway: Installation;

beforeAll(async () => {
  slipway = await startInstallation({ env: { SLIPWAY_CONCURRENCY: '2', SLIPWAY_STOP_GRACE: '1' } });
}, 60_000);
afterAll(async () => {
  await removeImages(slipway);
  await slipway.stop();
}, 60_000);

const dockerfile = (...lines: string[]): { Dockerfile: string } => ({
  Dockerfile: ['FROM busybox:latest', ...lines].join('\n'),
});

describe('a quick build', () => {
  it('becomes an image in the registry that docker can pull and run, with the digest the run recorded', async () => {
    const sourceLocation = await upload(slipway, {
      ...dockerfile('COPY hello /hello', 'CMD ["cat", "/hello"]'),
      hello: 'ahoy\n',
    });
    const { properties } = await schedule(slipway, {
      sourceLocation,
      imageNames: ['team/app:{{.Run.ID}}', 'team/app'],
    });
    expect(properties.status).toBe('Queued');
    const done = (await ended(slipway, properties.runId)).properties;
    expect(done).toMatchObject({ status: 'Succeeded', attempt: 1 });
    expect(done.outputImages?.map((image) => `${image.repository}:${image.tag}`)).toEqual([
      `team/app:${properties.runId}`,
      'team/app:latest',
    ]);
    const digest = done.outputImages?.[0]?.digest ?? '';
    const image = `${slipway.registryHost}/team/app@${digest}`;
    await run('docker', [
      'rmi',
      '-f',
      `${slipway.registryHost}/team/app:latest`,
      `${slipway.registryHost}/team/app:${properties.runId}`,
    ]);
    await expect(run('docker', ['pull', image])).rejects.toThrow(/auth|denied|unauthorized/i);
    const { username, password } = slipway.account;
    await run('docker', ['login', '-u', username, '-p', password, slipway.registryHost]);
    await run('docker', ['pull', image]);
    expect((await run('docker', ['run', '--rm', '--network', 'none', image])).stdout).toBe('ahoy\n');
    await run('docker', ['rmi', '-f', image]);
    await run('docker', ['logout', slipway.registryHost]);
  }, 60_000);

  it('shows its whole log afterwards, from its queueing to its result', async () => {
    const sourceLocation = await upload(slipway, dockerfile(`RUN echo say-${randomUUID()}`));
    const { runId } = (await schedule(slipway, { sourceLocation, imageNames: ['log'] })).properties;
    await ended(slipway, runId);
    const log = await getLog(slipway, runId);
    expect(log).toMatch(new RegExp(`^Queued a run with ID: ${runId}\\n`));
    expect(log).toMatch(/RUN echo say-/);
    expect(log).toMatch(/#\d+ [\d.]+ say-/);
    expect(log).toMatch(new RegExp(`Run ID: ${runId} was successful after [\\d.]+s\\n$`));
  }, 60_000);

  it('says what its images stand on, in its document and at the end of its log', async () => {
    const sourceLocation = await upload(slipway, dockerfile('RUN true'));
    const { runId } = (await schedule(slipway, { sourceLocation, imageNames: ['based:v1', 'based:v2'] })).properties;
    await ended(slipway, runId);
    const { properties } = await getRun(slipway, runId);
    const digest = properties.outputImages?.[0]?.digest;
    expect(properties).toMatchObject({
      dependencies: [
        { image: { registry: slipway.registryHost, repository: 'based', tag: 'v1', digest } },
        { image: { tag: 'v2' }, 'runtime-dependency': { repository: 'library/busybox', tag: 'latest' } },
      ],
    });
    expect(await getLog(slipway, runId)).toMatch(
      /\nDependencies:\n- image:\n(?:.*\n)*? {2}runtime-dependency:\n {4}registry: registry\.hub\.docker\.com\n(?:.*\n)*Run ID: /,
    );
  }, 60_000);

  it('takes arguments, target, another Dockerfile and no push', async () => {
    const sourceLocation = await upload(slipway, {
      'deploy/Other':
        'FROM busybox:latest AS first\nARG WHO\nRUN echo hello-$WHO\nFROM first AS second\nRUN echo not-reached\n',
    });
    const { runId } = (
      await schedule(slipway, {
        sourceLocation,
        imageNames: ['args'],
        isPushEnabled: false,
        dockerFilePath: 'deploy/Other',
        target: 'first',
        noCache: true,
        arguments: [{ name: 'WHO', value: 'ann' }],
      })
    ).properties;
    expect((await ended(slipway, runId)).properties).toMatchObject({ status: 'Succeeded', steps: [{ id: 'build' }] });
    const log = await getLog(slipway, runId);
    expect(log).toContain('hello-ann');
    expect(log).not.toContain('not-reached');
    expect((await getRun(slipway, runId)).properties.outputImages ?? []).toEqual([]);
  }, 60_000);

  it('keeps a secret argument out of the log, the record and Redis, and offers it as a secret mount', async () => {
    const secret = `hush-${randomUUID()}`;
    const sourceLocation = await upload(slipway, {
      Dockerfile:
        'FROM busybox:latest\nRUN --mount=type=secret,id=TOKEN echo "got $(cat /run/secrets/TOKEN) and $(base64 /run/secrets/TOKEN)"\n',
    });
    const argument = { name: 'TOKEN', value: secret, isSecret: true };
    const scheduled = await schedule(slipway, {
      sourceLocation,
      imageNames: ['secret'],
      arguments: [argument],
      noCache: true,
    });
    expect(JSON.stringify(scheduled)).not.toContain(secret);
    const { runId } = scheduled.properties;
    expect((await ended(slipway, runId)).properties.status).toBe('Succeeded');
    const log = await getLog(slipway, runId);
    expect(log).toContain('got ********');
    expect(log).not.toContain(secret);
    expect(log).not.toContain(Buffer.from(secret).toString('base64').slice(0, 20));
    const socket = slipway.env['REDIS_URL']?.replace('unix://', '') ?? '';
    await run('redis-cli', ['-s', socket, 'bgrewriteaof']);
    const { stdout } = await run('grep', ['-rlE', secret, slipway.dataDir]).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toBe('');
  }, 60_000);

  it('fails with the step of the Dockerfile that said no', async () => {
    const sourceLocation = await upload(slipway, dockerfile('RUN echo before && exit 7'));
    const { runId } = (await schedule(slipway, { sourceLocation, imageNames: ['bad'] })).properties;
    const { status, runErrorMessage } = (await ended(slipway, runId)).properties;
    expect(status).toBe('Failed');
    expect(runErrorMessage).toMatch(/echo before && exit 7.*7/);
  }, 60_000);

  it.each([
    ['a Dockerfile that is not there', { other: 'x' }, /Dockerfile/],
    ['a Dockerfile with a wrong word', { Dockerfile: 'FROM busybox:latest\nRUNN true\n' }, /RUNN/i],
  ])(
    'fails on %s with an error that names it',
    async (_, files, expected) => {
      const sourceLocation = await upload(slipway, files);
      const { runId } = (await schedule(slipway, { sourceLocation, imageNames: ['bad'] })).properties;
      const { status, runErrorMessage } = (await ended(slipway, runId)).properties;
      expect(status).toBe('Failed');
      expect(runErrorMessage).toMatch(expected);
    },
    60_000,
  );

  it('is one run however often it is asked for with one idempotency key', async () => {
    const sourceLocation = await upload(slipway, dockerfile('RUN true'));
    const headers = { 'idempotency-key': randomUUID() };
    const runs = await Promise.all(
      Array.from({ length: 8 }, () => schedule(slipway, { sourceLocation, imageNames: ['once'] }, headers)),
    );
    const ids = new Set(runs.map((one) => one.properties.runId));
    expect(ids.size).toBe(1);
    expect((await ended(slipway, [...ids][0] ?? '')).properties.attempt).toBe(1);
  }, 60_000);
});

describe('a canceled run', () => {
  it('really stops its build: no process and no container is left', async () => {
    const mark = `9${String(Date.now()).slice(-7)}`;
    const sourceLocation = await upload(slipway, dockerfile(`RUN echo started && sleep ${mark}`));
    const { runId } = (await schedule(slipway, { sourceLocation, imageNames: ['cancel'] })).properties;
    await logged(slipway, runId, '0.');
    await eventually('the build step', 20_000, async () => ((await hasProcess(`sleep ${mark}`)) ? true : undefined));
    await slipway.request(`/api/v1/runs/${runId}/cancel`, { method: 'POST' });
    expect((await ended(slipway, runId)).properties).toMatchObject({
      status: 'Canceled',
      steps: [{ outcome: { kind: 'canceled' } }, { outcome: { kind: 'skipped' } }],
    });
    expect(await hasProcess(`sleep ${mark}`)).toBe(false);
    const containers = await run('docker', ['ps', '-a', '--no-trunc', '--format', '{{.Command}}']);
    expect(containers.stdout).not.toContain(mark);
  }, 60_000);

  it('that has not begun never begins', async () => {
    const sourceLocation = await upload(slipway, dockerfile('RUN sleep 3'));
    const busy = await Promise.all(
      [1, 2].map((n) => schedule(slipway, { sourceLocation, imageNames: [`busy${n}`], noCache: true })),
    );
    const waiting = (await schedule(slipway, { sourceLocation, imageNames: ['waiting'] })).properties.runId;
    await slipway.request(`/api/v1/runs/${waiting}/cancel`, { method: 'POST' });
    expect((await getRun(slipway, waiting)).properties.status).toBe('Canceled');
    for (const one of busy) await ended(slipway, one.properties.runId);
    expect((await getRun(slipway, waiting)).properties).toMatchObject({ status: 'Canceled', steps: [], attempt: 0 });
  }, 60_000);
});

describe('a worker that goes away', () => {
  it('hands its run back on SIGTERM, and the next worker does it', async () => {
    const sourceLocation = await upload(slipway, dockerfile('RUN echo begun && sleep 6'));
    const { runId } = (await schedule(slipway, { sourceLocation, imageNames: ['handback'], noCache: true })).properties;
    await logged(slipway, runId, 'begun');
    expect(await slipway.processes.worker.stop()).toBe(0);
    expect((await getRun(slipway, runId)).properties.status).toBe('Queued');
    await slipway.processes.worker.start();
    expect((await ended(slipway, runId)).properties).toMatchObject({ status: 'Succeeded', attempt: 2 });
  }, 90_000);

  it('and was killed leaves a run that the next worker does', async () => {
    const sourceLocation = await upload(slipway, dockerfile('RUN echo begun && sleep 4'));
    const { runId } = (await schedule(slipway, { sourceLocation, imageNames: ['killed'], noCache: true })).properties;
    await logged(slipway, runId, 'begun');
    await slipway.processes.worker.stop('SIGKILL');
    await slipway.processes.worker.start();
    expect((await ended(slipway, runId, 90_000)).properties).toMatchObject({ status: 'Succeeded', attempt: 2 });
  }, 120_000);
});

describe('while something is down', () => {
  it('the API answers 503 with the reason when Redis is gone, and recovers by itself', async () => {
    await slipway.processes.redis.stop();
    const began = Date.now();
    await expect(slipway.request('/api/v1/runs')).rejects.toThrow(/503.*Redis/s);
    expect(Date.now() - began).toBeLessThan(5000);
    await slipway.processes.redis.start();
    await eventually('recovery', 15_000, async () => (await slipway.request('/api/v1/runs')).ok || undefined);
    const sourceLocation = await upload(slipway, dockerfile('RUN true'));
    const { runId } = (await schedule(slipway, { sourceLocation, imageNames: ['after'] })).properties;
    expect((await ended(slipway, runId)).properties.status).toBe('Succeeded');
  }, 60_000);
});
