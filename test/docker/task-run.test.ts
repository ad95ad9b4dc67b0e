import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKeyRing } from '../../src/secret/key-ring.ts';
import { labelInstallation } from '../../src/secret/key.ts';
import { eventually, startInstallation, type Installation } from '../rig/installation.ts';
import { ended, getLog, logged, removeImages, schedule, upload, type RunDocument } from '../rig/quick-build.ts';
import { dockerStandIn } from '../rig/stand-ins.ts';

const run = promisify(execFile);
let slipway: Installation;

beforeAll(async () => {
  slipway = await startInstallation({ env: { SLIPWAY_IMAGES: `docker=${dockerStandIn}` } });
}, 60_000);
afterAll(async () => {
  await removeImages(slipway);
  await slipway.stop();
}, 60_000);

/** Runs a task and waits for its end; `files` are its context. */
async function runTask(
  yaml: string,
  { files, ...change }: { readonly files?: Readonly<Record<string, string>> } & Readonly<Record<string, unknown>> = {},
): Promise<{ run: RunDocument['properties']; log: string }> {
  const request =
    files === undefined
      ? { type: 'EncodedTaskRunRequest', encodedTaskContent: Buffer.from(yaml).toString('base64') }
      : {
          type: 'FileTaskRunRequest',
          taskFilePath: 'acb.yaml',
          sourceLocation: await upload(slipway, { 'acb.yaml': yaml, ...files }),
        };
  const { runId } = (await schedule(slipway, { dockerFilePath: undefined, ...request, ...change })).properties;
  const done = (await ended(slipway, runId)).properties;
  return { run: done, log: await getLog(slipway, runId) };
}

async function leftovers(): Promise<string> {
  const ring = await openKeyRing(undefined, join(slipway.dataDir, 'key'));
  const label = await labelInstallation('slipway', slipway.dataDir, ring.keys());
  const filter = ['--filter', `label=slipway.installation=${label}`];
  const lists = [
    ['ps', '-aq', ...filter],
    ['network', 'ls', '-q', ...filter],
    ['volume', 'ls', '-q', ...filter],
  ];
  return (await Promise.all(lists.map((list) => run('docker', list)))).map(({ stdout }) => stdout).join('');
}

describe('a multi-step task', () => {
  it('builds, tests what it built, and pushes it', async () => {
    const { run: done, log } = await runTask(
      [
        'version: v1.1.0',
        'steps:',
        '  - id: build',
        '    build: -t $Registry/multi:$ID .',
        '  - id: test',
        '    cmd: $Registry/multi:$ID cat /hello',
        '  - id: push',
        '    push: ["$Registry/multi:$ID"]',
      ].join('\n'),
      { files: { Dockerfile: 'FROM busybox:latest\nCOPY hello /hello\n', hello: 'ahoy\n' } },
    );
    expect(done, log).toMatchObject({
      status: 'Succeeded',
      outputImages: [{ repository: 'multi' }],
      steps: [{ id: 'build' }, { id: 'test' }, { id: 'push' }],
    });
    expect(log).toContain('ahoy');
  });

  it('needs no context when no step reads one, and fills values in, secret ones masked', async () => {
    const yaml = 'version: v1.1.0\nsteps:\n  - cmd: busybox:latest echo {{.Values.plain}} {{.Values.hidden}}\n';
    const values = [
      { name: 'plain', value: 'shown' },
      { name: 'hidden', value: 'hush-hush', isSecret: true },
    ];
    const { run: done, log } = await runTask(yaml, { values });
    expect(done, log).toMatchObject({ status: 'Succeeded' });
    expect(log).toContain('shown ********');
    expect(log).not.toContain('hush-hush');
  });

  it('shares a workspace between its steps, and builds from what a step wrote there', async () => {
    const { run: done, log } = await runTask(
      [
        'version: v1.1.0',
        'steps:',
        '  - cmd: busybox:latest sh -c "ls && echo made > made"',
        '  - cmd: busybox:latest cat made',
        '  - build: -f Dockerfile.made -t made .',
      ].join('\n'),
      { files: { given: 'x', 'Dockerfile.made': 'FROM busybox:latest\nCOPY made /\nRUN cat /made\n' } },
    );
    expect(done, log).toMatchObject({ status: 'Succeeded' });
    expect(log).toMatch(/given/);
  });

  it('reaches a detached step by its id, and leaves nothing on the engine', async () => {
    const { run: done, log } = await runTask(
      [
        'version: v1.1.0',
        'steps:',
        '  - id: web',
        '    cmd: busybox:latest sh -c "mkdir -p /www && echo served > /www/index.html && httpd -f -p 80 -h /www"',
        '    detach: true',
        '  - cmd: busybox:latest wget -q -O - http://web/',
        '    retries: 10',
        '    retryDelay: 1',
      ].join('\n'),
    );
    expect(done, log).toMatchObject({ status: 'Succeeded' });
    expect(log).toContain('served');
    await eventually('the clean-up', 15_000, async () => ((await leftovers()) === '' ? true : undefined));
  });

  it('drives the engine from a step: builds, pushes without a login, and stops another step', async () => {
    const { run: done, log } = await runTask(
      [
        'version: v1.1.0',
        'steps:',
        '  - id: test',
        '    cmd: busybox:latest sleep 600',
        '    detach: true',
        '  - cmd: docker build -t $Registry/by-step:$ID .',
        '  - cmd: docker push $Registry/by-step:$ID',
        '  - cmd: docker stop -t 1 test',
      ].join('\n'),
      { files: { Dockerfile: 'FROM busybox:latest\nCOPY hello /\n', hello: 'ahoy\n' } },
    );
    expect(done, log).toMatchObject({ status: 'Succeeded' });
    const tags = await slipway.request('/v2/by-step/tags/list');
    expect(await tags.json()).toMatchObject({ tags: [done.runId] });
    await eventually('the clean-up', 15_000, async () => ((await leftovers()) === '' ? true : undefined));
  });

  it('fails with the step and its exit code, and skips what needed it', async () => {
    const { run: done } = await runTask(
      'version: v1.1.0\nsteps:\n  - id: bad\n    cmd: busybox:latest sh -c "exit 7"\n  - id: after\n    cmd: busybox:latest true\n',
    );
    expect(done).toMatchObject({
      status: 'Failed',
      steps: [
        { id: 'bad', outcome: { kind: 'failed', exitCode: 7 } },
        { id: 'after', outcome: { kind: 'skipped' } },
      ],
    });
    expect(done.runErrorMessage).toMatch(/step bad failed.*7/);
  });

  it('runs steps side by side, and a failure stops the others', async () => {
    const { run: done } = await runTask(
      [
        'version: v1.1.0',
        'steps:',
        '  - id: long',
        '    cmd: busybox:latest sleep 300',
        '    when: ["-"]',
        '  - id: short',
        '    cmd: busybox:latest sh -c "exit 3"',
        '    when: ["-"]',
      ].join('\n'),
    );
    expect(done).toMatchObject({
      status: 'Failed',
      steps: [
        { id: 'long', outcome: { kind: 'canceled' } },
        { id: 'short', outcome: { kind: 'failed' } },
      ],
    });
    await eventually('the clean-up', 15_000, async () => ((await leftovers()) === '' ? true : undefined));
  });

  it('stops a step at its timeout', async () => {
    const { run: done } = await runTask('version: v1.1.0\nsteps:\n  - cmd: busybox:latest sleep 300\n    timeout: 2\n');
    expect(done).toMatchObject({ status: 'Timeout', steps: [{ outcome: { kind: 'timed-out' } }] });
  });

  it('goes on after a step whose errors are ignored', async () => {
    const { run: done, log } = await runTask(
      'version: v1.1.0\nsteps:\n  - cmd: busybox:latest false\n    ignoreErrors: true\n  - cmd: busybox:latest echo went-on\n',
    );
    expect(done, log).toMatchObject({ status: 'Succeeded' });
    expect(log).toContain('went-on');
  });

  it('fails with the places of what is wrong in its file', async () => {
    const yaml = 'version: v1.1.0\nsteps:\n  - cmd: busybox:latest true\n    when: [nope]\n';
    const { run: done, log } = await runTask(yaml, { files: {} });
    expect(done.status).toBe('Failed');
    expect(done.runErrorMessage).toMatch(/^acb\.yaml:4:\d+: /);
    expect(log).toContain('nope');
    await expect(runTask(yaml)).rejects.toThrow(/400.*4:\d+: /);
  });

  it.each([
    ['a path of the host', '-v /:/host busybox:latest ls /host', /mount a path of the machine/],
    ['its privileges', '--privileged busybox:latest true', /privileged/],
    ['what its run does not own', 'docker run --pid host busybox:latest true', /Failed|failed/],
  ])('is refused %s', async (_, cmd, why) => {
    const { run: done } = await runTask(`version: v1.1.0\nsteps:\n  - cmd: ${cmd}\n`, { files: {} });
    expect(done.status).toBe('Failed');
    expect(done.runErrorMessage).toMatch(why);
  });

  it('is stopped by a cancel, with all its containers', async () => {
    const encodedTaskContent = Buffer.from(
      'version: v1.1.0\nsteps:\n  - cmd: busybox:latest sh -c "echo begun; sleep 300"\n',
    ).toString('base64');
    const type = 'EncodedTaskRunRequest';
    const { runId } = (await schedule(slipway, { dockerFilePath: undefined, type, encodedTaskContent })).properties;
    await logged(slipway, runId, 'begun\n');
    await slipway.request(`/api/v1/runs/${runId}/cancel`, { method: 'POST' });
    expect((await ended(slipway, runId)).properties.status).toBe('Canceled');
    await eventually('the clean-up', 15_000, async () => ((await leftovers()) === '' ? true : undefined));
  });
});
