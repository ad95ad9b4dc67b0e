import { describe, expect, it } from 'vitest';
import type { TaskImages } from '../../../src/domain/base-image.ts';
import type { ImageIdentity } from '../../../src/domain/dependencies.ts';
import type { Digest } from '../../../src/domain/digest.ts';
import { fail } from '../../../src/domain/failure.ts';
import type { RunId } from '../../../src/domain/run.ts';
import type { Task, TaskName } from '../../../src/domain/task.ts';
import { createTaskFollower, reconcileTaskImages } from '../../../src/patch/learn/follow-tasks.ts';
import { createLearner } from '../../../src/patch/learn/learner.ts';
import type { PatchJob } from '../../../src/queue/ports.ts';
import { createMemoryStore } from '../../../src/store/memory/store.ts';
import { createMeans, dockerTask, registryHost, trigger, withTrigger } from './rig.ts';

const clock = { now: () => Date.parse('2026-11-21T10:00:00Z') };
const name = 'build-app' as TaskName;
const digest = (letter: string) => `sha256:${letter.repeat(64)}` as Digest;
const base = { registry: 'docker.io', repository: 'library/node', tag: '22' };
const image = { registry: registryHost, repository: 'app', tag: 'v1' };

function setUp(files: Record<string, string> = { Dockerfile: 'FROM node:22\n' }) {
  const store = createMemoryStore({ clock });
  const { means, seen } = createMeans(files);
  const logger = { info: () => undefined };
  const learn = createLearner({ ...store, means, clock, logger });
  const jobs: PatchJob[] = [];
  const queue = { publish: async (job: PatchJob) => void jobs.push(job) };
  const follow = createTaskFollower({ ...store, queue });
  const job = { kind: 'learn', task: name, taskVersion: 1 } as const;
  const put = (task: Task, expected = 0) => store.tasks.put(task, expected, []);
  return { ...store, means, seen, learn, follow, jobs, job, put, queue };
}

/** What a run of version 1 has found. */
const ofRun: TaskImages = {
  task: name,
  taskVersion: 1,
  learned: { from: 'run', runId: 'ca1' as RunId, at: '2026-11-21T09:30:00.000Z' },
  images: [{ image: { ...image, digest: digest('a') }, runtime: { ...base, digest: digest('b') }, buildTime: [] }],
  stepImages: [],
  problems: [],
  trigger,
  isEnabled: true,
  durationMs: 4000,
  builtTime: '2026-11-21T09:30:00.000Z',
  failuresInRow: 2,
};

describe('the learner', () => {
  it('keeps what it has read, with the task’s trigger', async () => {
    const { learn, job, baseImages, put } = setUp();
    await put(dockerTask({}, withTrigger({ wave: 1 })));
    await learn(job);
    expect(await baseImages.get(name)).toEqual({
      task: name,
      taskVersion: 1,
      learned: { from: 'context', at: '2026-11-21T10:00:00.000Z' },
      images: [{ image, runtime: base, buildTime: [], commit: 'c'.repeat(40) }],
      stepImages: [],
      problems: [],
      trigger: { ...trigger, wave: 1 },
      isEnabled: true,
      failuresInRow: 0,
    });
  });

  it('leaves what a run of the same version has found, and does not read what is known', async () => {
    const { learn, job, baseImages, put, seen } = setUp({ Dockerfile: 'FROM php:8\n' });
    await put(dockerTask());
    await baseImages.put(ofRun);
    await learn(job);
    expect(await baseImages.get(name)).toEqual(ofRun);
    expect(seen.opened).toEqual([]);
    await baseImages.put({ ...ofRun, problems: ['line 1 of Dockerfile: odd'] });
    await learn(job);
    expect(await baseImages.get(name)).toMatchObject({ images: ofRun.images, learned: { from: 'run' } });
  });

  it('reads a newer version anew, and still knows what the images that are there were built on', async () => {
    const { learn, job, baseImages, put } = setUp({ Dockerfile: 'FROM node:22\nCOPY --from=nginx:1 / /\n' });
    await put(dockerTask(), 0);
    await put(dockerTask({}, { version: 1 }), 1);
    await baseImages.put(ofRun);
    await learn(job);
    expect(await baseImages.get(name)).toMatchObject({
      taskVersion: 2,
      learned: { from: 'context' },
      images: [
        {
          image: { ...image, digest: digest('a') },
          runtime: { ...base, digest: digest('b') },
          buildTime: [{ registry: 'docker.io', repository: 'library/nginx', tag: '1' }],
        },
      ],
      durationMs: 4000,
      builtTime: ofRun.builtTime,
      failuresInRow: 2,
    });
  });

  it('still knows what the bases had for all platforms that any image was built for, and none in doubt', async () => {
    const { learn, job, baseImages, put } = setUp({ Dockerfile: 'FROM node:22\n' });
    await put(dockerTask(), 0);
    await put(dockerTask({}, { version: 1 }), 1);
    const on = (platform: string, letter = 'b') => ({
      ...{ ...base, digest: digest(letter) },
      platforms: [{ platform, digest: digest('e') }],
    });
    const after = async (...bases: readonly ImageIdentity[]) => {
      const images = bases.map((runtime, at) => ({
        image: { ...image, tag: `v${String(at)}` },
        runtime,
        buildTime: [],
      }));
      await baseImages.delete(name);
      await baseImages.put({ ...ofRun, images });
      await learn(job);
      return (await baseImages.get(name))?.images[0]?.runtime;
    };
    const platforms = ['linux/amd64', 'linux/arm64'].map((platform) => ({ platform, digest: digest('e') }));
    expect(await after(on('linux/amd64'), on('linux/arm64'))).toEqual({ ...base, digest: digest('b'), platforms });
    const bare = { ...base, digest: digest('b') };
    expect(await after(on('linux/amd64'), bare)).toEqual(bare);
    expect(await after(on('linux/amd64', 'c'), on('linux/arm64'))).toEqual(bare);
  });

  it('keeps what was known when the source is away, says so, and asks to be called again', async () => {
    const { learn, job, baseImages, put, seen } = setUp();
    await put(dockerTask(), 0);
    await put(dockerTask({}, { version: 1 }), 1);
    await baseImages.put(ofRun);
    seen.fault = fail('source-unavailable', 'no answer');
    await expect(learn(job)).rejects.toMatchObject({ failure: { reason: 'source-unavailable' } });
    const problems = ['the context could not be read: no answer'];
    expect(await baseImages.get(name)).toMatchObject({ taskVersion: 2, images: ofRun.images, problems });
    seen.fault = undefined;
    await learn(job);
    expect(await baseImages.get(name)).toMatchObject({ problems: [], learned: { from: 'context' } });
  });

  it('does not ask to be called again for a fault of the task', async () => {
    const { learn, job, baseImages, put, seen } = setUp();
    await put(dockerTask());
    seen.fault = fail('invalid-context', 'no archive');
    await learn(job);
    expect((await baseImages.get(name))?.problems).toEqual(['the context could not be read: no archive']);
  });

  it('leaves nothing of a task that is gone, or goes while it is read', async () => {
    const { learn, job, baseImages, put, tasks, means } = setUp();
    await learn(job);
    expect(await baseImages.get(name)).toBeUndefined();
    await put(dockerTask());
    const { openContext } = means;
    Object.assign(means, {
      openContext: async (...given: Parameters<typeof openContext>) => {
        await tasks.delete(name);
        return openContext(...given);
      },
    });
    await learn(job);
    expect(await baseImages.get(name)).toBeUndefined();
  });

  it('says nothing of a task when it is stopped', async () => {
    const { learn, job, baseImages, put } = setUp();
    await put(dockerTask());
    await expect(learn(job, AbortSignal.abort())).rejects.toBeDefined();
    expect(await baseImages.get(name)).toBeUndefined();
  });
});

describe('following the changes of tasks', () => {
  const learnJob = (taskVersion: number) => ({ kind: 'learn', task: name, taskVersion });

  it('has a new task learned, whatever is left of another one of its name', async () => {
    const { follow, jobs, baseImages } = setUp();
    await baseImages.put({ ...ofRun, taskVersion: 9 });
    await follow(undefined, dockerTask());
    expect(await baseImages.get(name)).toBeUndefined();
    expect(jobs).toEqual([learnJob(1)]);
  });

  it('follows the trigger and the status at once, and reads nothing that has not changed', async () => {
    const { follow, jobs, baseImages } = setUp();
    await baseImages.put(ofRun);
    const [before, after] = [
      dockerTask({}, withTrigger()),
      dockerTask({}, { ...withTrigger({ baseImageTriggerType: 'All' }), status: 'Disabled', version: 2 }),
    ];
    await follow(before, after);
    expect(jobs).toEqual([]);
    expect(await baseImages.get(name)).toEqual({
      ...ofRun,
      taskVersion: 2,
      isEnabled: false,
      trigger: { ...trigger, baseImageTriggerType: 'All' },
    });
    await follow(after, dockerTask({}, { version: 3 }));
    expect(await baseImages.get(name)).not.toHaveProperty('trigger');
  });

  it.each<[string, Task]>([
    ['step', dockerTask({ target: 'x' }, withTrigger())],
    ['platform', dockerTask({}, { ...withTrigger(), platform: { os: 'linux', architecture: 'arm64' } })],
    ['secrets', dockerTask({}, { ...withTrigger(), sealedSecrets: 'sealed' })],
    ['wish for step images', dockerTask({}, withTrigger({ includesSteps: true }))],
  ])('has a task learned anew whose %s changed', async (_, changed) => {
    const { follow, jobs, baseImages } = setUp();
    await baseImages.put(ofRun);
    await follow(dockerTask({}, withTrigger()), { ...changed, version: 2 });
    expect(jobs).toEqual([learnJob(2)]);
    expect((await baseImages.get(name))?.taskVersion).toBe(1);
  });

  it('has one learned anew that could not be read before', async () => {
    const { follow, jobs, baseImages } = setUp();
    await baseImages.put({ ...ofRun, problems: ['the context could not be read: no answer'] });
    await follow(dockerTask(), dockerTask({}, { version: 2 }));
    expect(jobs).toEqual([learnJob(2)]);
  });

  it('forgets a task that was deleted', async () => {
    const { follow, jobs, baseImages } = setUp();
    await baseImages.put(ofRun);
    await follow(dockerTask(), undefined);
    expect(await baseImages.get(name)).toBeUndefined();
    expect(jobs).toEqual([]);
  });

  it('is made up for at a start: unknown tasks, old records, records of tasks that are gone', async () => {
    const { jobs, baseImages, put, tasks, queue } = setUp();
    const names = ['task-known', 'task-older', 'task-other', 'task-newer'] as TaskName[];
    for (const one of names) await put(dockerTask({}, { name: one, ...withTrigger({ wave: 2 }) }));
    await put(dockerTask({}, { name: 'task-older' as TaskName, ...withTrigger() }), 1);
    for (const [at, one] of ['task-known', 'task-older', 'task-gone'].entries())
      await baseImages.put({ ...ofRun, task: one as TaskName, failuresInRow: at });
    await baseImages.put({ ...ofRun, task: 'TASK-NEWER' as TaskName, taskVersion: 7 });
    await reconcileTaskImages({ baseImages, tasks, queue });
    expect(jobs.map((job) => (job.kind === 'learn' ? `${job.task} ${String(job.taskVersion)}` : job.kind))).toEqual([
      'task-newer 1',
      'task-older 2',
      'task-other 1',
    ]);
    expect((await baseImages.get('task-known'))?.trigger).toEqual({ ...trigger, wave: 2 });
    expect(await baseImages.get('task-gone')).toBeUndefined();
    expect(await baseImages.get('task-newer')).toBeUndefined();
  });
});
