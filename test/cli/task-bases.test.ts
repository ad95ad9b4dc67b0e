import { describe, expect, it } from 'vitest';
import type { TaskImages } from '../../src/domain/base-image.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { TaskName } from '../../src/domain/task.ts';
import { create, repository, setUpTasks } from './rig-task.ts';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const trigger = { name: 'base', baseImageTriggerType: 'Runtime', status: 'Enabled' } as const;
const record: TaskImages = {
  task: 'web-app' as TaskName,
  taskVersion: 1,
  learned: { from: 'context', at: '2026-11-21T09:00:00.000Z' },
  images: [{ runtime: { registry: 'docker.io', repository: 'library/node', tag: '22', digest }, buildTime: [] }],
  stepImages: [],
  problems: [],
  trigger,
  isEnabled: true,
  failuresInRow: 0,
};

const words = create('-c', `${repository}#main`, '-f', 'Dockerfile', '-t', 'app');
const patching = { hookSecrets: [], pollMs: 900_000, pollMsOf: {} };
const setUp = () => setUpTasks({ config: { patching } });

describe('slipway task create', () => {
  it('waits until the server has read what the images stand on, and shows it', async () => {
    const { slipway, store } = await setUp();
    const written = slipway(words);
    while ((await store.tasks.get('web-app')) === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    await store.baseImages.put(record);
    const { code, stdout } = await written;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Task web-app is created\.$/m);
    expect(stdout).toContain(
      'yes  base image docker.io/library/node:22 (by asking its registry every 15 min; built on sha256:aaaaaaaaaaaa)',
    );
    const shown = await slipway(['task', 'show', 'web-app']);
    expect(shown.stdout).toContain('base image docker.io/library/node:22');
  });

  it('waits no longer than it is told to, or until Ctrl-C', async () => {
    const { slipway } = await setUp();
    const { code, stdout } = await slipway(words, { wiring: { learningMs: 20 } });
    expect(code).toBe(0);
    expect(stdout).toContain('no   base images (not learned yet: the task is being read)');
    const interrupted = await slipway(words, {
      wiring: { learningMs: 60_000 },
      onListening: (press) => {
        press();
      },
    });
    expect(interrupted).toMatchObject({ code: 0, stdout: expect.stringContaining('is replaced') as string });
  });

  it('does not wait where nobody reads tasks, and prints one document as JSON', async () => {
    const { slipway } = await setUpTasks();
    const { stdout } = await slipway([...words, '--json'], { wiring: { learningMs: 60_000 } });
    expect(JSON.parse(stdout)).toMatchObject({ name: 'web-app' });
  });

  it('says how a base-image trigger goes about it', async () => {
    const { slipway, details } = await setUpTasks();
    const { code } = await slipway([
      ...words,
      ...['--base-image-trigger-strategy', 'AUTO', '--base-image-trigger-wave', '0', '--base-image-trigger-steps'],
      ...['--follow-base-tag', 'node:22.*=NODE', '--follow-base-tag', 'reg.test:5000/go:1.*-alpine=GO'],
      ...['--update-trigger-endpoint', 'https://ci.example/hook', '--update-trigger-payload-type', 'token'],
    ]);
    expect(code).toBe(0);
    expect((await details('web-app')).properties['trigger'].baseImageTrigger).toEqual({
      name: 'defaultBaseimageTriggerName',
      baseImageTriggerType: 'Runtime',
      status: 'Enabled',
      strategy: 'auto',
      wave: 0,
      includesSteps: true,
      follow: [
        { pattern: 'node:22.*', argument: 'NODE' },
        { pattern: 'reg.test:5000/go:1.*-alpine', argument: 'GO' },
      ],
      updateTriggerEndpoint: 'https://ci.example/hook',
      updateTriggerPayloadType: 'Token',
    });
  });

  it.each([
    [['--base-image-trigger-strategy', 'rebas'], '--base-image-trigger-strategy must be one of rebuild, rebase, auto'],
    [['--base-image-trigger-wave', '10'], 'whole number from 0 to 9'],
    [['--base-image-trigger-steps', 'perhaps'], '--base-image-trigger-steps is true or false'],
    [['--follow-base-tag', 'node:22.*'], 'is no image:tag* and an argument'],
    [['--follow-base-tag', 'node:22=NODE'], 'no image whose tag has a *'],
    [['--update-trigger-payload-type', 'All'], '--update-trigger-payload-type must be one of Default, Token'],
  ])('refuses %j', async (flags, message) => {
    const { slipway } = await setUpTasks();
    const { code, stderr } = await slipway([...words, ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('slipway task update', () => {
  it('changes one thing of a base-image trigger, and takes its tags away', async () => {
    const { slipway, details } = await setUpTasks();
    await slipway([...words, '--base-image-trigger-wave', '1', '--follow-base-tag', 'node:22.*=NODE']);
    expect((await slipway(['task', 'update', 'web-app', '--base-image-trigger-strategy', 'rebase'])).code).toBe(0);
    const { baseImageTrigger } = (await details('web-app')).properties['trigger'];
    expect(baseImageTrigger).toMatchObject({ strategy: 'rebase', wave: 1, follow: [{ argument: 'NODE' }] });
    await slipway(['task', 'update', 'web-app', '--follow-base-tag', 'none']);
    expect((await details('web-app')).properties['trigger'].baseImageTrigger).toMatchObject({ wave: 1, follow: [] });
  });
});
