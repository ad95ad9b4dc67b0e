import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/failure.ts';
import type { RunId } from '../../src/domain/run.ts';
import type {
  DockerBuildRequest,
  EncodedTaskRunRequest,
  FileTaskRunRequest,
  RunRequest,
} from '../../src/domain/run-request.ts';
import { joinSecrets } from '../../src/domain/request-secrets.ts';
import type { TaskName } from '../../src/domain/task.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import type { WorkerBeat } from '../../src/store/ports.ts';
import { createManualTrigger } from '../../src/trigger/manual.ts';
import type { RunNotice } from '../../src/queue/ports.ts';
import { isUploadPath, type SubmitDeps } from '../../src/trigger/submit.ts';
import { openRequestSecrets } from '../../src/trigger/sealed-secrets.ts';

const key = Buffer.alloc(32, 3);
const upload = 'source/202611210900/0f0f0f0f-0000-4000-8000-000000000000.tar.gz';

const request: DockerBuildRequest = {
  type: 'DockerBuildRequest',
  imageNames: ['app'],
  isPushEnabled: true,
  noCache: false,
  dockerFilePath: 'Dockerfile',
  arguments: [],
  isArchiveEnabled: false,
  timeout: 3600,
  platform: { os: 'linux' },
  agentConfiguration: { cpu: 2 },
  sourceLocation: upload,
  credentials: { sourceRegistry: { loginMode: 'Default' }, customRegistries: {} },
};

const { isArchiveEnabled, timeout, platform, agentConfiguration, credentials } = request;
const base = { isArchiveEnabled, timeout, platform, agentConfiguration, credentials };
const encodedTask: EncodedTaskRunRequest = {
  ...base,
  type: 'EncodedTaskRunRequest',
  encodedTaskContent: 'c3RlcHM6IFtdCg==',
  values: [],
};
const fileTask: FileTaskRunRequest = {
  ...base,
  type: 'FileTaskRunRequest',
  taskFilePath: 'acb.yaml',
  sourceLocation: upload,
  values: [],
};
const fileTaskWithoutSource = (({ sourceLocation: _, ...rest }) => rest)(fileTask);

const secret = { name: 'TOKEN', value: 'sesame', isSecret: true };
const withoutSource = (({ sourceLocation: _, ...rest }) => rest)(request);

function beat(engine: WorkerBeat['engine']): WorkerBeat {
  return { name: 'w1', pool: 'default', concurrency: 1, running: [], engine, startTime: '2026-11-21T09:00:00.000Z' };
}

function setUp(overrides: Partial<SubmitDeps> = {}) {
  const store = createMemoryStore({ clock: { now: () => Date.parse('2026-11-21T09:00:00.000Z') } });
  const queued: RunId[] = [];
  const warnings: string[] = [];
  const manual = createManualTrigger({
    runs: store.runs,
    queue: { enqueue: async (id) => void queued.push(id) },
    workers: store.workers,
    key,
    checkPlan: () => undefined,
    checkLocation: (text) =>
      text.startsWith('secret@') ? { location: text.slice(7), secret: 'ghp' } : { location: text },
    hasUpload: async () => true,
    onWarning: (message) => void warnings.push(message),
    ...overrides,
  });
  const trigger = {
    submit: (asked: RunRequest, who: string, idempotencyKey?: string) =>
      manual.submit({ request: asked, who, idempotencyKey }),
  };
  return { trigger, manual, store, queued, warnings };
}

describe('the manual trigger', () => {
  it('stores the run, then queues it', async () => {
    const { trigger, store, queued } = setUp();
    const { run, created } = await trigger.submit(request, 'ann');
    expect([run.runId, run.runType, created, queued]).toEqual(['ca1', 'QuickBuild', true, ['ca1']]);
    expect(await store.runs.get('ca1' as RunId)).toEqual(run);
    expect(run.sealedSecrets).toBeUndefined();
  });

  it('tells of each run that was made, once, and goes on when nobody can be told', async () => {
    const told: string[] = [];
    const notices = {
      publish: async ({ runId, kind }: RunNotice) => {
        if (runId === 'ca2') throw new Error('away');
        told.push(`${kind} ${runId}`);
      },
    };
    const { trigger, warnings } = setUp({ notices });
    await trigger.submit(request, 'ann', 'k');
    await trigger.submit(request, 'ann', 'k');
    expect((await trigger.submit(request, 'ann')).run.runId).toBe('ca2');
    await expect.poll(() => warnings).toEqual(['nobody could be told that run ca2 is queued']);
    expect(told).toEqual(['queued ca1']);
  });

  it('seals what is secret, so that a worker with the key gets the whole request back', async () => {
    const { trigger } = setUp();
    const customRegistries = { 'x.io': { userName: 'bob', password: 'hunter22' } };
    const whole: DockerBuildRequest = {
      ...request,
      sourceLocation: 'secret@https://example.com/a.git',
      arguments: [secret],
      credentials: { ...request.credentials, customRegistries },
    };
    const { run } = await trigger.submit(whole, 'ann');
    expect(JSON.stringify(run)).not.toMatch(/sesame|hunter22|ghp/);
    const secrets = openRequestSecrets(key, run.sealedSecrets ?? '');
    expect(joinSecrets(run.request, secrets)).toEqual({ ...whole, sourceLocation: 'https://example.com/a.git' });
    expect(secrets.source).toBe('ghp');
    expect(() => openRequestSecrets(Buffer.alloc(32, 4), run.sealedSecrets ?? '')).toThrow(/installation key/);
  });

  it.each([
    ['a request without a source', withoutSource, /needs a context/],
    ['a task file in no context', fileTaskWithoutSource, /the task file lies in it/],
    ['an agent pool that is not there', { ...request, agentPoolName: 'big' }, /no agent pool "big"/],
  ])('refuses %s and stores nothing', async (_name, wrong: RunRequest, message) => {
    const { trigger, store, queued } = setUp();
    await expect(trigger.submit(wrong, 'ann')).rejects.toThrow(message);
    expect([(await store.runs.listActive()).length, queued.length]).toEqual([0, 0]);
  });

  it('refuses an upload that is not there, and looks for none behind other locations', async () => {
    const { trigger } = setUp({ hasUpload: async () => false });
    await expect(trigger.submit(request, 'ann')).rejects.toMatchObject({
      failure: { reason: 'invalid-request', field: 'sourceLocation' },
    });
    await trigger.submit({ ...request, sourceLocation: 'https://example.com/a.git' }, 'ann');
  });

  it('refuses what cannot be planned before it looks at anything else', async () => {
    const checkPlan = () => {
      throw fail('invalid-request', 'no', { field: 'imageNames[0]' });
    };
    const { trigger } = setUp({ checkPlan, hasUpload: () => Promise.reject(new Error('must not be asked')) });
    await expect(trigger.submit(request, 'ann')).rejects.toThrow('no');
  });

  it('waits for a check that takes its time, and refuses what that finds', async () => {
    const seen: string[] = [];
    const checkPlan = async (one: RunRequest): Promise<void> => {
      await Promise.resolve();
      if (one.type === 'EncodedTaskRunRequest') seen.push(one.values[0]?.value ?? '');
      throw fail('invalid-request', 'no step', { field: 'encodedTaskContent' });
    };
    const { trigger, queued } = setUp({ checkPlan });
    await expect(trigger.submit({ ...encodedTask, values: [secret] }, 'ann')).rejects.toThrow('no step');
    expect([seen, queued]).toEqual([['sesame'], []]);
  });

  it('makes a QuickRun of a task, which needs no source when its file comes along', async () => {
    const { trigger, queued } = setUp();
    const encoded = await trigger.submit(encodedTask, 'ann');
    const file = await trigger.submit(fileTask, 'ann');
    expect([encoded.run.runType, file.run.runType]).toEqual(['QuickRun', 'QuickRun']);
    expect(encoded.run.request).toEqual(encodedTask);
    expect(queued).toEqual(['ca1', 'ca2']);
  });

  it.each([['EncodedTaskRunRequest', encodedTask] as const, ['FileTaskRunRequest', fileTask] as const])(
    'seals the secret values of a %s, and holds its key to them',
    async (_, task) => {
      const { trigger } = setUp();
      const whole = { ...task, values: [secret], sourceLocation: 'secret@https://example.com/a.git' };
      const { run } = await trigger.submit(whole, 'ann', 'k');
      expect(JSON.stringify(run)).not.toMatch(/sesame|ghp/);
      const opened = openRequestSecrets(key, run.sealedSecrets ?? '');
      expect(joinSecrets(run.request, opened)).toEqual({ ...whole, sourceLocation: 'https://example.com/a.git' });
      expect((await trigger.submit(whole, 'ann', 'k')).created).toBe(false);
      const other = { ...whole, values: [{ ...secret, value: 'other' }] };
      await expect(trigger.submit(other, 'ann', 'k')).rejects.toMatchObject({ failure: { reason: 'conflict' } });
    },
  );

  it('refuses work only when workers are there and none of them can do it', async () => {
    const { trigger, store } = setUp();
    await store.workers.beat(beat({ ok: false, reason: 'no socket' }));
    await expect(trigger.submit(request, 'ann')).rejects.toMatchObject({ failure: { reason: 'engine-unavailable' } });
    await store.workers.beat(beat({ ok: true, version: '1' }));
    expect((await trigger.submit(request, 'ann')).created).toBe(true);
  });

  it('finds the run of a key again, after it has ended too', async () => {
    const { trigger, store, queued } = setUp();
    const whole = { ...request, arguments: [secret] };
    const first = await trigger.submit(whole, 'ann', 'k');
    await store.runs.requestCancel(first.run.runId, 'ann');
    const again = await trigger.submit(whole, 'ann', 'k');
    expect([again.run.runId, again.run.status, again.created]).toEqual(['ca1', 'Canceled', false]);
    expect(queued).toEqual(['ca1']);
    await expect(trigger.submit(request, 'ann', 'k')).rejects.toMatchObject({ failure: { reason: 'conflict' } });
  });

  it('keeps the run when the queue fails, and says so', async () => {
    const { trigger, warnings } = setUp({ queue: { enqueue: () => Promise.reject(new Error('away')) } });
    const { run } = await trigger.submit(request, 'ann');
    expect(run.status).toBe('Queued');
    expect(warnings).toEqual([expect.stringContaining('ca1')]);
  });
});

describe('the relative path of an upload', () => {
  it.each([
    [upload, true],
    [`${upload}x`, false],
    [`/${upload}`, false],
    ['source/202611210900/../../etc/passwd', false],
    ['source/2026/0f0f0f0f-0000-4000-8000-000000000000.tar.gz', false],
  ])('%s: %s', (text, isOne) => {
    expect(isUploadPath(text)).toBe(isOne);
  });
});

describe('a run that a person submits', () => {
  it('says who it was, and which run it repeats', async () => {
    const { manual } = setUp();
    const { run } = await manual.submit({ request, who: 'ann', rerunOf: 'ca7' });
    expect(run.cause).toEqual({ kind: 'manual', by: 'ann', rerunOf: 'ca7' });
  });

  it('belongs to its task, with the limit that the task sets', async () => {
    const { manual } = setUp();
    const task = { name: 'nightly' as TaskName, maxConcurrentRuns: 2 };
    const { run } = await manual.submit({ request, who: 'ann', task });
    expect(run).toMatchObject({ task: 'nightly', maxConcurrent: 2, runType: 'AutoBuild' });
  });

  it('goes to the pool that is asked for, when a worker belongs to it', async () => {
    const { manual, store } = setUp();
    await store.workers.beat({ ...beat({ ok: true, version: '1' }), pool: 'Big' });
    const { run } = await manual.submit({ request: { ...request, agentPoolName: 'big' }, who: 'ann' });
    expect(run.pool).toBe('big');
  });

  it('is refused only for the engines of its own pool', async () => {
    const { manual, store } = setUp();
    await store.workers.beat({ ...beat({ ok: false, reason: 'gone' }), name: 'w2', pool: 'big' });
    expect((await manual.submit({ request, who: 'ann' })).created).toBe(true);
    const big = { ...request, agentPoolName: 'big' };
    await expect(manual.submit({ request: big, who: 'ann' })).rejects.toThrow(
      /no worker has a working container engine/,
    );
  });
});
