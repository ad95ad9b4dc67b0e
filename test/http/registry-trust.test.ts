import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/domain/clock.ts';
import { fail } from '../../src/domain/failure.ts';
import type { ScanDesk } from '../../src/domain/scan-desk.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { startRegistry } from '../registry/rig.ts';
import { aNewRun } from '../store/fixtures.ts';
import { makeKeys, pemOf } from '../trust/rig.ts';
import { startRig } from './rig.ts';

/** The API with a registry behind it; scans are runs that nobody does. */
async function setUp() {
  const registry = await startRegistry();
  onTestFinished(registry.stop);
  const asked: string[] = [];
  const store = createMemoryStore({ clock: systemClock });
  const start: ScanDesk['start'] = async (image, who) => {
    if (image.endsWith(':none')) throw fail('not-found', `there is no image ${image}`);
    asked.push(`${image} ${who}`);
    return (await store.runs.create(aNewRun({ cause: scanCause }))).run.runId;
  };
  const rig = await startRig({
    store,
    trust: registry.registry.trustDesk,
    scans: { ...registry.registry.scanPolicy, start },
  });
  return { ...rig, registry, asked };
}

const digest = `sha256:${'a'.repeat(64)}` as const;
const scanCause = {
  kind: 'scan',
  image: { registry: 'localhost:5080', repository: 'team/app', tag: 'v1', digest, mediaType: 'x/y', size: 1 },
  scanner: { image: 'scanner', arguments: '' },
  quarantine: false,
  by: 'admin',
} as never;
const keys = [pemOf(makeKeys.p256())];

describe('trust policies', () => {
  it('are written, shown, listed and deleted', async () => {
    const { api } = await setUp();
    const properties = { repositories: ['team/*'], keys };
    const made = await api('PUT', '/registry/trustPolicies/released', { properties });
    expect([made.status, made.body.name, made.body.properties]).toMatchObject([
      200,
      'released',
      { ...properties, mode: 'enforce', minSignatures: 1, certificates: [], provisioningState: 'Succeeded' },
    ]);
    const again = await api('PUT', '/registry/trustPolicies/released', made.body);
    expect(again.body).toEqual(made.body);
    expect((await api('GET', '/registry/trustPolicies/released')).body).toEqual(made.body);
    expect((await api('GET', '/registry/trustPolicies')).body).toEqual({ value: [made.body] });
    expect((await api('DELETE', '/registry/trustPolicies/released')).status).toBe(204);
    expect((await api('DELETE', '/registry/trustPolicies/released')).status).toBe(404);
    expect((await api('GET', '/registry/trustPolicies/released')).status).toBe(404);
  });

  it.each<[unknown, string]>([
    [undefined, 'properties'],
    [{}, 'properties'],
    [{ properties: [] }, 'properties'],
    [{ properties: { keys } }, 'repositories'],
    [{ properties: { repositories: ['*'], keys: ['x'] } }, 'keys[0]'],
    [{ properties: { repositories: ['*'], keys, wish: 1 } }, 'wish'],
  ])('are refused with the field: %j', async (body, field) => {
    const { api } = await setUp();
    const { status, body: answer } = await api('PUT', '/registry/trustPolicies/released', body);
    expect([status, answer.error.target]).toEqual([400, field]);
  });

  it('say what they would of an image', async () => {
    const { api, registry } = await setUp();
    const { digest: image } = await registry.pushImage('team/app', 'v1');
    await api('PUT', '/registry/trustPolicies/released', { properties: { repositories: ['team/*'], keys } });
    const { body } = await api('POST', '/registry/verifyTrust', { image: 'team/app:v1' });
    expect(body).toMatchObject({ repository: 'team/app', digest: image, isAllowed: false });
    expect(body.complaints).toEqual(['the trust policy released demands a signature, and there is none that counts']);
    expect((await api('POST', '/registry/verifyTrust', { image: 'team/app:v2' })).status).toBe(404);
    expect((await api('POST', '/registry/verifyTrust', {})).status).toBe(400);
  });
});

describe('the scan policy', () => {
  it('is written, shown and deleted', async () => {
    const { api } = await setUp();
    expect((await api('GET', '/registry/scanPolicy')).status).toBe(404);
    const properties = { repositories: ['team/*'], image: 'scanner', arguments: '-x', failOn: { critical: 1 } };
    const made = await api('PUT', '/registry/scanPolicy', { properties });
    expect(made.body.properties).toMatchObject({
      ...properties,
      failOn: { critical: 1, uncounted: 'fail' },
      timeout: 1800,
      quarantine: false,
    });
    expect((await api('PUT', '/registry/scanPolicy', made.body)).status).toBe(200);
    expect((await api('GET', '/registry/scanPolicy')).body.properties).toMatchObject(properties);
    expect((await api('DELETE', '/registry/scanPolicy')).status).toBe(204);
    expect((await api('DELETE', '/registry/scanPolicy')).status).toBe(404);
  });

  it('has an image scanned by hand, and answers with the run', async () => {
    const { api, asked } = await setUp();
    const { status, body } = await api('POST', '/registry/scan', { image: 'team/app:v1' });
    expect([status, body.properties.cause.kind, body.properties.cause.image.digest]).toEqual([200, 'scan', digest]);
    expect(asked).toEqual(['team/app:v1 admin']);
    expect((await api('POST', '/registry/scan', { image: 'team/app:none' })).status).toBe(404);
    expect((await api('POST', '/registry/scan', { image: 7 })).status).toBe(400);
  });
});
