import { afterEach, describe, expect, it } from 'vitest';
import { codesOf, until } from '../rig.ts';
import { startCare, type CareRig } from './rig.ts';

const running: CareRig[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});
const start = async (repositories = ['*']): Promise<CareRig> => {
  const rig = await startCare();
  running.push(rig);
  await rig.set({ quarantinePolicy: { status: 'enabled', repositories } });
  return rig;
};
const pull = async (rig: CareRig, path: string, method = 'GET'): Promise<number> =>
  (await rig.as('pusher', method, `/v2/${path}`)).status;

describe('quarantine', () => {
  it('hides what is pushed until it is passed, and tells of the push only then', async () => {
    const rig = await start();
    const { digest } = await rig.pushImage('app', 'v1');
    await until(() => rig.events.length === 1);
    expect(rig.told()).toEqual(['quarantine app:v1']);
    expect(await pull(rig, 'app/manifests/v1')).toBe(404);
    const denied = await rig.as('puller', 'GET', `/v2/app/manifests/${digest}`);
    expect([denied.status, await codesOf(denied)]).toEqual([403, ['DENIED']]);
    expect(await (await rig.as('puller', 'GET', '/v2/app/tags/list')).json()).toEqual({ name: 'app', tags: [] });
    expect((await rig.send('GET', '/v2/app/manifests/v1')).status).toBe(200);
    const order = { repository: 'app', reference: 'v1', state: 'Passed', details: '{"scanner":"ours"}' } as const;
    expect(await rig.registry.care.quarantine(order, 'scanner')).toEqual({ digest, state: 'Passed' });
    await until(() => rig.events.length === 2);
    expect(rig.events[1]).toMatchObject({ kind: 'push', repository: 'app', tag: 'v1', digest, by: 'admin' });
    expect(await pull(rig, 'app/manifests/v1')).toBe(200);
    expect(await pull(rig, `app/manifests/${digest}`)).toBe(200);
  });

  it('tells those who push by HEAD that it is not there, so that they push it again', async () => {
    const rig = await start();
    const { digest } = await rig.pushImage('app', 'v1');
    expect(await pull(rig, `app/manifests/${digest}`, 'HEAD')).toBe(404);
    expect(await pull(rig, `app/manifests/${digest}`)).toBe(403);
    expect((await rig.as('puller', 'HEAD', `/v2/app/manifests/${digest}`)).status).toBe(403);
  });

  it('keeps what was found bad away, also when it is pushed again', async () => {
    const rig = await start();
    const { digest } = await rig.pushImage('app', 'v1');
    await rig.registry.care.quarantine({ repository: 'app', reference: digest, state: 'Failed' }, 'scanner');
    await rig.pushImage('app', 'v1');
    expect(await pull(rig, 'app/manifests/v1')).toBe(404);
    await until(() => rig.events.length === 2);
    expect(rig.told()).toEqual(['quarantine app:v1', 'quarantine app:v1']);
  });

  it('passes the children of an index with it, but not one that was found bad', async () => {
    const rig = await start();
    const good = await rig.pushImage('app', 'by digest', { annotations: { for: 'amd64' } });
    const bad = await rig.pushImage('app', 'by digest', { annotations: { for: 'arm64' } });
    await rig.registry.care.quarantine({ repository: 'app', reference: bad.digest, state: 'Failed' }, 'scanner');
    await rig.pushIndex('app', 'v1', [good.digest, bad.digest]);
    await rig.registry.care.quarantine({ repository: 'app', reference: 'v1', state: 'Passed' }, 'scanner');
    expect(await pull(rig, 'app/manifests/v1')).toBe(200);
    expect(await pull(rig, `app/manifests/${good.digest}`)).toBe(200);
    expect(await pull(rig, `app/manifests/${bad.digest}`)).toBe(403);
  });

  it('leaves alone what is attached, other repositories, and what was there before', async () => {
    const rig = await start(['team/*']);
    await rig.pushImage('app', 'v1');
    expect(await pull(rig, 'app/manifests/v1')).toBe(200);
    const { digest } = await rig.pushImage('team/app', 'v1');
    const report = await rig.attach('team/app', digest, 'all is well');
    expect(await pull(rig, `team/app/manifests/${report}`)).toBe(200);
    await rig.set({ quarantinePolicy: { repositories: ['*'] } });
    await rig.pushImage('app', 'v1');
    expect(await pull(rig, 'app/manifests/v1')).toBe(200);
  });

  it('is not escaped by an image that calls itself an attachment', async () => {
    const rig = await start();
    const { digest } = await rig.pushImage('app', 'v1');
    const more = { subject: { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1 } };
    await rig.pushImage('app', 'v2', more);
    expect(await pull(rig, 'app/manifests/v2')).toBe(404);
    const named = `sha256-${digest.slice(7)}.sig`;
    await rig.pushImage('app', named);
    expect(await pull(rig, `app/manifests/${named}`)).toBe(404);
  });

  it('is decided by /acr/v1 too, for those who may', async () => {
    const rig = await start();
    const { digest } = await rig.pushImage('app', 'v1');
    const body = JSON.stringify({ quarantineState: 'Passed', quarantineDetails: '{}' });
    const headers = { 'content-type': 'application/json' };
    const path = `/acr/v1/app/_manifests/${digest}`;
    expect((await rig.send('PATCH', path, { body, headers })).status).toBe(200);
    await until(() => rig.events.length === 2);
    expect(rig.told()).toEqual(['quarantine app:v1', 'push app:v1']);
    expect(await pull(rig, 'app/manifests/v1')).toBe(200);
  });
});
