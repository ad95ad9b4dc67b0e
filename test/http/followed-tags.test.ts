import { describe, expect, it } from 'vitest';
import type { Argument } from '../../src/domain/run-request.ts';
import type { RunId } from '../../src/domain/run.ts';
import { emptyRecord } from '../../src/patch/learn/task-images.ts';
import { dockerTask } from './task-bodies.ts';
import { runOf, schedule, startWithTask, type Rig } from './task-runs.ts';

const following = (own: readonly object[] = []) =>
  dockerTask(
    { arguments: own },
    {
      trigger: {
        baseImageTrigger: {
          name: 'base',
          baseImageTriggerType: 'All',
          follow: [{ pattern: 'r.io/node:v*', argument: 'NODE' }],
        },
      },
    },
  );
const node = (value: string, isFollowed = true) => ({
  name: 'NODE',
  value,
  isSecret: false,
  ...(isFollowed && { isFollowed: true }),
});
const byHand = (value: string) => ({ overrideTaskStepProperties: { arguments: [{ name: 'NODE', value }] } });

/** The task was brought to a tag. */
async function bringTo(rig: Rig, tag: string): Promise<void> {
  const task = await rig.store.tasks.get('nightly');
  await rig.store.baseImages.update('nightly', () => ({
    ...emptyRecord(task!, '2026-11-21T10:00:00.000Z'),
    followed: [{ registry: 'r.io', repository: 'node', tag }],
  }));
}

async function argumentsOf(rig: Rig, id: string): Promise<readonly Argument[]> {
  const { request } = await runOf(rig, id);
  return request.type === 'DockerBuildRequest' ? request.arguments : [];
}

async function rerun(rig: Rig, id: string, body: object = {}): Promise<void> {
  await rig.store.runs.end(id as RunId, 'Error', 'the worker was lost');
  expect((await rig.api('POST', `/runs/${id}/rerun`, body)).status).toBe(200);
}

describe('a run of a task that follows tags', () => {
  it('is on the tag that the task was brought to, by hand too', async () => {
    const rig = await startWithTask(following());
    await schedule(rig);
    await bringTo(rig, 'v10');
    await schedule(rig);
    expect([await argumentsOf(rig, 'ca1'), await argumentsOf(rig, 'ca2')]).toEqual([[], [node('v10')]]);
  });

  it('is on the tag that is asked for by name', async () => {
    const rig = await startWithTask(following());
    await bringTo(rig, 'v10');
    await schedule(rig, byHand('v1'));
    expect(await argumentsOf(rig, 'ca1')).toEqual([node('v1', false)]);
  });

  it('is made once for one Idempotency-Key, though there is a newer tag by then', async () => {
    const rig = await startWithTask(following());
    const again = { 'idempotency-key': 'k' };
    const names = [];
    for (const tag of ['v10', 'v11']) {
      await bringTo(rig, tag);
      names.push((await schedule(rig, {}, again)).body.name);
    }
    expect(names).toEqual(['ca1', 'ca1']);
    expect((await schedule(rig, { overrideTaskStepProperties: { target: 'other' } }, again)).status).toBe(409);
  });
});

describe('a rerun of a task that follows tags', () => {
  it('is on the tag that the task was brought to since', async () => {
    const rig = await startWithTask(following([{ name: 'NODE', value: 'v1' }]));
    await schedule(rig);
    await bringTo(rig, 'v10');
    await rerun(rig, 'ca1');
    await bringTo(rig, 'v11');
    await rerun(rig, 'ca2');
    expect([await argumentsOf(rig, 'ca2'), await argumentsOf(rig, 'ca3')]).toEqual([[node('v10')], [node('v11')]]);
  });

  it('keeps the tag that the run was asked for by name', async () => {
    const rig = await startWithTask(following([{ name: 'NODE', value: 'v1' }]));
    await bringTo(rig, 'v10');
    await schedule(rig, byHand('v9'));
    await rerun(rig, 'ca1');
    expect(await argumentsOf(rig, 'ca2')).toEqual([node('v9', false)]);
  });

  it('is on the Dockerfile’s own tag when the task follows none any more', async () => {
    const rig = await startWithTask(following());
    await bringTo(rig, 'v10');
    await schedule(rig);
    expect((await rig.api('PUT', '/tasks/nightly', dockerTask({ arguments: [] }))).status).toBe(200);
    await rerun(rig, 'ca1');
    expect(await argumentsOf(rig, 'ca2')).toEqual([]);
  });
});
