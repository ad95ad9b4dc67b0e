import { describe, expect, it } from 'vitest';
import type { OutputImage, Run, RunId } from '../../../src/domain/run.ts';
import type { RunCause } from '../../../src/domain/run-cause.ts';
import { createRunRecorder, recordRun } from '../../../src/patch/record/record-run.ts';
import { aRequest } from '../../rig/runs.ts';
import { emptyRecord } from '../../../src/patch/learn/task-images.ts';
import { contextPath, dockerTask, trigger, withTrigger } from '../learn/rig.ts';
import { at, base, campaign, digest, image, name, ofTask, setUp, source } from './rig.ts';

describe('what a good run tells of its task', () => {
  it('is what its images really stand on, by digests, and how long it took', async () => {
    const { record } = await setUp();
    expect(await record(ofTask())).toEqual({
      task: name,
      taskVersion: 1,
      learned: { from: 'run', runId: 'ca1', at: at(10) },
      images: [
        {
          image: { ...image, digest: digest('a') },
          runtime: { ...base, digest: digest('b') },
          buildTime: [],
          commit: 'c1',
        },
      ],
      stepImages: [],
      problems: [],
      trigger,
      isEnabled: true,
      durationMs: 480_000,
      builtTime: at(10),
      failuresInRow: 0,
    });
  });

  it('has images that were pushed without anybody knowing their bases, and each once', async () => {
    const { record } = await setUp();
    const twice = [{ image, runtime: { ...base, tag: '20' }, buildTime: [] }, ...(ofTask().dependencies ?? [])];
    const other: OutputImage = { registry: 'reg.test:5000', repository: 'by-cmd', tag: '1', digest: digest('d') };
    const outputImages = [{ ...image, digest: digest('e') }, ...ofTask().outputImages, other];
    const known = await record(ofTask({ dependencies: [...twice, { buildTime: [base] }], outputImages }));
    expect(known?.images).toEqual([
      expect.objectContaining({ image: { ...image, digest: digest('a') }, runtime: { ...base, digest: digest('b') } }),
      { buildTime: [base] },
      { image: other, buildTime: [] },
    ]);
  });

  it('leaves the bases of an image that it found none of, by digests that nobody knows any more', async () => {
    const { record } = await setUp();
    await record(ofTask({ finishTime: at(5) }));
    const known = await record(ofTask({ runId: 'ca2' as RunId, dependencies: [] }));
    expect(known?.images).toEqual([{ image: { ...image, digest: digest('a') }, runtime: base, buildTime: [] }]);
  });

  it('takes the place of what was read before, but for faults of lines and what steps run in', async () => {
    const { record, baseImages } = await setUp();
    await baseImages.put({
      task: name,
      taskVersion: 1,
      learned: { from: 'context', at: at(0) },
      images: [{ image, runtime: { ...base, tag: '18' }, buildTime: [] }],
      stepImages: [base],
      problems: [
        'line 3 of Dockerfile: odd',
        'step b: Dockerfile is not in the context',
        'a run that a base image starts cannot be planned: x',
      ],
      trigger,
      isEnabled: true,
      failuresInRow: 3,
    });
    const after = await record(ofTask());
    expect(after).toMatchObject({ images: [{ runtime: { tag: '22' } }], stepImages: [base], failuresInRow: 0 });
    expect(after?.problems).toEqual([
      'line 3 of Dockerfile: odd',
      'a run that a base image starts cannot be planned: x',
    ]);
    const rebuilt = await record(ofTask({ runId: 'ca2' as RunId, cause: campaign, finishTime: at(12) }));
    expect(rebuilt?.problems).toEqual(['line 3 of Dockerfile: odd']);
  });

  it('is the same however often and in whatever order it is told', async () => {
    const { record } = await setUp();
    const later = ofTask({ runId: 'ca2' as RunId, startTime: at(12), finishTime: at(13), dependencies: [] });
    const first = await record(ofTask());
    expect(await record(ofTask())).toEqual(first);
    const second = await record(later);
    expect(second).toMatchObject({ durationMs: 0.6 * 480_000 + 0.4 * 60_000, builtTime: at(13) });
    expect(await record(ofTask())).toEqual(second);
    expect(await record(later)).toEqual(second);
  });

  it('says of a tag that was kept what it stands for', async () => {
    const { record, tagsNow } = await setUp();
    tagsNow.set('app:v1', digest('0'));
    expect((await record(ofTask({ cause: campaign })))?.images[0]?.image?.digest).toBe(digest('0'));
  });

  it('counts for a timer, a base image, a push to the task’s branch and by hand', async () => {
    const timer: RunCause = { kind: 'timer', timerTriggerName: 't', scheduleOccurrence: at(1) };
    for (const cause of [timer, campaign, source({})]) {
      const { record } = await setUp();
      const request = aRequest({ sourceLocation: `${contextPath}-other` });
      expect(await record(ofTask({ cause, request }))).toBeDefined();
    }
  });
});

describe('a good run that is not of what the task says', () => {
  const foreign: readonly (readonly [string, Partial<Run>])[] = [
    ['a pull request', { cause: source({ eventType: 'pullrequest' }) }],
    ['a stranger', { cause: source({ isTrusted: false }) }],
    ['another branch', { cause: source({ branchName: 'release/1' }) }],
    ['a tag', { cause: source({ eventType: 'tag' }) }],
    ['another context', { request: aRequest({ sourceLocation: 'source/x' }) }],
    ['another file', { request: aRequest({ sourceLocation: contextPath, dockerFilePath: 'Other' }) }],
    ['another target', { request: aRequest({ sourceLocation: contextPath, target: 'x' }) }],
    [
      'other arguments',
      { request: aRequest({ sourceLocation: contextPath, arguments: [{ name: 'V', value: '1', isSecret: false }] }) },
    ],
    ['an older version of the task', { createTime: '2026-11-21T08:59:00.000Z' }],
  ];

  it.each(foreign)('(%s) tells what the tags that are known stand for, and nothing else', async (_, change) => {
    const { record } = await setUp();
    const odd = { ...base, repository: 'library/odd' };
    const images = (end: string) => ({
      outputImages: [{ ...image, digest: digest(end) }],
      dependencies: [{ image, runtime: { ...base, digest: digest(end) }, buildTime: [odd] }],
    });
    const run = ofTask({ ...change, ...images('f') });
    expect(await record(run)).toBeUndefined();
    const known = await record(ofTask({ finishTime: at(5) }));
    expect(await record(run)).toEqual({
      ...known,
      images: [
        {
          image: { ...image, digest: digest('f') },
          runtime: { ...base, digest: digest('f') },
          buildTime: [],
          commit: 'c1',
        },
      ],
      builtTime: at(10),
    });
    const elsewhere = { ...image, tag: 'pr-7' };
    const unrelated = { outputImages: [{ ...elsewhere, digest: digest('9') }], dependencies: [] };
    const before = await record(run);
    expect(await record(ofTask({ ...change, ...unrelated, finishTime: at(11) }))).toEqual(before);
  });
});

describe('a run that did not end well', () => {
  it('counts when a campaign made it, once, until a good one', async () => {
    const { record } = await setUp();
    const failed = (id: string, minute: number, change: Partial<Run> = {}) =>
      ofTask({ runId: id as RunId, status: 'Failed', cause: campaign, finishTime: at(minute), ...change });
    expect((await record(failed('ca1', 3)))?.failuresInRow).toBe(1);
    expect((await record(failed('ca2', 4, { status: 'Timeout' })))?.failuresInRow).toBe(2);
    expect((await record(failed('ca1', 3)))?.failuresInRow).toBe(2);
    expect((await record(failed('ca3', 5, { status: 'Canceled' })))?.failuresInRow).toBe(2);
    expect((await record(failed('ca4', 6, { cause: { kind: 'manual', by: 'admin' } })))?.failuresInRow).toBe(2);
    const good = await record(ofTask({ runId: 'ca5' as RunId }));
    expect(good).toMatchObject({ failuresInRow: 0 });
    expect(good).not.toHaveProperty('failedRuns');
    expect((await record(failed('ca2', 4)))?.failuresInRow).toBe(0);
    expect((await record(failed('ca6', 11)))?.failuresInRow).toBe(1);
  });

  it('leaves a task that nobody knows yet to be read', async () => {
    const { record } = await setUp();
    expect(await record(ofTask({ status: 'Failed', cause: campaign }))).toMatchObject({ taskVersion: 0, images: [] });
  });
});

describe('the recorder', () => {
  it('looks at runs of tasks that have ended, and leaves nothing of a task that is gone', async () => {
    const { options, baseImages, tasks } = await setUp();
    const runs = new Map([['ca1', ofTask()]]);
    const told: [string, boolean][] = [];
    const recorder = createRunRecorder({
      ...options,
      runs: { get: async (id) => runs.get(id) },
      onRecorded: async ({ runId }) => void told.push([runId, (await baseImages.get(name)) !== undefined]),
    });
    const notice = { runId: 'ca1' as RunId, kind: 'started', attempt: 1 } as const;
    await recorder(notice);
    await recorder({ ...notice, runId: 'ca9' as RunId, kind: 'ended' });
    expect(await baseImages.get(name)).toBeUndefined();
    await recorder({ ...notice, kind: 'ended' });
    expect(await baseImages.get(name)).toBeDefined();
    expect(told).toEqual([['ca1', true]]);
    const { task: _, ...quick } = ofTask();
    await recordRun(quick, options);
    await tasks.delete(name);
    await baseImages.delete(name);
    await recorder({ ...notice, kind: 'ended' });
    expect(await baseImages.get(name)).toBeUndefined();
  });
});

describe('a run on a tag that its task follows', () => {
  const follow = [{ pattern: 'node:v*', argument: 'NODE' }];
  const task = dockerTask({}, withTrigger({ follow }));
  const on = (value: string, more: object = {}, change: Partial<Run> = {}) =>
    ofTask({
      request: aRequest({
        sourceLocation: contextPath,
        arguments: [{ name: 'NODE', value, isSecret: false, ...more }],
      }),
      dependencies: [{ image, runtime: { ...base, tag: value, digest: digest('b') }, buildTime: [] }],
      ...change,
    });
  const followed = { isFollowed: true };

  it('is remembered with the tag, and tells what the task stands on, by hand too', async () => {
    const { record } = await setUp(task);
    const v10 = { ...base, tag: 'v10' };
    const known = await record(on('v10', followed, { cause: campaign }));
    expect(known).toMatchObject({ followed: [v10], images: [{ runtime: v10 }] });
    const again = await record(on('v10', followed, { runId: 'ca2' as RunId, finishTime: at(12) }));
    expect(again).toMatchObject({ followed: [v10], learned: { runId: 'ca2' } });
  });

  it('is not one that somebody asked for by name: what the task stands on is left as it is', async () => {
    const { record } = await setUp(task);
    const known = await record(on('v10', followed, { cause: campaign }));
    const elsewhere = { outputImages: [], dependencies: [], finishTime: at(12), runId: 'ca2' as RunId };
    expect(await record(on('v1', {}, elsewhere))).toEqual(known);
  });

  it('leaves standing that a pattern changes nothing', async () => {
    const { record, baseImages } = await setUp(task);
    const problem = 'no FROM takes its tag from NODE: newer tags like node:v* change nothing';
    await baseImages.update(name, () => ({ ...emptyRecord(task, at(0)), problems: [problem] }));
    expect((await record(on('v10', followed, { cause: campaign })))?.problems).toEqual([problem]);
  });
});
