import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/failure.ts';
import type { Run, RunId } from '../../src/domain/run.ts';
import type { RunCause } from '../../src/domain/run-cause.ts';
import type { TaskName } from '../../src/domain/task.ts';
import type { NoticeListener, RunNotice } from '../../src/queue/ports.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { openRequestSecrets } from '../../src/trigger/sealed-secrets.ts';
import { submitMany } from '../../src/trigger/submit-many.ts';
import { submitRun, type Submission } from '../../src/trigger/submit.ts';
import { createTestClock, createTestQueue } from '../http/rig.ts';
import { aRequest } from '../rig/runs.ts';

const key = Buffer.alloc(32, 3);
const patched: RunCause = { kind: 'image-update', id: 'u1', timestamp: '2026-11-21T09:00:00.000Z', images: [] };

function aSubmission(change: Partial<Submission> = {}): Submission {
  const request = aRequest({ sourceLocation: 'https://example.com/app.git' });
  return { request, cause: patched, task: { name: 'app' as TaskName }, ...change };
}

function setUp() {
  const clock = createTestClock();
  const store = createMemoryStore({ clock });
  const queue = createTestQueue();
  const told: { notice: RunNotice; listeners: readonly NoticeListener[] | undefined }[] = [];
  const warnings: string[] = [];
  const deps = {
    runs: store.runs,
    queue,
    notices: {
      publish: async () => undefined,
      publishMany: async (notices: readonly RunNotice[], listeners?: readonly NoticeListener[]) => {
        for (const notice of notices) told.push({ notice, listeners });
      },
    },
    workers: store.workers,
    key,
    checkPlan: () => undefined,
    checkLocation: (text: string) => {
      const [, secret, rest] = /^https:\/\/([^@]+)@(.*)$/.exec(text) ?? [];
      if (text.startsWith('ftp:')) throw fail('invalid-request', 'no such source', { field: 'sourceLocation' });
      return secret === undefined ? { location: text } : { location: `https://${rest ?? ''}`, secret };
    },
    hasUpload: async () => true,
    onWarning: (message: string) => void warnings.push(message),
  };
  return { store, queue, told, warnings, deps };
}

/** Without what is another in every record. */
function withoutName({ runId: _, sealedSecrets, ...run }: Run): object {
  return { ...run, secrets: sealedSecrets === undefined ? undefined : openRequestSecrets(key, sealedSecrets) };
}

const shapes: readonly Submission[] = [
  aSubmission(),
  aSubmission({ task: { name: 'other' as TaskName, maxConcurrentRuns: 2 } }),
  aSubmission({ request: aRequest({ sourceLocation: 'https://token@example.com/app.git', agentPoolName: 'GPU' }) }),
  aSubmission({ sourceSecret: 'given', idempotencyKey: 'k' }),
  aSubmission({
    request: {
      ...aRequest({ sourceLocation: 'https://example.com/app.git' }),
      arguments: [{ name: 'TOKEN', value: 'hush', isSecret: true }],
    },
  }),
];

describe('submitting many runs', () => {
  it('makes and queues the same runs as submitting each of them', async () => {
    const [many, single] = [setUp(), setUp()];
    const made = await submitMany(many.deps, shapes);
    const runs = made.map((one) => ('run' in one ? one.run : undefined));
    const one: Run[] = [];
    for (const shape of shapes) one.push((await submitRun(single.deps, shape)).run);
    expect(runs.map((run) => run && withoutName(run))).toEqual(one.map(withoutName));
    expect(many.queue.waiting).toEqual(single.queue.waiting);
    expect(JSON.stringify(runs)).not.toMatch(/hush|token|given/);
    expect(await many.store.runs.listActive()).toEqual(runs);
  });

  it('gives a run for each in order, across slices, and the same ones when asked again', async () => {
    const { deps, queue, told } = setUp();
    const wanted = Array.from({ length: 700 }, (_, index) =>
      aSubmission({ task: { name: `t${index}` as TaskName }, idempotencyKey: `k${index}` }),
    );
    const first = await submitMany(deps, wanted);
    const again = await submitMany(deps, wanted);
    const ids = first.map((one) => ('run' in one ? one.run.runId : ''));
    expect(first.map((one) => 'run' in one && one.run.task)).toEqual(wanted.map(({ task }) => task?.name));
    expect(again.map((one) => 'run' in one && !one.created && one.run.runId)).toEqual(ids);
    expect(queue.waiting).toEqual(ids);
    await expect.poll(() => told.map(({ notice }) => notice.runId)).toEqual(ids);
  });

  it('says of one that cannot be why, and makes the others', async () => {
    const { deps, queue } = setUp();
    const bad = aSubmission({ request: aRequest({ sourceLocation: 'ftp://x' }) });
    const nothing = aSubmission({ request: aRequest() });
    const made = await submitMany(deps, [aSubmission(), bad, nothing, aSubmission()]);
    expect(made.map((one) => ('run' in one ? one.run.runId : one.refused.failure.message))).toEqual([
      'ca1',
      'no such source',
      'sourceLocation is missing: a build needs a context',
      'ca2',
    ]);
    expect(queue.waiting).toEqual(['ca1', 'ca2']);
  });

  it('rejects when the store is away, and leaves what the queue does not take to the sweeper', async () => {
    const { deps, queue, warnings, store } = setUp();
    const away = fail('redis-unavailable', 'Redis does not answer');
    const lost = { ...deps, runs: { createMany: async () => Promise.reject(away) } };
    await expect(submitMany(lost, [aSubmission()])).rejects.toBe(away);
    queue.failWith = away;
    const [made] = await submitMany(deps, [aSubmission()]);
    expect(made).toMatchObject({ created: true, run: { runId: 'ca1' } });
    expect(await store.runs.get('ca1' as RunId)).toMatchObject({ status: 'Queued' });
    expect(warnings).toEqual([expect.stringContaining('the sweeper')]);
  });

  it('tells of the runs that it made: commits only where one is built, and a failure to tell is a warning', async () => {
    const { deps, told, warnings } = setUp();
    const pushed: RunCause = {
      kind: 'source',
      trigger: 't',
      id: 'd1',
      eventType: 'commit',
      repositoryUrl: 'https://example.com/app.git',
      ref: 'refs/heads/main',
      providerType: 'Github',
      isTrusted: true,
    };
    await submitMany(deps, [aSubmission(), aSubmission({ cause: pushed })]);
    await expect
      .poll(() => told.map(({ notice, listeners }) => `${notice.runId} ${String(listeners)}`))
      .toEqual(['ca1 notifications', 'ca2 notifications', 'ca2 commit-statuses']);
    expect(told[0]?.notice).toEqual({ runId: 'ca1', kind: 'queued', attempt: 0 });
    const deaf = { ...deps, notices: { publishMany: async () => Promise.reject(new Error('no')) } };
    await submitMany(deaf, [aSubmission()]);
    await expect.poll(() => warnings).toEqual([expect.stringContaining('1 runs')]);
  });
});
