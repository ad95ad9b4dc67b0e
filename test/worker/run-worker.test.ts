import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import { fail } from '../../src/domain/failure.ts';
import type { Run, RunId } from '../../src/domain/run.ts';
import type { TaskName } from '../../src/domain/task.ts';
import type { RunSetup } from '../../src/engine/ports.ts';
import { createMemoryQueue } from '../../src/queue/memory/runs.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/ports.ts';
import { createPlanKeeper } from '../../src/worker/plan-keeper.ts';
import { startRunWorker, type RunWorker } from '../../src/worker/run-worker.ts';
import { aRequest } from '../rig/runs.ts';
import { createManualTimer, createStage, nothingRemains } from '../rig/steps.ts';

const clock = { now: () => Date.now() };
let store: Store;
let queue: ReturnType<typeof createMemoryQueue>;
let stage: ReturnType<typeof createStage>;
let time: ReturnType<typeof createManualTimer>;
let worker: RunWorker;
let setups: RunSetup[];
let archived: RunId[];
let contextFailure: Error | undefined;
let engineFailure: Error | undefined;

const until = async (what: string, look: () => Promise<boolean> | boolean): Promise<void> => {
  for (const end = performance.now() + 5000; performance.now() < end;) {
    if (await look()) return;
    await new Promise(setImmediate);
  }
  throw new Error(`${what} did not happen`);
};

async function startWorker(stopGraceMs = 10): Promise<RunWorker> {
  return startRunWorker({
    name: 'w1',
    pool: 'default',
    concurrency: 2,
    stopGraceMs,
    beatMs: 5,
    store,
    runner: {
      prepare: (setup) => {
        setups.push(setup);
        return Promise.resolve({
          run: (step, _io, signal) => stage.runStep(step, signal),
          dispose: () => Promise.resolve(),
          abandon: () => {},
        });
      },
      holds: () => Promise.resolve(false),
      ...nothingRemains,
    },
    keepFailedMs: 0,
    loadArchived: () => Promise.resolve(undefined),
    listWorkers: () => store.workers.list(),
    plans: createPlanKeeper(store.runs, Buffer.alloc(32)),
    registryHost: 'r.example.com',
    clock,
    timer: time.timer,
    logger: pino({ level: 'silent' }),
    openSecrets: (sealed) => {
      if (sealed === 'damaged') throw fail('internal', 'a sealed secret is damaged');
      return { arguments: { TOKEN: 'top-secret' }, registries: {} };
    },
    issueCredential: () => ({ userName: 'run', password: 'p' }),
    openContext: () =>
      contextFailure
        ? Promise.reject(contextFailure)
        : Promise.resolve({
            description: 'a context',
            open: () => Promise.reject(new Error('not read here')),
            readFile: () => Promise.resolve(undefined),
            dispose: () => Promise.resolve(),
          }),
    random: () => 0.5,
    resolveSecret: ({ id }) =>
      id.includes('unknown')
        ? Promise.reject(fail('not-found', `there is no secret "${id}"`))
        : Promise.resolve(`value of ${id}`),
    fetchText: () => Promise.reject(new Error('nothing is fetched here')),
    archive: (id) => Promise.resolve(void archived.push(id)),
    readEngine: () =>
      engineFailure ? Promise.reject(engineFailure) : Promise.resolve({ version: '1', architecture: 'amd64' }),
    consume: (options) => Promise.resolve(queue.consume(options)),
  });
}

beforeEach(async () => {
  store = createMemoryStore({ clock });
  queue = createMemoryQueue({ laterMs: 1 });
  stage = createStage();
  time = createManualTimer();
  [setups, archived, contextFailure, engineFailure] = [[], [], undefined, undefined];
  worker = await startWorker();
});
afterEach(async () => {
  await worker.close();
});

async function submit(more: { sealedSecrets?: string; location?: string } = {}): Promise<RunId> {
  const request = aRequest({
    imageNames: ['app'],
    ...(more.location !== undefined && { sourceLocation: more.location }),
  });
  const { run } = await store.runs.create({
    runType: 'QuickBuild',
    request,
    ...(more.sealedSecrets !== undefined && { sealedSecrets: more.sealedSecrets }),
  });
  await queue.enqueue(run.runId);
  return run.runId;
}
async function submitOf(more: { task?: TaskName; maxConcurrent?: number; pool?: string }): Promise<RunId> {
  const { run } = await store.runs.create({
    runType: 'AutoBuild',
    request: aRequest({ imageNames: ['app'] }),
    ...more,
  });
  await queue.enqueue(run.runId, { pool: run.pool });
  return run.runId;
}
const get = async (id: RunId): Promise<Run> => (await store.runs.get(id)) as Run;
const over = (id: RunId) => until(`the end of ${id}`, async () => (await get(id)).finishTime !== undefined);
const runs = (step: string) => until(`step ${step}`, () => stage.running().includes(step));
const endStep = async (step: string, outcome?: Outcome): Promise<void> => {
  await runs(step);
  await stage.end(step, outcome);
};

describe('a run worker', () => {
  it('does a run to its end, archives it, and gives its steps the credentials of our registry', async () => {
    const id = await submit();
    await endStep('build');
    await endStep('push');
    await over(id);
    await until('the archive', () => archived.includes(id));
    expect(await get(id)).toMatchObject({ status: 'Succeeded', attempt: 1, worker: 'w1' });
    expect(setups[0]?.registryCredentials).toEqual({ 'r.example.com': { userName: 'run', password: 'p' } });
  });

  it('does no more runs at once than it may', async () => {
    const ids = [await submit(), await submit(), await submit()];
    await until('two runs', () => setups.length === 2);
    expect((await get(ids[2] as RunId)).status).toBe('Queued');
  });

  it('does no more runs of a task at once than the task allows, and others meanwhile', async () => {
    const task = 'build-app' as TaskName;
    const [first, second] = [await submitOf({ task, maxConcurrent: 1 }), await submitOf({ task, maxConcurrent: 1 })];
    await runs('build');
    const other = await submit();
    await until('the other run', async () => (await get(other)).status === 'Running');
    expect((await get(second)).status).toBe('Queued');
    expect(setups.length).toBe(2);
    await store.runs.requestCancel(first, 'ann');
    await over(first);
    await until('the second run', async () => (await get(second)).status === 'Running');
  });

  it('takes the runs of its pool only', async () => {
    const elsewhere = await submitOf({ pool: 'gpu' });
    const here = await submit();
    await until('the run of its pool', async () => (await get(here)).status === 'Running');
    expect(await queue.position(elsewhere, 'gpu')).toBe(1);
  });

  it('stops a run that is canceled, and says by whom', async () => {
    const id = await submit();
    await runs('build');
    await store.runs.requestCancel(id, 'ann');
    await over(id);
    expect(await get(id)).toMatchObject({ status: 'Canceled', runErrorMessage: 'canceled by ann' });
  });

  it('ends a run as Failed when its context is no good, and as Error when the fault is ours', async () => {
    contextFailure = fail('source-unavailable', 'no such repository');
    const failed = await submit({ location: 'https://git.example.com/a.git' });
    await over(failed);
    expect(await get(failed)).toMatchObject({ status: 'Failed', runErrorMessage: 'no such repository' });
    contextFailure = new Error('a bug');
    const broken = await submit({ location: 'https://git.example.com/a.git' });
    await over(broken);
    expect(await get(broken)).toMatchObject({
      status: 'Error',
      runErrorMessage: expect.stringContaining('internal') as string,
    });
  });

  it('gives its steps credentials that lie in vaults, and masks their values', async () => {
    const vaulted = ['password'] as const;
    const keyvault = 'https://v.vault.azure.net/secrets/p';
    const customRegistries = { 'x.io': { userName: 'bob', password: keyvault, vaulted } };
    const credentials = { sourceRegistry: { loginMode: 'None' }, customRegistries } as const;
    const { run } = await store.runs.create({ runType: 'QuickBuild', request: aRequest({ credentials }) });
    await queue.enqueue(run.runId);
    await endStep('build', { kind: 'failed', message: 'no login with value of password of x.io' });
    await over(run.runId);
    expect(setups[0]?.registryCredentials).toEqual({
      'x.io': { userName: 'bob', password: 'value of password of x.io' },
    });
    expect((await get(run.runId)).runErrorMessage).not.toContain('value of');
  });

  it('ends a run as Failed whose registry credentials cannot be had, saying which', async () => {
    const one = { userName: 'a', password: 'https://v.vault.azure.net/secrets/p', vaulted: ['password'] } as const;
    const credentials = { sourceRegistry: { loginMode: 'None' }, customRegistries: { 'unknown.io': one } } as const;
    const { run } = await store.runs.create({ runType: 'QuickBuild', request: aRequest({ credentials }) });
    await queue.enqueue(run.runId);
    await over(run.runId);
    expect(await get(run.runId)).toMatchObject({
      status: 'Failed',
      runErrorMessage: 'there is no secret "password of unknown.io"',
    });
  });

  it('ends a run whose secrets cannot be opened instead of trying for ever', async () => {
    const id = await submit({ sealedSecrets: 'damaged' });
    await over(id);
    expect(await get(id)).toMatchObject({ status: 'Error', runErrorMessage: 'a sealed secret is damaged' });
  });

  it('masks secrets in what goes into the record', async () => {
    const id = await submit({ sealedSecrets: 'sealed' });
    await endStep('build', { kind: 'failed', message: 'RUN login top-secret failed' });
    await over(id);
    expect((await get(id)).runErrorMessage).toBe('step build failed: RUN login ******** failed');
    expect(JSON.stringify(await store.events.read(id, 0, 100))).not.toContain('top-secret');
  });

  it('does a run again whose engine went away, and takes none while it is away', async () => {
    const id = await submit();
    await runs('build');
    engineFailure = fail('engine-unavailable', 'gone');
    await stage.crash('build', engineFailure);
    await until('the hand-back', async () => (await get(id)).status === 'Queued');
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    expect(setups).toHaveLength(1);
    engineFailure = undefined;
    await endStep('build');
    await endStep('push');
    await over(id);
    expect(await get(id)).toMatchObject({ status: 'Succeeded', attempt: 2 });
  });

  it('gives up on a run that takes its engine down each time', async () => {
    const id = await submit();
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await runs('build');
      await stage.crash('build', fail('engine-unavailable', 'gone'));
    }
    await over(id);
    expect(await get(id)).toMatchObject({ status: 'Error', attempt: 5 });
  });

  it('hands its runs back when it is closed, and says that it leaves', async () => {
    const id = await submit();
    await runs('build');
    await until('a beat', async () => (await store.workers.list()).length === 1);
    await worker.close();
    expect(await get(id)).toMatchObject({ status: 'Queued', attempt: 1 });
    expect(await store.workers.list()).toEqual([]);
  });

  it('says what it is doing', async () => {
    const id = await submit();
    await runs('build');
    await until('the beat', async () => (await store.workers.list())[0]?.running.includes(id) ?? false);
    expect(await store.workers.list()).toMatchObject([
      { name: 'w1', concurrency: 2, engine: { ok: true, version: '1' } },
    ]);
  });
});
