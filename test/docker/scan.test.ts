import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startInstallation, type Installation } from '../rig/installation.ts';
import { getLog, removeImages } from '../rig/quick-build.ts';

const docker = promisify(execFile);
const secret = 'a long enough secret';
let slipway: Installation;

beforeAll(async () => {
  slipway = await startInstallation();
  const { username, password } = slipway.account;
  await docker('docker', ['login', '-u', username, '-p', password, slipway.registryHost]);
}, 90_000);
afterAll(async () => {
  await removeImages(slipway);
  await slipway.stop();
}, 60_000);

/** A stand-in for a scanner: looks whether it was told of the image and given a login, and says what it has found, as SARIF. */
function scannerFor(level: string, more = ''): string {
  const rule = '{"id":"CVE-1","properties":{"security-severity":"9.8"}}';
  const results = level === 'none' ? '' : `{"ruleId":"CVE-1","level":"${level}","message":{"text":"bad"}}`;
  const run = `{"tool":{"driver":{"name":"Stand-in","version":"1.0","rules":[${rule}]}},"results":[${results}]}`;
  const sarif = `{"version":"2.1.0","runs":[${run}]}`;
  const checks = 'test -n "$SCAN_DIGEST" && grep -q auths "$DOCKER_CONFIG/config.json"';
  return `sh -c '${checks} && echo looking at $SCAN_IMAGE >&2 && ${more || `echo "${sarif.replaceAll('"', '\\"')}"`}'`;
}

/** A document of the API, read by tests as it is. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Document = any;

async function json(path: string, init: RequestInit & { json?: object } = {}): Promise<Document> {
  const { json: body, ...rest } = init;
  const sent = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const answer = await slipway.request(path, { ...rest, ...sent });
  return answer.status === 204 ? undefined : answer.json();
}

async function setScan(policy: object): Promise<void> {
  const properties = { repositories: ['team/*'], image: 'busybox', ...policy };
  await json('/api/v1/registry/scanPolicy', { method: 'PUT', json: { properties } });
}

async function push(image: string, text: string): Promise<string> {
  const name = `${slipway.registryHost}/${image}`;
  const { stdout } = await docker('docker', ['create', 'busybox', 'echo', text]);
  const container = stdout.trim();
  await docker('docker', ['commit', '--message', text, container, name]);
  await docker('docker', ['rm', container]);
  await docker('docker', ['push', '--quiet', name]);
  const inspected = await docker('docker', ['inspect', '--format', '{{index .RepoDigests 0}}', name]);
  return /sha256:[0-9a-f]{64}/.exec(inspected.stdout)?.[0] ?? '';
}

async function findScan(digest: string): Promise<{ runId: string; status: string }> {
  return eventually('a scan that is over', 60_000, async () => {
    const { value } = await json('/api/v1/runs?$top=50');
    const runs = value.map((one: { properties: Document }) => one.properties);
    const found = runs.find((run: Document) => run.cause?.kind === 'scan' && run.cause.image.digest === digest);
    return found !== undefined && !/Queued|Started|Running/.test(found.status) ? found : undefined;
  });
}

async function listReferrers(repository: string, digest: string): Promise<Document[]> {
  return (await json(`/v2/${repository}/referrers/${digest}`)).manifests;
}

describe('a repository whose images are scanned', () => {
  it('keeps the report of each push as a referrer of the image, and scans no report', async () => {
    await setScan({ arguments: scannerFor('error'), failOn: { critical: 1 } });
    const digest = await push('team/app:v1', 'one');
    const { runId, status } = await findScan(digest);
    const log = await getLog(slipway, runId);
    expect(status, log).toBe('Succeeded');
    expect(log).toContain(`looking at ${slipway.registryHost}/team/app@${digest}`);
    expect(log).toContain('report (sarif) of Stand-in 1.0: 1 critical, 0 high');
    expect(log).toContain('by the rule of the scan policy: Failed (critical: 1 found, 1 fail an image)');
    expect(await listReferrers('team/app', digest)).toMatchObject([
      {
        artifactType: 'application/sarif+json',
        annotations: { 'dev.slipway.scan.summary': '{"critical":1,"high":0,"medium":0,"low":0,"unknown":0}' },
      },
    ]);
    const { value } = await json('/api/v1/runs?$top=50');
    expect(value).toHaveLength(1);
  }, 120_000);

  it('takes a file in the workspace before the output, and a scan by hand', async () => {
    await setScan({ arguments: scannerFor('none', 'echo "{}" > /workspace/report.json') });
    const digest = await push('team/app:v2', 'two');
    expect((await findScan(digest)).status).toBe('Succeeded');
    expect(await listReferrers('team/app', digest)).toMatchObject([{ artifactType: 'application/json' }]);
    const body = { image: 'team/app:v2' };
    const { properties } = await json('/api/v1/registry/scan', { method: 'POST', json: body });
    expect(properties.cause).toMatchObject({ kind: 'scan', by: 'admin', image: { digest, tag: 'v2' } });
    const again = await eventually('the end of a scan by hand', 60_000, async () => {
      const run = (await json(`/api/v1/runs/${properties.runId}`)).properties;
      return /Queued|Started|Running/.test(run.status) ? undefined : run;
    });
    expect(again.status, await getLog(slipway, properties.runId)).toBe('Succeeded');
    expect(await listReferrers('team/app', digest)).toHaveLength(2);
  }, 120_000);

  it('holds an image in quarantine until its report is good', async () => {
    const policies = { quarantinePolicy: { status: 'enabled', repositories: ['team/*'] } };
    await json('/api/v1/registry/policies', { method: 'PATCH', json: policies });
    const principal = { properties: { roleAssignments: [{ role: 'AcrPull', repositories: '*' }], secret } };
    await json('/api/v1/servicePrincipals/reader', { method: 'PUT', json: principal });
    const pull = async (reference: string) => {
      const authorization = `Basic ${Buffer.from(`reader:${secret}`).toString('base64')}`;
      const answer = await fetch(`${slipway.url}/v2/team/app/manifests/${reference}`, { headers: { authorization } });
      return answer.status;
    };
    // The scanner waits for its sign, so that the image can be looked at before.
    const wait = 'until test -e /workspace/go; do sleep 0.2; test $((n=n+1)) -gt 15 && touch /workspace/go; done';
    const rule = { failOn: { critical: 1 }, quarantine: true };
    await setScan({ ...rule, arguments: scannerFor('none').replace(' && echo looking', ` && ${wait}; echo looking`) });
    const good = await push('team/app:good', 'four');
    expect([await pull('good'), await pull(good)]).toEqual([404, 403]);
    const { runId, status } = await findScan(good);
    expect(status, await getLog(slipway, runId)).toBe('Succeeded');
    expect(await getLog(slipway, runId)).toContain('quarantine: Passed');
    expect(await listReferrers('team/app', good)).toMatchObject([{ artifactType: 'application/sarif+json' }]);
    expect([await pull('good'), await pull(good)]).toEqual([200, 200]);
    await setScan({ ...rule, arguments: scannerFor('error') });
    const bad = await push('team/app:bad', 'five');
    expect(await getLog(slipway, (await findScan(bad)).runId)).toContain('quarantine: Failed (critical: 1 found');
    expect([await pull('bad'), await pull(bad)]).toEqual([404, 403]);
    const { value } = await json('/api/v1/runs?$top=50');
    const scanned = value.map((one: { properties: Document }) => one.properties.cause.image?.digest);
    expect(scanned.filter((one: string) => one === good)).toHaveLength(1);
    await json('/api/v1/registry/policies', {
      method: 'PATCH',
      json: { quarantinePolicy: { status: 'disabled' } },
    });
  }, 120_000);

  it('fails a scan that leaves no report', async () => {
    await setScan({ arguments: scannerFor('none', 'true') });
    const digest = await push('team/app:v3', 'three');
    const { runId, status } = await findScan(digest);
    expect(status).toBe('Failed');
    expect((await json(`/api/v1/runs/${runId}`)).properties.runErrorMessage).toContain('there is no report');
  }, 120_000);
});
