import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../rig.ts';
import { dayMs, hourMs, startCare, type CareRig } from './rig.ts';

const running: CareRig[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});
const start = async (days = 7): Promise<CareRig> => {
  const rig = await startCare();
  running.push(rig);
  await rig.set({ retentionPolicy: { status: 'enabled', days } });
  return rig;
};
const isThere = async (rig: CareRig, digest: string): Promise<boolean> =>
  (await rig.send('HEAD', `/v2/app/manifests/${digest}`)).status === 200;
const run = (rig: CareRig): Promise<object> => rig.registry.care.runPolicies();

describe('retention', () => {
  it('removes what no tag has stood for in its days, and tells of it', async () => {
    const rig = await start();
    const old = await rig.pushImage('app', 'v1');
    rig.clock.time += 30 * dayMs;
    await run(rig);
    expect(await isThere(rig, old.digest)).toBe(true);
    await rig.pushImage('app', 'v1', { annotations: { is: 'new' } });
    rig.clock.time += 7 * dayMs - 1;
    await run(rig);
    expect(await isThere(rig, old.digest)).toBe(true);
    rig.clock.time += 1;
    expect(await run(rig)).toEqual({ removed: 1, forgotten: 0 });
    expect(await isThere(rig, old.digest)).toBe(false);
    await until(() => rig.events.length === 3);
    expect(rig.events[2]).toMatchObject({ kind: 'delete', digest: old.digest, by: 'retention policy' });
  });

  it('counts what was untagged before it was enabled from then on', async () => {
    const rig = await startCare();
    running.push(rig);
    const { digest } = await rig.pushImage('app', 'by digest');
    rig.clock.time += 100 * dayMs;
    await rig.set({ retentionPolicy: { status: 'enabled', days: 2 } });
    await run(rig);
    expect(await isThere(rig, digest)).toBe(true);
    rig.clock.time += 2 * dayMs;
    await run(rig);
    expect(await isThere(rig, digest)).toBe(false);
  });

  it('keeps the children of an index, and what is about them, as long as a tag stands for the index', async () => {
    const rig = await start(0);
    const child = await rig.pushImage('app', 'by digest');
    const index = await rig.pushIndex('app', 'v1', [child.digest]);
    const report = await rig.attach('app', child.digest, 'report');
    const about = await rig.attach('app', report, 'about the report');
    rig.clock.time += 30 * dayMs;
    expect(await run(rig)).toEqual({ removed: 0, forgotten: 0 });
    await rig.send('DELETE', '/v2/app/manifests/v1');
    expect(await run(rig)).toEqual({ removed: 4, forgotten: 0 });
    for (const digest of [child.digest, index, report, about]) expect(await isThere(rig, digest)).toBe(false);
  });

  it('takes nothing that was pushed less than an hour ago, and nothing that such a thing needs', async () => {
    const rig = await start(0);
    const child = await rig.pushImage('app', 'by digest');
    rig.clock.time += 5 * hourMs;
    await rig.pushIndex('app', 'by digest', [child.digest]);
    await run(rig);
    expect(await isThere(rig, child.digest)).toBe(true);
    rig.clock.time += hourMs;
    await run(rig);
    expect(await isThere(rig, child.digest)).toBe(false);
  });

  it('leaves what somebody has pulled in the days that are given for that', async () => {
    const rig = await start(1);
    await rig.set({ retentionPolicy: { notPulledDays: 30 } });
    await run(rig); // pulls are noted since now
    const used = await rig.pushImage('app', 'by digest');
    const unused = await rig.pushImage('app', 'by digest', { annotations: { is: 'unused' } });
    rig.clock.time += 20 * dayMs;
    expect(await run(rig)).toEqual({ removed: 0, forgotten: 0 });
    await rig.send('GET', `/v2/app/manifests/${used.digest}`);
    rig.clock.time += 10 * dayMs;
    expect(await run(rig)).toEqual({ removed: 1, forgotten: 0 });
    expect([await isThere(rig, used.digest), await isThere(rig, unused.digest)]).toEqual([true, false]);
    await rig.set({ retentionPolicy: { notPulledDays: 0 } });
    await run(rig);
    expect(await isThere(rig, used.digest)).toBe(false);
  });

  it('takes nothing that is locked', async () => {
    const rig = await start(0);
    const { digest } = await rig.pushImage('app', 'by digest');
    const headers = { 'content-type': 'application/json' };
    const lock = (deleteEnabled: boolean): Promise<Response> =>
      rig.send('PATCH', `/acr/v1/app/_manifests/${digest}`, { body: JSON.stringify({ deleteEnabled }), headers });
    expect((await lock(false)).status).toBe(200);
    rig.clock.time += dayMs;
    await run(rig);
    expect(await isThere(rig, digest)).toBe(true);
    await lock(true);
    await run(rig);
    expect(await isThere(rig, digest)).toBe(false);
  });

  it('takes the signatures that tags attach along with their image, and not before', async () => {
    const rig = await start(1);
    const { digest } = await rig.pushImage('app', 'v1');
    const signature = await rig.pushImage('app', `sha256-${digest.slice(7)}.sig`);
    rig.clock.time += 9 * dayMs;
    await run(rig);
    expect(await isThere(rig, signature.digest)).toBe(true);
    await rig.send('DELETE', '/v2/app/manifests/v1');
    rig.clock.time += dayMs;
    expect(await run(rig)).toEqual({ removed: 3, forgotten: 0 });
    expect(rig.registry.listTags('app')).toEqual([]);
  });

  it('can be had back from where soft delete is on, too', async () => {
    const rig = await start(0);
    await rig.set({ softDeletePolicy: { status: 'enabled', retentionDays: 7 } });
    const { digest } = await rig.pushImage('app', 'by digest');
    rig.clock.time += hourMs;
    await run(rig);
    expect(await isThere(rig, digest)).toBe(false);
    await rig.registry.care.restore({ repository: 'app', digest, tag: 'again' }, 'admin');
    expect(await isThere(rig, digest)).toBe(true);
  });
});
