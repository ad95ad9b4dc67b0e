import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/domain/digest.ts';
import type { Run } from '../../../src/domain/run.ts';
import { issueRunCredential } from '../../../src/secret/run-credential.ts';
import { createSigner } from '../../../src/secret/sign.ts';
import { basic, sha } from '../rig.ts';
import { setUp, endOf, sarif, policy, key, type ScanCause } from './rig.ts';

describe('the end of a scan', () => {
  it('keeps the report as a referrer, which is not scanned', async () => {
    const { scans, pushImage, send, keep, listRuns, settled } = await setUp();
    await scans.desk.put(policy, 'admin');
    const { digest } = await pushImage('team/app', 'v1');
    await settled();
    const [run] = await listRuns();
    const lines = await keep(endOf(run!, sarif('error', 'error')));
    expect(lines[0]).toMatch(/^report \(sarif\) of Stand-in: 2 critical, 0 high, .*; kept as the referrer sha256:/);
    expect(lines[1]).toBe('by the rule of the scan policy: Failed (critical: 2 found, 1 fail an image)');
    const { manifests } = (await (await send('GET', `/v2/team/app/referrers/${digest}`)).json()) as {
      manifests: object[];
    };
    expect(manifests).toMatchObject([{ artifactType: 'application/sarif+json' }]);
    await settled();
    expect(await listRuns()).toHaveLength(1);
  });

  it('keeps nothing of an image that is gone', async () => {
    const { scans, pushImage, send, keep, listRuns, settled } = await setUp();
    await scans.desk.put(policy, 'admin');
    const { digest } = await pushImage('team/app', 'v1');
    await settled();
    await send('DELETE', `/v2/team/app/manifests/${digest}`);
    const [run] = await listRuns();
    expect(await keep(endOf(run!, '{}'))).toEqual([`team/app@${digest} is not there any more; its report is not kept`]);
  });

  it('lets an image out of quarantine, or keeps it there, as its report says', async () => {
    const { registry, scans, pushImage, keep, listRuns, settled, pull, told } = await setUp();
    await registry.care.update({ quarantinePolicy: { status: 'enabled', repositories: ['team/*'] } } as never, 'admin');
    await scans.desk.put({ ...policy, quarantine: true }, 'admin');
    const good = await pushImage('team/app', 'good');
    const bad = await pushImage('team/app', 'bad');
    const broken = await pushImage('team/app', 'broken');
    await settled();
    expect(told.map(({ kind }) => kind)).toEqual(['quarantine', 'quarantine', 'quarantine']);
    const runs = await listRuns();
    expect(runs).toHaveLength(3);
    const of = (digest: string): Run => runs.find(({ cause }) => (cause as ScanCause).image.digest === digest)!;
    expect(await keep(endOf(of(good.digest), sarif())).then(([, line]) => line)).toBe('quarantine: Passed');
    expect((await keep(endOf(of(bad.digest), sarif('error'))))[1]).toMatch(/^quarantine: Failed \(critical: 1 found/);
    expect((await keep(endOf(of(broken.digest), sarif(), true)))[1]).toBe(
      'quarantine: Failed (the run that scanned it did not succeed)',
    );
    await settled();
    const stateOf = (digest: string) => registry.resolve('team/app', digest);
    expect(stateOf(good.digest)).toBeDefined();
    const reader = await logIn(registry);
    expect((await pull('good', reader)).status).toBe(200);
    expect((await pull('bad', reader)).status).toBe(404);
    expect((await pull(broken.digest, reader)).status).toBe(403);
    // The image that has passed is told of as pushed, and not scanned a second time.
    expect(told.filter(({ kind, digest }) => kind === 'push' && digest === good.digest)).toHaveLength(1);
    expect(await listRuns()).toHaveLength(3);
  });
});

/** Somebody who may pull and no more. */
async function logIn(registry: Awaited<ReturnType<typeof setUp>>['registry']): Promise<string> {
  const { servicePrincipals } = registry.accessDesk;
  const roleAssignments = [{ role: 'AcrPull', repositories: '*' } as const];
  await servicePrincipals.put('reader', { roleAssignments, secret: 'a long enough secret' }, 'admin');
  return basic('reader', 'a long enough secret');
}

describe('the credential of a scan', () => {
  it('sees its image in quarantine and unsigned, and pushes nothing', async () => {
    const { registry, scans, pushImage, listRuns, settled, pull, store, clock, url } = await setUp();
    await registry.care.update({ quarantinePolicy: { status: 'enabled', repositories: ['team/*'] } } as never, 'admin');
    await registry.trustDesk.put('released', { repositories: ['team/*'], keys: [await publicKey()] }, 'admin');
    await scans.desk.put(policy, 'admin');
    await pushImage('team/app', 'v1');
    await settled();
    const [scan] = await listRuns();
    const begun = await store.runs.begin(scan!.runId, 'w1');
    const signer = createSigner(key, 'run');
    const { userName, password } = issueRunCredential(signer, clock, {
      ...{ runId: scan!.runId, attempt: begun!.attempt },
      timeoutSeconds: 600,
    });
    const authorization = basic(userName, password);
    expect((await pull('v1', authorization)).status).toBe(200);
    const asked = await fetch(`${url}/oauth2/token?service=x&scope=repository:team/app:pull`, {
      headers: { authorization },
    });
    const { access_token: token } = (await asked.json()) as { access_token: string };
    expect((await pull('v1', `Bearer ${token}`)).status).toBe(200);
    const digest = sha('evil') as Digest;
    const pushed = await fetch(`${url}/v2/team/app/blobs/uploads/?digest=${digest}`, {
      method: 'POST',
      headers: { authorization },
      body: 'evil',
    });
    expect(pushed.status).toBe(403);
  });
});

async function publicKey(): Promise<string> {
  const { makeKeys, pemOf } = await import('../../trust/rig.ts');
  return pemOf(makeKeys.p256());
}
