import { afterEach, describe, expect, it } from 'vitest';
import { startCare, type CareRig } from '../registry/policies/rig.ts';
import { dayMs } from '../registry/policies/rig.ts';
import { startRig } from './rig.ts';

const running: CareRig[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

/** The API beside a registry. */
async function setUp() {
  const rig = await startCare();
  running.push(rig);
  const { api } = await startRig({ care: rig.registry.care });
  return { api, rig };
}

describe('policies', () => {
  it('are shown with their defaults, and changed in part', async () => {
    const { api } = await setUp();
    expect((await api('GET', '/registry/policies')).body).toEqual({
      softDeletePolicy: { status: 'disabled', retentionDays: 7 },
      retentionPolicy: { status: 'disabled', days: 7 },
      quarantinePolicy: { status: 'disabled', repositories: ['*'] },
      purgePolicy: { status: 'disabled', schedule: '0 3 * * *', rules: [] },
      quotaPolicy: { rules: [] },
      writeOncePolicy: { rules: [] },
    });
    const change = {
      softDeletePolicy: { status: 'Enabled' },
      quotaPolicy: { rules: [{ repositories: 'a/*', maxBytes: 5 }] },
    };
    const changed = await api('PATCH', '/registry/policies', change);
    expect([changed.status, changed.body.softDeletePolicy]).toEqual([200, { status: 'enabled', retentionDays: 7 }]);
    expect((await api('GET', '/registry/policies')).body).toEqual(changed.body);
  });

  it.each([
    [{}, undefined],
    [{ retentionPolicy: { days: 366 } }, 'retentionPolicy.days'],
    [{ softDeletePolicy: { retentionDays: 0 } }, 'softDeletePolicy.retentionDays'],
    [{ softDeletPolicy: {} }, 'softDeletPolicy'],
    [{ quarantinePolicy: { repositories: ['*/x'] } }, 'quarantinePolicy.repositories[0]'],
    [{ purgePolicy: { schedule: 'daily' } }, 'purgePolicy.schedule'],
    [{ purgePolicy: { schedule: '0 0 31 2 *' } }, 'purgePolicy.schedule'],
    [{ purgePolicy: { rules: [{ filters: ['('], ago: '1d' }] } }, 'purgePolicy.rules[0].filters[0]'],
    [{ quotaPolicy: { rules: [{ repositories: 'a', maxBytes: -1 }] } }, 'quotaPolicy.rules[0].maxBytes'],
    [{ retentionPolicy: { notPulledDays: 366 } }, 'retentionPolicy.notPulledDays'],
    [
      { purgePolicy: { rules: [{ filters: ['a:b'], ago: '1d', notPulledFor: 'long' }] } },
      'purgePolicy.rules[0].notPulledFor',
    ],
    [{ writeOncePolicy: { rules: [{ repositories: 'a', tags: [] }] } }, 'writeOncePolicy.rules[0].tags'],
    [{ writeOncePolicy: { rules: [{ repositories: 'a', tags: ['v:1'] }] } }, 'writeOncePolicy.rules[0].tags[0]'],
  ])('refuse %j', async (change, field) => {
    const { api } = await setUp();
    const before = (await api('GET', '/registry/policies')).body;
    const { status, body } = await api('PATCH', '/registry/policies', change);
    expect([status, field === undefined ? undefined : body.error.target]).toEqual([400, field]);
    expect((await api('GET', '/registry/policies')).body).toEqual(before);
  });
});

describe('what was deleted', () => {
  it('is listed, and had back', async () => {
    const { api, rig } = await setUp();
    await api('PATCH', '/registry/policies', { softDeletePolicy: { status: 'enabled' } });
    const { digest } = await rig.pushImage('app', 'v1');
    await rig.send('DELETE', `/v2/app/manifests/${digest}`);
    const { body } = await api('GET', '/registry/deleted?repository=app');
    expect(body.value).toMatchObject([{ kind: 'manifest', digest, tags: ['v1'] }]);
    expect((await api('GET', '/registry/deleted?repository=other')).body).toEqual({ value: [] });
    const back = await api('POST', '/registry/restore', { repository: 'app', tag: 'v1' });
    expect([back.status, back.body.tags]).toEqual([200, ['v1']]);
    expect((await api('POST', '/registry/restore', { repository: 'app', tag: 'v1' })).status).toBe(404);
    expect((await api('POST', '/registry/restore', { repository: 'app' })).status).toBe(400);
  });
});

describe('a purge', () => {
  it('says what would go, and deletes it', async () => {
    const { api, rig } = await setUp();
    await rig.pushImage('app', 'v1');
    rig.clock.time += 2 * dayMs;
    const order = { filters: ['app:.*'], untagged: true };
    const dry = await api('POST', '/registry/purge', { ...order, dryRun: true });
    expect(dry.body).toMatchObject({ dryRun: true, tags: [{ repository: 'app', tag: 'v1' }], manifests: [{}] });
    const done = await api('POST', '/registry/purge', order);
    expect(done.body).toEqual({ ...dry.body, dryRun: false });
    expect((await api('GET', '/registry/usage')).body.repositories).toMatchObject([{ tags: 0, manifests: 0 }]);
  });

  it('needs a filter', async () => {
    const { api } = await setUp();
    expect((await api('POST', '/registry/purge', {})).status).toBe(400);
  });
});

describe('quarantine', () => {
  it('is decided about', async () => {
    const { api, rig } = await setUp();
    await api('PATCH', '/registry/policies', { quarantinePolicy: { status: 'enabled' } });
    const { digest } = await rig.pushImage('app', 'v1');
    const order = { repository: 'app', reference: 'v1', state: 'passed' };
    expect((await api('POST', '/registry/quarantine', order)).body).toEqual({ digest, state: 'Passed' });
    expect((await api('POST', '/registry/quarantine', { ...order, reference: 'v9' })).status).toBe(404);
    expect((await api('POST', '/registry/quarantine', { ...order, state: 'fine' })).status).toBe(400);
  });
});
