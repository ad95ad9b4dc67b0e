import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SequencedEvent } from '../../src/domain/event.ts';
import { fail } from '../../src/domain/failure.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Run, RunId } from '../../src/domain/run.ts';
import type { RunCause } from '../../src/domain/run-cause.ts';
import type { EncodedTaskRunRequest } from '../../src/domain/run-request.ts';
import { createFakeRunner, type FakeRemains, type FakeRunner, type FakeScript } from '../../src/runner/fake/index.ts';
import type { ContextWish } from '../../src/source/ports.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import type { Store, WorkerBeat } from '../../src/store/ports.ts';
import { createPlanKeeper } from '../../src/worker/plan-keeper.ts';
import { readEvents } from '../../src/worker/read-events.ts';
import { workRun } from '../../src/worker/work-run.ts';
import type { WorkRunOptions } from '../../src/worker/work.ts';
import { aRequest } from '../rig/runs.ts';
import { createManualTimer } from '../rig/steps.ts';

const commit = 'c'.repeat(40);
const digest = `sha256:${'d'.repeat(64)}` as never;
const clock = { now: () => Date.parse('2026-01-01T00:00:00Z') };
const failed: Outcome = { kind: 'failed', exitCode: 3, message: 'exit code 3' };

const task = `
version: v1.1.0
steps:
  - id: test
    cmd: busybox make-version
  - id: image
    build: -t r.example.com/app:{{.Run.ID}} .
  - id: push
    push: [r.example.com/app:{{.Run.ID}}]
  - id: deploy
    cmd: busybox deploy {{.Outputs.test.version}} {{.Secrets.token}}
secrets:
  - id: token
`;

let store: Store;
let workers: WorkerBeat[];
let archived: Map<RunId, readonly SequencedEvent[]>;
let contexts: { location: string; wish: ContextWish }[];
let digestNow: string | undefined;

beforeEach(() => {
  store = createMemoryStore({ clock });
  [workers, archived, contexts, digestNow] = [[], new Map(), [], undefined];
});

/** What the steps come to, but for the ids of images and outputs, which a real runner gives. */
const script =
  (outcomes: Readonly<Record<string, Outcome>>): FakeScript =>
  (step, io) => {
    const given = outcomes[step.id];
    if (given) return given;
    if (step.kind === 'build') return { kind: 'succeeded', imageId: 'sha256:image' };
    if (step.kind === 'cmd' && step.outputs) return { kind: 'succeeded', outputs: { version: '1.2' } };
    if (step.kind === 'push') io.pushed({ registry: 'r.example.com', repository: 'app', tag: 'x', digest });
    return { kind: 'succeeded' };
  };

function optionsOf(runner: FakeRunner, change: Partial<WorkRunOptions> = {}): WorkRunOptions {
  return {
    name: 'w1-100',
    store,
    runner,
    plans: createPlanKeeper(store.runs, Buffer.alloc(32)),
    registryHost: 'r.example.com',
    clock,
    timer: createManualTimer().timer,
    logger: pino({ level: 'silent' }),
    openSecrets: () => ({ arguments: {}, registries: {} }),
    issueCredential: () => ({ userName: 'run', password: 'p' }),
    openContext: (location, wish) => {
      contexts.push({ location, wish });
      return Promise.resolve({
        description: 'a context',
        ...(digestNow === undefined ? { commit: wish.commit ?? commit } : { digest: digestNow }),
        open: () => Promise.reject(new Error('not read here')),
        readFile: () => Promise.resolve(undefined),
        dispose: () => Promise.resolve(),
      });
    },
    random: () => 0.5,
    resolveSecret: () => Promise.resolve('hunter22'),
    fetchText: () => Promise.reject(new Error('nothing is fetched here')),
    archive: () => Promise.resolve(),
    loadArchived: (id) => Promise.resolve(archived.get(id)),
    listWorkers: () => Promise.resolve(workers),
    readEngine: () => Promise.resolve({ version: '1', architecture: 'amd64' }),
    waitingSince: new Map(),
    line: { last: Promise.resolve() },
    keepFailedMs: 3_600_000,
    onEngineLost: () => Promise.resolve(),
    ...change,
  };
}

async function create(cause?: RunCause, yaml = task): Promise<RunId> {
  const { isArchiveEnabled, timeout, platform, agentConfiguration, credentials } = aRequest();
  const request: EncodedTaskRunRequest = {
    ...{ isArchiveEnabled, timeout, platform, agentConfiguration, credentials, values: [] },
    type: 'EncodedTaskRunRequest',
    encodedTaskContent: Buffer.from(yaml).toString('base64'),
    sourceLocation: 'https://git.example.com/app.git#main',
  };
  const { run } = await store.runs.create({ runType: 'QuickRun', request, ...(cause && { cause }) });
  return run.runId;
}

async function work(id: RunId, runner: FakeRunner, change?: Partial<WorkRunOptions>) {
  const taken = await workRun(id, new AbortController(), optionsOf(runner, change));
  const run = (await store.runs.get(id)) as Run;
  return { taken, run, ran: runner.calls.flatMap((call) => (call.kind === 'run' ? [call.step.id as string] : [])) };
}

/** A run of the task that has failed at its last step. */
async function failAtDeploy(change?: Partial<WorkRunOptions>): Promise<Run> {
  const { run } = await work(await create(), createFakeRunner(script({ deploy: failed })), change);
  expect(run.status).toBe('Failed');
  contexts.length = 0;
  return run;
}

const from = (run: Run): RunCause => ({ kind: 'manual', by: 'ann', rerunOf: run.runId, fromFailed: true });

async function resume(old: Run, remains: FakeRemains = {}, change: Partial<WorkRunOptions> = {}, outcomes = {}) {
  const runner = createFakeRunner(script(outcomes), false, remains);
  const done = await work(await create(from(old)), runner, change);
  const log = (await readEvents(store.events, done.run.runId)).flatMap((e) => (e.kind === 'output' ? [e.text] : []));
  return { ...done, runner, log };
}

const kept: FakeRemains = { keeps: ({ runId, attempt }) => runId === 'ca1' && attempt === 1 };

describe('a run that goes on from where another failed', () => {
  it('does what had failed with the plan and the outputs of that run, on a copy of its workspace', async () => {
    const old = await failAtDeploy();
    const { run, ran, runner, log } = await resume(old, kept);
    expect([run.status, ran]).toEqual(['Succeeded', ['deploy']]);
    const [prepare, deploy] = runner.calls;
    expect(prepare).toMatchObject({
      setup: { runId: 'ca2', workspaceOf: { runId: 'ca1', attempt: 1 }, context: { commit } },
    });
    expect(deploy).toMatchObject({ step: { arguments: ['deploy', '1.2', 'hunter22'] } });
    expect(contexts).toEqual([]);
    expect(log).toContain('going on from run ca1; taken over: test, image, push');
    expect(log).toContain('the workspace begins as run ca1 left it');
  });

  it('has in its record what was taken over, and where that was done', async () => {
    const { run } = await resume(await failAtDeploy(), kept);
    expect(run.steps.map(({ id, outcome, takenFrom }) => [id, outcome?.kind, takenFrom])).toEqual([
      ['test', 'succeeded', 'ca1'],
      ['image', 'succeeded', 'ca1'],
      ['push', 'succeeded', 'ca1'],
      ['deploy', 'succeeded', undefined],
    ]);
    expect(run.outputImages).toMatchObject([{ repository: 'app', digest }]);
  });

  it('does again what only the workspace had, at the commit of that run, where it was not kept; tags stay', async () => {
    const { run, ran, runner, log } = await resume(await failAtDeploy());
    expect([run.status, ran]).toEqual(['Succeeded', ['test', 'image', 'push', 'deploy']]);
    expect(contexts).toMatchObject([{ wish: { commit } }]);
    expect(runner.calls[2]).toMatchObject({ step: { tags: ['r.example.com/app:ca1'] } });
    expect(log).toContain('going on from run ca1; taken over: nothing');
    expect(log.join('\n')).toMatch(/run again, because .*: test, image, push/);
  });

  it.each([
    ['build', { hasBuilt: () => false }, ['image', 'push', 'deploy']],
    ['push', { hasPushed: () => false }, ['push', 'deploy']],
  ])('does a %s again whose image is gone', async (_, gone, steps) => {
    expect((await resume(await failAtDeploy(), { ...kept, ...gone })).ran).toEqual(steps);
  });

  it('goes on from a run that itself went on from another', async () => {
    const second = await resume(await failAtDeploy(), kept, {}, { deploy: failed });
    expect(second.run.status).toBe('Failed');
    const third = await resume(second.run, { keeps: ({ runId }) => runId === 'ca2' });
    expect([third.run.status, third.ran]).toEqual(['Succeeded', ['deploy']]);
    expect(third.run.steps.map(({ takenFrom }) => takenFrom)).toEqual(['ca1', 'ca1', 'ca1', undefined]);
  });

  it('reads the archived log when the live one is gone', async () => {
    const old = await failAtDeploy();
    archived.set(old.runId, await readEvents(store.events, old.runId));
    const events = {
      read: async (id: RunId, after: number, limit: number) =>
        id === old.runId ? [] : store.events.read(id, after, limit),
    };
    const { ran } = await resume(old, kept, { store: { runs: store.runs, events: events as never } });
    expect(ran).toEqual(['deploy']);
  });

  it('masks the secrets of that run', async () => {
    const runner = createFakeRunner(
      (step, io) => {
        io.output('stdout', `hunter22 in ${step.id}`);
        return { kind: 'succeeded' };
      },
      false,
      kept,
    );
    const old = await failAtDeploy();
    const { run } = await work(await create(from(old)), runner);
    const texts = (await readEvents(store.events, run.runId)).flatMap((e) => (e.kind === 'output' ? [e.text] : []));
    expect(texts.join('\n')).not.toContain('hunter22');
  });

  it.each([
    ['the plan', async () => {}, /the plan of run ca1/],
    ['the log', async (old: Run) => store.events.expire(old.runId, 0), /the log of run ca1/],
  ])('fails when %s is gone', async (what, lose, message) => {
    const old = await failAtDeploy();
    await lose(old);
    const plans = { keep: async () => undefined, find: async () => undefined };
    const { run, ran } = await resume(old, kept, what === 'the plan' ? { plans } : {});
    expect([run.status, ran]).toEqual(['Failed', []]);
    expect(run.runErrorMessage).toMatch(message);
  });

  it('fails when its source gives something else now', async () => {
    digestNow = 'sha256:1';
    const old = await failAtDeploy();
    digestNow = 'sha256:2';
    const { run, ran } = await resume(old);
    expect([run.status, ran]).toEqual(['Failed', []]);
    expect(run.runErrorMessage).toContain('gives something else now');
  });

  it('has nothing to go on from where failed runs are not to be kept', async () => {
    const old = await failAtDeploy({ keepFailedMs: 0 });
    const disposals = createFakeRunner(script({ deploy: failed }));
    await work(await create(), disposals, { keepFailedMs: 0 });
    expect(disposals.calls.at(-1)).toEqual({ kind: 'dispose' });
    expect(old.status).toBe('Failed');
  });

  it('does not take an earlier plan for a later one: a plan is kept by the attempt that has the run', async () => {
    const stopper = new AbortController();
    const runner = createFakeRunner((step) => {
      if (step.id === 'test') stopper.abort({ kind: 'superseded' });
      return { kind: 'succeeded' };
    });
    const keeps: number[] = [];
    const plans = { keep: async () => void keeps.push(1), find: async () => undefined };
    await workRun(await create(), stopper, optionsOf(runner, { plans }));
    expect(keeps).toHaveLength(1);
  });
});

describe('a run whose workspace is on another engine', () => {
  const beat = (name: string, ok = true): WorkerBeat => ({
    ...{ name, pool: 'default', concurrency: 1, running: [], startTime: '' },
    engine: ok ? { ok, version: '1' } : { ok, reason: 'down' },
  });

  it('is left to the worker that has it while that is up, but not for long', async () => {
    const old = await failAtDeploy();
    workers = [beat('w1-200'), beat('w2-1')];
    const waitingSince = new Map<RunId, number>();
    const first = await resume(old, {}, { name: 'w2-1', waitingSince });
    expect([first.taken, first.run.status]).toEqual(['later', 'Queued']);
    const later = { now: () => clock.now() + 20_000 };
    const runner = createFakeRunner(script({}));
    const { run } = await work(first.run.runId, runner, { name: 'w2-1', waitingSince, clock: later });
    expect(run.status).toBe('Succeeded');
  });

  it.each([
    ['that worker is gone', 'w2-1', () => []],
    ['its engine is down', 'w2-1', () => [beat('w1-200', false)]],
    ['it is this one, started again', 'w1-300', () => [beat('w1-300')]],
  ])('is begun at once when %s', async (_, name, up) => {
    const old = await failAtDeploy();
    workers = up();
    expect((await resume(old, {}, { name })).taken).toBe('done');
  });

  it('is handed back when its engine does not answer', async () => {
    const old = await failAtDeploy();
    const runner = createFakeRunner(script({}));
    const keeps = () => Promise.reject(fail('engine-unavailable', 'the engine is away'));
    const id = await create(from(old));
    const taken = await workRun(id, new AbortController(), optionsOf({ ...runner, keeps }, { name: 'w2-1' }));
    expect(taken).toBe('hand-back');
    expect((await store.runs.get(id))?.steps.map(({ id }) => id)).toEqual([]);
  });
});
