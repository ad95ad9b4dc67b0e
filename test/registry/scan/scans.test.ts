import { describe, expect, it } from 'vitest';
import { fail } from '../../../src/domain/failure.ts';
import type { EncodedTaskRunRequest } from '../../../src/domain/run-request.ts';
import { repeatRun } from '../../../src/trigger/rerun.ts';
import type { TaskName } from '../../../src/domain/task.ts';
import { aTask } from '../../rig/tasks.ts';
import { descriptor, imageType, indexType, sha, until } from '../rig.ts';
import { setUp, policy, host, type ScanCause } from './rig.ts';

describe('a push to a repository that is scanned', () => {
  it('makes one run, which is told of the image', async () => {
    const { scans, pushImage, listRuns, settled } = await setUp();
    await scans.desk.put(policy, 'admin');
    const { digest } = await pushImage('team/app', 'v1');
    await pushImage('team/app', 'v1');
    await pushImage('other/app', 'v1');
    await settled();
    const runs = await listRuns();
    expect(runs).toHaveLength(1);
    const [run] = runs;
    expect(run?.cause).toMatchObject({
      kind: 'scan',
      image: { registry: host, repository: 'team/app', tag: 'v1', digest },
      quarantine: false,
    });
    const { encodedTaskContent, values } = run?.request as EncodedTaskRunRequest;
    expect(Buffer.from(encodedTaskContent, 'base64').toString()).toContain('scanner {{.Values.image}}');
    expect(values).toContainEqual({ name: 'image', value: `${host}/team/app@${digest}`, isSecret: false });
  });

  it('is not scanned when it is about an image, no image, or part of an index that follows', async () => {
    const { scans, pushImage, send, listRuns, settled } = await setUp();
    await scans.desk.put(policy, 'admin');
    const { digest, bytes } = await pushImage('team/app', 'by digest');
    const subject = descriptor(imageType, bytes, digest);
    await pushImage('team/app', 'about', { subject });
    await pushImage('team/app', `${digest.replace(':', '-')}.sig`);
    const config = { ...descriptor('application/vnd.cncf.helm.config.v1+json', '{}', sha('{}')) };
    await pushImage('team/app', 'chart', { config });
    await settled();
    expect(await listRuns()).toEqual([]);
    const index = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [subject] });
    const headers = { 'content-type': indexType };
    expect((await send('PUT', '/v2/team/app/manifests/all', { body: index, headers })).status).toBe(201);
    await settled();
    expect((await listRuns()).map(({ cause }) => (cause as ScanCause).image.digest)).toEqual([sha(index)]);
  });

  it('is scanned by a task, which is told of the image by its values', async () => {
    const { scans, pushImage, listRuns, settled, store, logged } = await setUp();
    const encodedTaskContent = Buffer.from('version: v1.1.0\nsteps:\n  - cmd: scanner {{.Values.image}}\n').toString(
      'base64',
    );
    const values = [{ name: 'level', value: 'high', isSecret: false }];
    const step = { type: 'EncodedTask', hasContextToken: false, encodedTaskContent, values } as const;
    const task = await store.tasks.put(aTask({ name: 'scan-image' as TaskName, step, version: 0 }), 0, []);
    await scans.desk.put({ repositories: ['*'], task: 'scan-image', timeout: 600 }, 'admin');
    const { digest } = await pushImage('team/app', 'v1');
    await settled();
    const [run] = await listRuns();
    expect(run).toMatchObject({ task: 'scan-image', cause: { kind: 'scan' }, request: { timeout: 600 } });
    const given = (run?.request as EncodedTaskRunRequest).values.map(({ name, value }) => [name, value]);
    expect(given).toEqual(
      expect.arrayContaining([
        ['level', 'high'],
        ['image', `${host}/team/app@${digest}`],
      ]),
    );
    await store.tasks.put({ ...task, status: 'Disabled' }, task.version, []);
    await pushImage('team/app', 'v2');
    await settled();
    expect([(await listRuns()).length, logged.length]).toEqual([1, 1]);
    await scans.desk.start('team/app:v2', 'ann');
    expect(await listRuns()).toHaveLength(2);
  });

  it('is scanned again when its run is repeated', async () => {
    const { scans, pushImage, listRuns, settled, store } = await setUp();
    await scans.desk.put(policy, 'admin');
    await pushImage('team/app', 'v1');
    await settled();
    const [run] = await listRuns();
    await store.runs.end(run!.runId, 'Error', 'its worker was lost');
    const ended = await store.runs.get(run!.runId);
    const again = repeatRun(ended!, { who: 'ann', fromFailed: false, hasPlan: false }, undefined);
    expect(again.cause).toEqual({ ...run?.cause, by: 'ann' });
    expect(again.request).toEqual(run?.request);
  });

  it('is scanned anew when the policy has changed, and by hand as often as somebody asks', async () => {
    const { scans, pushImage, listRuns, settled, clock } = await setUp();
    await scans.desk.put(policy, 'admin');
    await pushImage('team/app', 'v1');
    await settled();
    clock.time += 1000;
    await scans.desk.put({ ...policy, timeout: 600 }, 'admin');
    await pushImage('team/app', 'v1');
    await settled();
    expect(await listRuns()).toHaveLength(2);
    const ids = [await scans.desk.start('team/app:v1', 'ann'), await scans.desk.start('team/app:v1', 'ann')];
    expect(new Set(ids).size).toBe(2);
    await expect(scans.desk.start('team/app:none', 'ann')).rejects.toMatchObject({ failure: { reason: 'not-found' } });
    await scans.desk.delete('admin');
    await expect(scans.desk.start('team/app:v1', 'ann')).rejects.toMatchObject({ failure: { reason: 'conflict' } });
  });

  it('is told again while the store of runs is away, and given up when the policy cannot be followed', async () => {
    let isAway = true;
    const checkPlan = () => {
      if (isAway) throw fail('redis-unavailable', 'away');
    };
    const { scans, pushImage, listRuns, settled, told, logged } = await setUp({ checkPlan });
    await scans.desk.put(policy, 'admin');
    await pushImage('team/app', 'v1');
    expect(told).toEqual([]);
    isAway = false;
    await until(async () => (await listRuns()).length === 1);
    const { repositories } = policy;
    await scans.desk.put({ repositories, task: 'no-such-task' }, 'admin');
    await pushImage('team/app', 'v2');
    await settled();
    expect(logged).toEqual(['an image that was pushed could not be scanned']);
  });
});

describe('a scan policy', () => {
  it.each<[string, object]>([
    ['repositories', { repositories: [] }],
    ['repositories[0]', { repositories: ['Team/*'] }],
    ['image', { image: undefined }],
    ['image', { image: 'NOT AN IMAGE' }],
    ['image', { task: 'scan-image' }],
    ['task', { image: undefined, arguments: undefined, task: 'a b' }],
    ['timeout', { timeout: 10 }],
    ['failOn', { failOn: { terrible: 1 } }],
    ['failOn', { failOn: undefined, quarantine: true }],
    ['quarantine', { quarantine: 'yes' }],
    ['password', { password: 'x' }],
  ])('is refused for its %s', async (field, change) => {
    const { scans } = await setUp();
    await expect(scans.desk.put({ ...policy, ...change }, 'admin')).rejects.toMatchObject({ failure: { field } });
    expect(scans.desk.get()).toBeUndefined();
  });
});
