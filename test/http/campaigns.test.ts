import { describe, expect, it } from 'vitest';
import { aRequest } from '../rig/runs.ts';
import { startPatchingRig } from './patching-rig.ts';

async function startCampaign() {
  const rig = await startPatchingRig();
  const { world, conductor, api } = rig;
  world.set('app');
  const told = world.push('base');
  await conductor.told({ ...told, by: 'ann' });
  const show = async () => (await api('GET', '/campaigns/cp1')).body;
  return { ...rig, told, show };
}

describe('campaigns', () => {
  it('say when a task that has failed is started again', async () => {
    const { world, conductor, api, end } = await startPatchingRig();
    world.set('app');
    world.policy = { ...world.policy, retries: 1, retryBudget: 1 };
    await conductor.told(world.push('base'));
    await end('app', 'bad');
    const notBefore = new Date(world.clock.now() + 10_000).toISOString();
    const [task] = (await api('GET', '/campaigns/cp1')).body.properties.tasks;
    expect(task).toMatchObject({ task: 'task-app', state: 'waiting', tries: 1, notBefore });
  });

  it('are shown with their tasks by level, runs, states, updates, and about how long it takes yet', async () => {
    const { world, told, show, end } = await startCampaign();
    world.begin(world.runOf('app'));
    world.clock.advance(5000);
    const first = await show();
    expect(first).toMatchObject({
      id: expect.stringMatching(/\/registries\/slipway\/campaigns\/cp1$/) as string,
      name: 'cp1',
      properties: {
        status: 'Running',
        counts: { running: 1, waiting: 1 },
        updates: [
          { image: { reference: 'r.io/base:latest', digest: told.image.digest }, source: 'registry', by: 'ann' },
        ],
        estimate: { remainingMs: 20_000 },
        tasks: [
          {
            task: 'task-app',
            level: 0,
            state: 'running',
            runId: 'r1',
            runStatus: 'Running',
            tries: 1,
            expectedMs: 20_000,
          },
          { task: 'task-web', level: 1, state: 'waiting', needs: ['task-app'], tries: 0 },
        ],
      },
    });
    expect(first.properties.tasks[0].startTime).toBeDefined();
    await end('app');
    await end('web', 'bad');
    const last = (await show()).properties;
    expect(last).toMatchObject({ status: 'Failed', because: '1 rebuilt, 1 failed', counts: { rebuilt: 1, failed: 1 } });
    expect(last).not.toHaveProperty('estimate');
    expect(last.tasks[0]).toMatchObject({ state: 'rebuilt', after: [{ reference: 'r.io/app:latest' }] });
    expect(last.tasks[1]).toMatchObject({
      state: 'failed',
      runStatus: 'Failed',
      because: expect.any(String) as string,
    });
  });

  it('are listed newest first, without their tasks, in pages', async () => {
    const { api, store } = await startPatchingRig([]);
    const board = await store.campaigns.readBoard();
    const campaigns = Array.from({ length: 130 }, (_, at) => ({
      ...{ id: `cp${String(at + 1)}`, status: 'Succeeded' as const, createTime: '2026-11-21T09:00:00.000Z' },
      ...{ finishTime: '2026-11-21T09:01:00.000Z', updates: [], cycles: [], retriesUsed: 0, waitsFor: [], counts: {} },
      policy: { concurrency: 1, retries: 0, retryBudget: 0, breakerAfter: 1 },
    }));
    expect(await store.campaigns.commit(board?.version ?? 0, { campaigns, nodes: new Map() })).toBe(true);
    const first = await api('GET', '/campaigns');
    expect(first.body.value).toHaveLength(100);
    expect(first.body.value[0].name).toBe('cp130');
    expect(first.body.value[0].properties).not.toHaveProperty('tasks');
    const rest = await api('GET', `/campaigns${new URL(first.body.nextLink as string).search}`);
    expect(rest.body.value.map(({ name }: { name: string }) => name).at(-1)).toBe('cp1');
    expect(rest.body).not.toHaveProperty('nextLink');
    expect((await api('GET', '/campaigns?$top=2')).body).toMatchObject({
      value: [{ name: 'cp130' }, { name: 'cp129' }],
    });
  });

  it('are paused and resumed', async () => {
    const { api, end, world } = await startCampaign();
    const paused = await api('POST', '/campaigns/cp1/pause');
    expect(paused).toMatchObject({
      status: 200,
      body: { properties: { status: 'Paused', because: 'paused by admin' } },
    });
    await end('app');
    expect(world.atWork()).toEqual([]);
    expect((await api('POST', '/campaigns/cp1/resume')).body.properties.status).toBe('Running');
    expect(world.atWork()).toEqual(['web']);
  });

  it('are canceled, retried, and rolled back', async () => {
    const { api, end, world } = await startCampaign();
    const canceled = await api('POST', '/campaigns/cp1/cancel');
    expect(canceled.body.properties).toMatchObject({
      cancelRequested: { by: 'admin' },
      tasks: [{ state: 'running' }, { state: 'canceled' }],
    });
    expect(world.runOf('app').run.cancelRequested?.by).toBe('admin');
    await end('app', 'canceled');
    expect((await api('POST', '/campaigns/cp1/retry')).body.properties).toMatchObject({
      status: 'Running',
      counts: { running: 1, waiting: 1 },
    });
    await end('app');
    await end('web');
    expect((await api('POST', '/campaigns/cp1/rollback')).body.properties).toMatchObject({
      status: 'Canceled',
      because: expect.stringContaining('rolled back by admin') as string,
    });
    expect(world.returned.map(({ image }) => image.repository)).toContain('app');
  });

  it.each([
    ['GET', '/campaigns/cp2', 404],
    ['GET', '/campaigns/cp0', 404],
    ['GET', '/campaigns/..%2Fruns', 404],
    ['GET', '/campaigns/constructor', 404],
    ['POST', '/campaigns/cp2/pause', 404],
    ['POST', '/campaigns/x/pause', 404],
    ['POST', '/campaigns/cp1/retry', 409],
    ['POST', '/campaigns/cp1/stop', 404],
    ['DELETE', '/campaigns/cp1', 405],
    ['GET', '/campaigns/cp1/pause', 405],
    ['GET', '/campaigns?$top=0', 400],
    ['GET', '/campaigns?$skiptoken=x', 400],
  ])('answer %s %s with %i', async (method, path, status) => {
    const { api } = await startCampaign();
    expect((await api(method, path)).status).toBe(status);
  });

  it('are named by their runs', async () => {
    const { api, store } = await startPatchingRig();
    const images = [{ registry: 'r.io', repository: 'base', tag: 'v1', digest: `sha256:${'a'.repeat(64)}` as never }];
    const { run } = await store.runs.create({
      ...{ runType: 'AutoBuild', request: aRequest() },
      cause: { kind: 'image-update', id: 'x', timestamp: '2026-11-21T09:00:00.000Z', images, campaign: 'cp1' },
    });
    expect((await api('GET', `/runs/${run.runId}`)).body.properties).toMatchObject({
      cause: { kind: 'image-update', campaign: 'cp1' },
      imageUpdateTrigger: { images },
    });
  });
});
