import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../rig.ts';
import { dayMs, startCare, type CareRig } from './rig.ts';

const running: CareRig[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});
const start = async (retentionDays = 7): Promise<CareRig> => {
  const rig = await startCare();
  running.push(rig);
  await rig.set({ softDeletePolicy: { status: 'enabled', retentionDays } });
  return rig;
};
const status = async (rig: CareRig, path: string): Promise<number> => (await rig.send('GET', `/v2/${path}`)).status;
const remove = async (rig: CareRig, path: string): Promise<number> => (await rig.send('DELETE', `/v2/${path}`)).status;

describe('soft delete', () => {
  it('lists what was deleted, and has it back by tag with its layers', async () => {
    const rig = await start();
    const { digest, bytes } = await rig.pushImage('app', 'v1');
    expect(await remove(rig, `app/manifests/${digest}`)).toBe(202);
    expect(await status(rig, 'app/manifests/v1')).toBe(404);
    expect(rig.registry.care.deleted('app')).toMatchObject([
      {
        kind: 'manifest',
        repository: 'app',
        digest,
        tags: ['v1'],
        deletedBy: 'admin',
        purgeTime: '2026-01-08T00:00:00.000Z',
      },
    ]);
    rig.clock.time += 3 * dayMs;
    await rig.registry.collect();
    rig.clock.time += 2 * dayMs;
    await rig.registry.collect();
    const report = await rig.registry.care.restore({ repository: 'app', tag: 'v1' }, 'admin');
    expect(report).toEqual({ repository: 'app', digest, tags: ['v1'], taken: [], manifests: [digest] });
    expect(await (await rig.send('GET', '/v2/app/manifests/v1')).text()).toBe(bytes);
    const { layers } = JSON.parse(bytes) as { layers: { digest: string }[] };
    expect(await status(rig, `app/blobs/${layers[0]?.digest ?? ''}`)).toBe(200);
    expect(rig.registry.care.deleted()).toEqual([]);
    await until(() => rig.events.length === 3);
    expect(rig.told()).toEqual(['push app:v1', 'delete app:', 'push app:v1']);
  });

  it('lets go after the days that the policy says now', async () => {
    const rig = await start(30);
    const { digest } = await rig.pushImage('app', 'v1');
    await remove(rig, `app/manifests/${digest}`);
    rig.clock.time += 10 * dayMs;
    expect(await rig.registry.care.runPolicies()).toEqual({ removed: 0, forgotten: 0 });
    await rig.set({ softDeletePolicy: { retentionDays: 9 } });
    expect(await rig.registry.care.runPolicies()).toEqual({ removed: 0, forgotten: 1 });
    await expect(rig.registry.care.restore({ repository: 'app', digest }, 'admin')).rejects.toMatchObject({
      failure: { reason: 'not-found' },
    });
  });

  it('remembers a tag that was taken from an image that stays', async () => {
    const rig = await start();
    const { digest } = await rig.pushImage('app', 'v1');
    await rig.send('PUT', '/v2/app/manifests/other', {
      body: (await rig.pushImage('app', 'v1')).bytes,
      headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
    });
    await remove(rig, 'app/manifests/other');
    expect(rig.registry.care.deleted()).toMatchObject([{ kind: 'tag', tags: ['other'], digest }]);
    await rig.registry.care.restore({ repository: 'app', tag: 'other' }, 'admin');
    expect(await status(rig, 'app/manifests/other')).toBe(200);
    expect(rig.registry.care.deleted()).toEqual([]);
    await remove(rig, 'app/manifests/other');
    await remove(rig, `app/manifests/${digest}`);
    expect(rig.registry.care.deleted()).toMatchObject([{ kind: 'manifest', tags: ['v1', 'other'] }]);
  });

  it('moves a tag that is in use only when it is told to', async () => {
    const rig = await start();
    const old = await rig.pushImage('app', 'v1');
    await remove(rig, `app/manifests/${old.digest}`);
    const fresh = await rig.pushImage('app', 'v1', { annotations: { is: 'new' } });
    const { care } = rig.registry;
    const order = { repository: 'app', tag: 'v1', digest: old.digest };
    await expect(care.restore(order, 'admin')).rejects.toMatchObject({ failure: { reason: 'conflict' } });
    expect(await care.restore({ repository: 'app', digest: old.digest }, 'admin')).toMatchObject({
      tags: [],
      taken: ['v1'],
    });
    await remove(rig, `app/manifests/${old.digest}`);
    expect(await care.restore({ ...order, force: true }, 'admin')).toMatchObject({ tags: ['v1'] });
    expect((await rig.send('HEAD', '/v2/app/manifests/v1')).headers.get('docker-content-digest')).toBe(old.digest);
    expect(await status(rig, `app/manifests/${fresh.digest}`)).toBe(200);
  });

  it('has an index back with the manifests that it names', async () => {
    const rig = await start();
    const child = await rig.pushImage('app', 'by digest');
    const index = await rig.pushIndex('app', 'v1', [child.digest]);
    await remove(rig, `app/manifests/${index}`);
    await remove(rig, `app/manifests/${child.digest}`);
    const report = await rig.registry.care.restore({ repository: 'app', tag: 'v1' }, 'admin');
    expect(report.manifests).toEqual([child.digest, index]);
    expect(await status(rig, `app/manifests/${child.digest}`)).toBe(200);
  });

  it('is over for a manifest that is pushed again', async () => {
    const rig = await start();
    const { digest } = await rig.pushImage('app', 'v1');
    await remove(rig, `app/manifests/${digest}`);
    await rig.pushImage('app', 'v1');
    expect(rig.registry.care.deleted()).toEqual([]);
    expect(await status(rig, 'app/manifests/v1')).toBe(200);
  });

  it('survives a restart', async () => {
    const rig = await start();
    const { digest } = await rig.pushImage('app', 'v1');
    await remove(rig, `app/manifests/${digest}`);
    await rig.stop();
    running.pop();
    const again = await startCare({ storage: rig.storage });
    running.push(again);
    expect(again.registry.care.policies().softDeletePolicy).toEqual({ status: 'enabled', retentionDays: 7 });
    await again.registry.care.restore({ repository: 'app', digest }, 'admin');
    expect(await status(again, 'app/manifests/v1')).toBe(200);
  });
});
