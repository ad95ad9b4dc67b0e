import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/domain/event.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { RunId } from '../../src/domain/run.ts';
import type { StepId } from '../../src/domain/step.ts';
import { buildRequest, startRig, workingWorker } from './rig.ts';

type Rig = Awaited<ReturnType<typeof startRig>>;

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const image = { registry: 'localhost:5080', repository: 'app', tag: 'v1', digest };
const build = 'build' as StepId;

/** Makes `count` runs, a second apart. */
async function makeRuns(rig: Rig, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await rig.api('POST', '/scheduleRun', buildRequest());
    rig.clock.advance(1000);
  }
}

async function work(rig: Rig, id: string, events: readonly RunEvent[]): Promise<void> {
  const run = await rig.store.runs.begin(id as RunId, 'w1');
  await rig.store.runs.append(id as RunId, run!.attempt, events);
}

const names = (body: { value: { name: string }[] }): string[] => body.value.map(({ name }) => name);

describe("a run's document", () => {
  it('tells what came out, step by step', async () => {
    const rig = await startRig();
    await makeRuns(rig, 1);
    await work(rig, 'ca1', [
      { kind: 'run-planned', steps: [{ id: build, kind: 'build' }] },
      { kind: 'step-started', step: build },
      { kind: 'output', step: build, stream: 'stdout', text: 'hello' },
      { kind: 'step-ended', step: build, outcome: { kind: 'succeeded' } },
      { kind: 'image-pushed', step: build, image },
      { kind: 'run-ended', status: 'Succeeded' },
    ]);
    const { body } = await rig.api('GET', '/runs/ca1');
    const at = '2026-11-21T09:00:01.000Z';
    expect(body.properties).toMatchObject({
      status: 'Succeeded',
      startTime: at,
      finishTime: at,
      outputImages: [image],
      worker: 'w1',
      attempt: 1,
      steps: [{ id: 'build', kind: 'build', startTime: at, finishTime: at, outcome: { kind: 'succeeded' } }],
    });
    expect(JSON.stringify(body)).not.toContain('null');
    expect(body.properties.waiting).toBeUndefined();
  });

  it('tells what its images stand on, in the shape of the original, with the digests that were pushed', async () => {
    const rig = await startRig();
    await makeRuns(rig, 1);
    const { digest, ...name } = image;
    const runtime = { registry: 'docker.io', repository: 'library/node', tag: '20' };
    await work(rig, 'ca1', [
      {
        kind: 'dependencies-found',
        step: build,
        dependencies: [{ image: name, runtime, buildTime: [], commit: 'abc' }],
      },
      { kind: 'image-pushed', step: build, image },
    ]);
    const { body } = await rig.api('GET', '/runs/ca1');
    expect(body.properties.dependencies).toMatchObject([
      {
        image: { ...name, digest },
        'runtime-dependency': { registry: 'registry.hub.docker.com', reference: 'docker.io/library/node:20' },
        git: { 'git-head-revision': 'abc' },
      },
    ]);
  });

  it('tells why a failed run failed, and for which registries it had credentials', async () => {
    const rig = await startRig();
    const customRegistries = { 'x.io': { userName: { value: 'a' }, password: { value: 'long-password' } } };
    await rig.api('POST', '/scheduleRun', buildRequest({ credentials: { customRegistries } }));
    await work(rig, 'ca1', [{ kind: 'run-ended', status: 'Failed', message: 'the Dockerfile has no stages' }]);
    const { body } = await rig.api('GET', '/runs/ca1');
    expect(body.properties).toMatchObject({
      status: 'Failed',
      runErrorMessage: 'the Dockerfile has no stages',
      customRegistries: ['x.io'],
    });
  });

  it('says its place in the queue and what it waits for', async () => {
    const rig = await startRig();
    await rig.store.workers.beat(workingWorker('w1', { running: ['zz' as RunId] }));
    await makeRuns(rig, 3);
    const waiting = async (id: string) => (await rig.api('GET', `/runs/${id}`)).body.properties.waiting;
    expect(await waiting('ca1')).toEqual({ position: 1, reason: 'every worker is busy; it is the next' });
    expect(await waiting('ca3')).toEqual({ position: 3, reason: '2 runs are before it' });
  });

  it('keeps isArchiveEnabled as it is told', async () => {
    const rig = await startRig();
    await makeRuns(rig, 1);
    const on = await rig.api('PATCH', '/runs/ca1', { isArchiveEnabled: true });
    expect([on.status, on.body.properties.isArchiveEnabled]).toEqual([200, true]);
    expect((await rig.api('PATCH', '/runs/ca1', {})).body.properties.isArchiveEnabled).toBe(true);
    const wrong = await rig.api('PATCH', '/runs/ca1', { isArchived: false });
    expect([wrong.status, wrong.body.error.target]).toEqual([400, 'isArchived']);
    expect((await rig.api('PATCH', '/runs/ca1', { isArchiveEnabled: 'yes' })).status).toBe(400);
    expect((await rig.api('PATCH', '/runs/ca9', { isArchiveEnabled: true })).status).toBe(404);
  });
});

describe('the list of runs', () => {
  it('has the newest first, and no more than $top without a link that clients would follow', async () => {
    const rig = await startRig();
    await makeRuns(rig, 5);
    expect(names((await rig.api('GET', '/runs')).body)).toEqual(['ca5', 'ca4', 'ca3', 'ca2', 'ca1']);
    const top = await rig.api('GET', '/runs?%24top=2');
    expect([names(top.body), top.body.nextLink]).toEqual([['ca5', 'ca4'], undefined]);
  });

  it('goes on at nextLink until all were given once, with the filter kept', async () => {
    const rig = await startRig();
    await makeRuns(rig, 230);
    const seen: string[] = [];
    let path: string | undefined = "/runs?$filter=status eq 'Queued'&api-version=2019-06-01-preview";
    while (path !== undefined) {
      const { body } = await rig.api('GET', path);
      seen.push(...names(body));
      const next: string | undefined = body.nextLink;
      if (next !== undefined) {
        expect(next.startsWith(`${rig.url}/api/v1/runs?`)).toBe(true);
        expect(new URL(next).searchParams.get('$filter')).toBe("status eq 'Queued'");
      }
      path = next?.slice(`${rig.url}/api/v1`.length);
    }
    expect([seen.length, new Set(seen).size]).toEqual([230, 230]);
  });

  it('filters as Azure clients ask', async () => {
    const rig = await startRig();
    await makeRuns(rig, 3);
    await work(rig, 'ca2', [
      { kind: 'image-pushed', step: build, image },
      { kind: 'run-ended', status: 'Succeeded' },
    ]);
    const list = async (filter: string) =>
      names((await rig.api('GET', `/runs?$filter=${encodeURIComponent(filter)}`)).body);
    expect(await list("Status eq 'succeeded'")).toEqual(['ca2']);
    expect(await list("Status ne 'Succeeded' and runtype eq 'QuickBuild'")).toEqual(['ca3', 'ca1']);
    expect(await list(`contains(OutputImageManifests, 'app@${digest}')`)).toEqual(['ca2']);
    expect(await list('createTime ge 2026-11-21T09:00:01Z')).toEqual(['ca3', 'ca2']);
    expect(await list("(createTime lt '2026-11-21T10:00:01+01:00')")).toEqual(['ca1']);
    expect(await list("runId eq 'ca3'")).toEqual(['ca3']);
    expect(await list('isArchiveEnabled eq true')).toEqual([]);
  });

  it.each([
    ['$top=0', '$top'],
    ['$top=1001', '$top'],
    ['$top=ten', '$top'],
    ['$top=1&$top=2', '$top'],
    ["$filter=state eq 'x'", '$filter'],
    ['$skiptoken=abc', '$skiptoken'],
    ['$skiptoken=ca1', '$skiptoken'],
  ])('refuses ?%s and names the parameter', async (query, target) => {
    const rig = await startRig();
    const answer = await rig.api('GET', `/runs?${query}`);
    expect([answer.status, answer.body.error.target]).toEqual([400, target]);
  });
});

describe('cancel', () => {
  it('ends a queued run at once and takes it out of the queue', async () => {
    const rig = await startRig();
    await makeRuns(rig, 2);
    const answer = await rig.api('POST', '/runs/ca1/cancel');
    expect([answer.status, answer.body]).toEqual([200, '']);
    expect(rig.queue.waiting).toEqual(['ca2']);
    expect((await rig.api('GET', '/runs/ca1')).body.properties.status).toBe('Canceled');
  });

  it('of a queued run is told at once, as an end', async () => {
    const told: object[] = [];
    const rig = await startRig({ notices: { publish: async (notice) => void told.push(notice) } });
    await makeRuns(rig, 2);
    await rig.store.runs.begin('ca2' as RunId, 'w1');
    expect((await rig.api('POST', '/runs/ca1/cancel')).status).toBe(200);
    expect((await rig.api('POST', '/runs/ca2/cancel')).status).toBe(200);
    expect(told.slice(2)).toEqual([{ runId: 'ca1', kind: 'ended', attempt: 0 }]);
  });

  it('holds also when nobody can be told', async () => {
    const rig = await startRig({ notices: { publish: () => Promise.reject(new Error('away')) } });
    await makeRuns(rig, 1);
    expect((await rig.api('POST', '/runs/ca1/cancel')).status).toBe(200);
    expect((await rig.api('GET', '/runs/ca1')).body.properties.status).toBe('Canceled');
    expect(rig.queue.waiting).toEqual([]);
  });

  it('tells the worker of a running one, and shows that it was asked for', async () => {
    const rig = await startRig();
    await makeRuns(rig, 1);
    await rig.store.runs.begin('ca1' as RunId, 'w1');
    const told: string[] = [];
    await rig.store.runs.onCancel((id) => void told.push(id));
    expect((await rig.api('POST', '/runs/ca1/cancel')).status).toBe(200);
    expect(told).toEqual(['ca1']);
    expect((await rig.api('GET', '/runs/ca1')).body.properties.cancelRequested).toMatchObject({ by: 'admin' });
  });

  it('changes nothing in a run that is over, and does not know a run that never was', async () => {
    const rig = await startRig();
    await makeRuns(rig, 1);
    await work(rig, 'ca1', [{ kind: 'run-ended', status: 'Succeeded' }]);
    expect((await rig.api('POST', '/runs/ca1/cancel')).status).toBe(200);
    expect((await rig.api('GET', '/runs/ca1')).body.properties.status).toBe('Succeeded');
    expect((await rig.api('POST', '/runs/ca7/cancel')).status).toBe(404);
  });

  it('holds also when the queue cannot be told', async () => {
    const rig = await startRig();
    await makeRuns(rig, 1);
    rig.queue.failWith = new Error('away');
    expect((await rig.api('POST', '/runs/ca1/cancel')).status).toBe(200);
    expect((await rig.api('GET', '/runs/ca1')).body.properties.status).toBe('Canceled');
  });
});

describe('the registry', () => {
  it('is described as Azure clients expect it', async () => {
    const rig = await startRig({ config: { creationDate: '2026-11-20T00:00:00.000Z' } });
    const { body } = await rig.api('GET', '/');
    expect(body).toMatchObject({
      name: 'slipway',
      type: 'Microsoft.ContainerRegistry/registries',
      sku: { name: 'Premium' },
      properties: {
        loginServer: 'localhost:5080',
        creationDate: '2026-11-20T00:00:00.000Z',
        provisioningState: 'Succeeded',
      },
    });
  });
});
