import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRegistrySources } from '../../src/compose/registry-login.ts';
import type { RunCause } from '../../src/domain/run-cause.ts';
import type { Run } from '../../src/domain/run.ts';
import { issueRunCredential } from '../../src/secret/run-credential.ts';
import { createSigner } from '../../src/secret/sign.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { aNewRun } from '../store/fixtures.ts';
import { basic, codesOf, imageType, sha, startRegistry, type RunningRegistry } from './rig.ts';

const key = Buffer.alloc(32, 4);
const clock = { time: Date.UTC(2026, 10, 21), now: () => clock.time };
const store = createMemoryStore({ clock });
const pullRequest: RunCause = {
  kind: 'source',
  trigger: 'source',
  id: 'd1',
  eventType: 'pullrequest',
  repositoryUrl: 'https://github.com/stranger/app.git',
  ref: 'refs/pull/7/head',
  pullRequestId: '7',
  providerType: 'github',
  isTrusted: false,
};

let running: RunningRegistry;
let image: string;
beforeEach(async () => {
  const account = { username: 'admin', passwords: ['secret', 'second'] } as const;
  const keeper = { current: () => account, renew: () => Promise.resolve(account) };
  const sources = createRegistrySources({ key, clock, store }, keeper);
  running = await startRegistry({ sources, key });
  image = (await running.pushImage('team/app', 'v1')).digest;
});
afterEach(() => running.stop());

async function begin(cause: RunCause): Promise<Run> {
  const { run } = await store.runs.create(aNewRun({ cause }));
  const begun = await store.runs.begin(run.runId, 'w1');
  if (!begun) throw new Error('the run does not begin');
  return begun;
}

/** Asks with the credential that a worker gives to the steps of a run's attempt. */
function as({ runId, attempt }: Pick<Run, 'runId' | 'attempt'>) {
  const signer = createSigner(key, 'run');
  const { userName, password } = issueRunCredential(signer, clock, { runId, attempt, timeoutSeconds: 600 });
  const headers = { authorization: basic(userName, password) };
  return async (method: string, path: string, body?: string, type = 'application/octet-stream') =>
    fetch(`${running.url}/v2/${path}`, {
      method,
      headers: { ...headers, ...(body !== undefined && { 'content-type': type }) },
      ...(body !== undefined && { body }),
    });
}

/** Every request that writes, or leads to writing, with an image that is there already and with a new one. */
async function tryToWrite(ask: ReturnType<typeof as>): Promise<readonly number[]> {
  const manifest = await (await ask('GET', 'team/app/manifests/v1')).text();
  const answers = [
    await ask('POST', 'team/app/blobs/uploads/'),
    await ask('POST', `team/app/blobs/uploads/?digest=${sha('evil')}`, 'evil'),
    await ask('POST', `other/app/blobs/uploads/?mount=${sha('{}')}&from=team/app`),
    await ask('PATCH', 'team/app/blobs/uploads/00000000-0000-4000-8000-000000000000', 'evil'),
    await ask('PUT', 'team/app/manifests/v1', manifest, imageType),
    await ask('PUT', 'team/app/manifests/latest', manifest, imageType),
    await ask('PUT', `other/app/manifests/${image}`, manifest, imageType),
    await ask('DELETE', 'team/app/manifests/v1'),
    await ask('DELETE', `team/app/manifests/${image}`),
    await ask('DELETE', `team/app/blobs/${sha('{}')}`),
  ];
  for (const answer of answers) if (answer.status === 403) expect(await codesOf(answer)).toEqual(['DENIED']);
  return answers.map(({ status }) => status);
}

describe('the registry credential of a run', () => {
  it('of a fork’s pull request pulls, and writes nothing in any way', async () => {
    const ask = as(await begin(pullRequest));
    expect((await ask('GET', '')).status).toBe(200);
    expect((await ask('GET', 'team/app/manifests/v1')).status).toBe(200);
    expect((await ask('GET', `team/app/blobs/${sha('{}')}`)).status).toBe(200);
    expect(new Set(await tryToWrite(ask))).toEqual(new Set([403]));
    const tags = (await (await running.send('GET', '/v2/team/app/tags/list')).json()) as object;
    expect(tags).toEqual({ name: 'team/app', tags: ['v1'] });
    const left = await running.send('HEAD', '/v2/team/app/manifests/v1');
    expect(left.headers.get('docker-content-digest')).toBe(image);
    expect((await running.send('GET', '/v2/other/app/tags/list')).status).toBe(404);
  });

  it('of a pull request that is trusted, and of everything else, pushes too', async () => {
    for (const cause of [{ ...pullRequest, isTrusted: true }, { kind: 'manual', by: 'ada' } as const]) {
      const ask = as(await begin(cause));
      const manifest = await (await ask('GET', 'team/app/manifests/v1')).text();
      expect((await ask('PUT', 'team/app/manifests/new', manifest, imageType)).status).toBe(201);
      expect((await ask('DELETE', `team/app/manifests/${image}`)).status).toBe(403);
    }
  });

  it('is worth nothing for another attempt, after the run’s end, after its time, and to another name', async () => {
    const run = await begin({ kind: 'manual', by: 'ada' });
    const ask = as(run);
    expect((await as({ ...run, attempt: 2 })('GET', 'team/app/manifests/v1')).status).toBe(401);
    expect((await as({ ...run, runId: 'cazz' as never })('GET', 'team/app/manifests/v1')).status).toBe(401);
    const { password } = issueRunCredential(createSigner(key, 'url'), clock, { ...run, timeoutSeconds: 600 });
    const forged = await fetch(`${running.url}/v2/`, { headers: { authorization: basic('run', password) } });
    expect(forged.status).toBe(401);
    const before = clock.time;
    clock.time += 2 * 3600_000;
    expect((await ask('GET', 'team/app/manifests/v1')).status).toBe(401);
    clock.time = before;
    expect((await ask('GET', 'team/app/manifests/v1')).status).toBe(200);
    await store.runs.end(run.runId, 'Canceled', 'over');
    clock.time += 1000; // a run is looked up once a second
    expect((await ask('GET', 'team/app/manifests/v1')).status).toBe(401);
  });
});
