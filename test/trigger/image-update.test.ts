import { describe, expect, it } from 'vitest';
import type { ImageAtDigest } from '../../src/domain/base-image.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { Task, TaskName } from '../../src/domain/task.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { startImageUpdates, type ImageUpdateRun } from '../../src/trigger/image-update.ts';
import { sealTaskSecrets } from '../../src/trigger/sealed-secrets.ts';
import { createTestClock, createTestQueue } from '../http/rig.ts';
import { aTask } from '../rig/tasks.ts';

const key = Buffer.alloc(32, 3);
const base: ImageAtDigest = {
  registry: 'docker.io',
  repository: 'library/node',
  tag: '20',
  digest: `sha256:${'a'.repeat(64)}` as Digest,
};

function wanted(task: string, change: Partial<ImageUpdateRun> = {}): ImageUpdateRun {
  return { task: task as TaskName, campaign: 'cp1', try: 1, images: [base], ...change };
}

async function setUp(...tasks: readonly Partial<Task>[]) {
  const clock = createTestClock();
  const store = createMemoryStore({ clock });
  const queue = createTestQueue();
  const context = 'https://example.com/app.git';
  for (const change of tasks) {
    const task = aTask(change);
    await store.tasks.put({ ...task, step: { ...task.step, contextPath: context } }, 0, []);
  }
  const start = (...runs: readonly ImageUpdateRun[]) =>
    startImageUpdates(
      {
        runs: store.runs,
        queue,
        key,
        checkLocation: (location) => ({ location }),
        hasUpload: async () => true,
        onWarning: () => undefined,
        tasks: store.tasks,
        now: () => clock.now(),
      },
      runs,
    );
  const runOf = async (started: Awaited<ReturnType<typeof start>>, at = 0) => {
    const one = started[at];
    return one !== undefined && 'runId' in one ? store.runs.get(one.runId) : undefined;
  };
  return { store, queue, start, runOf };
}

describe('a run for a base image', () => {
  it('is a run of its task, queued, with the images, the digests and the campaign as its cause', async () => {
    const { queue, start, runOf } = await setUp({ name: 'app-one' as TaskName, maxConcurrentRuns: 2 });
    const run = await runOf(await start(wanted('app-one')));
    expect(run).toMatchObject({ status: 'Queued', runType: 'AutoBuild', task: 'app-one', maxConcurrent: 2 });
    expect(run?.cause).toMatchObject({ kind: 'image-update', campaign: 'cp1', images: [base] });
    expect(run?.cause).not.toHaveProperty('strategy');
    expect(queue.waiting).toEqual([run?.runId]);
  });

  it('is the same one however often it is asked for, and another one for another try or campaign', async () => {
    const { start } = await setUp({ name: 'app-one' as TaskName });
    const [first] = await start(wanted('app-one'));
    expect(await start(wanted('APP-one'))).toEqual([first]);
    const others = await start(wanted('app-one', { try: 2 }), wanted('app-one', { campaign: 'cp2' }));
    expect(new Set([first, ...others].map((one) => JSON.stringify(one))).size).toBe(3);
  });

  it('says how its images are to be renewed, as its task has it now', async () => {
    const trigger = (strategy: 'auto' | 'rebuild') => ({
      ...aTask().trigger,
      baseImageTrigger: { name: 'base', baseImageTriggerType: 'Runtime', status: 'Enabled', strategy } as const,
    });
    const { start, runOf } = await setUp(
      { name: 'app-one' as TaskName, trigger: trigger('auto') },
      { name: 'app-two' as TaskName, trigger: trigger('rebuild') },
    );
    const started = await start(wanted('app-one'), wanted('app-two'));
    expect((await runOf(started, 0))?.cause).toMatchObject({ strategy: 'auto' });
    expect((await runOf(started, 1))?.cause).not.toHaveProperty('strategy');
  });

  it('is not made of a task that is gone or disabled, and that is said in its place', async () => {
    const { start } = await setUp({ name: 'app-one' as TaskName }, { name: 'app-two' as TaskName, status: 'Disabled' });
    const started = await start(wanted('nobody'), wanted('app-one'), wanted('app-two'));
    expect(started[0]).toEqual({ because: 'the task is gone' });
    expect(started[1]).toHaveProperty('runId');
    expect(started[2]).toEqual({ because: 'the task is disabled' });
  });

  it('takes what the campaign sets in place of the task’s arguments, and keeps its secrets sealed', async () => {
    const step = {
      ...aTask().step,
      arguments: [
        { name: 'NODE', value: '20.1', isSecret: false },
        { name: 'KEY', value: '********', isSecret: true },
      ],
    } as Task['step'];
    const sealedSecrets = sealTaskSecrets(key, {
      arguments: { KEY: 'hidden' },
      registries: {},
      sources: {},
      webhook: [],
    });
    const { start, runOf } = await setUp({ name: 'app-one' as TaskName, step, sealedSecrets });
    const run = await runOf(await start(wanted('app-one', { arguments: { NODE: '20.2' } })));
    const { request } = run ?? {};
    expect(request?.type === 'DockerBuildRequest' && request.arguments).toEqual(
      expect.arrayContaining([{ name: 'NODE', value: '20.2', isSecret: false, isFollowed: true }]),
    );
    expect(JSON.stringify(run)).not.toContain('hidden');
    expect(run?.sealedSecrets).toBeDefined();
  });

  it('gives such settings to a task file as values', async () => {
    const step = {
      type: 'EncodedTask',
      hasContextToken: false,
      encodedTaskContent: 'c3RlcHM6IFtd',
      values: [],
    } as Task['step'];
    const { start, runOf } = await setUp({ name: 'app-one' as TaskName, step });
    const run = await runOf(await start(wanted('app-one', { arguments: { NODE: '20.2' } })));
    expect(run?.request).toMatchObject({
      values: [{ name: 'NODE', value: '20.2', isSecret: false, isFollowed: true }],
    });
  });
});
