import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/failure.ts';
import type { TaskName } from '../../src/domain/task.ts';
import { createGitTrigger } from '../../src/trigger/git-trigger.ts';
import { redeliver } from '../../src/trigger/redeliver.ts';
import { openRequestSecrets, sealTaskSecrets } from '../../src/trigger/sealed-secrets.ts';
import {
  aSourceTrigger,
  aWatchingTask,
  hookSecret,
  putTask,
  repositoryUrl,
  signPullRequest,
  signPush,
} from '../rig/deliveries.ts';
import { a, b, c, failure, key, setUpWith, watching } from './git-rig.ts';

describe('a push', () => {
  it('starts a run of exactly its commit in the folder of the task’s context', async () => {
    const { deliver, runs } = await setUpWith();
    const delivery = await deliver(signPush({ commit: a }));
    const [run] = await runs();
    expect(run).toMatchObject({
      task: 'build-app',
      runType: 'AutoBuild',
      request: { sourceLocation: `${repositoryUrl}#${a}:service`, isPushEnabled: true },
      cause: { kind: 'source', commitId: a, branchName: 'main', ref: 'refs/heads/main', by: 'ada', isTrusted: true },
    });
    expect(delivery).toMatchObject({ status: 'done', verdicts: [{ task: 'build-app', runId: run?.runId }], commit: a });
    expect(openRequestSecrets(key, run?.sealedSecrets ?? '')).toMatchObject({ source: 'context-token' });
  });

  it('is built on the newest tag that its task follows', async () => {
    const followed = [{ name: 'NODE', value: 'v10', isSecret: false, isFollowed: true as const }];
    const { deliver, runs } = await setUpWith({}, { findFollowed: async () => followed });
    await deliver(signPush({ commit: a }));
    const [request] = (await runs()).map((run) => run.request);
    expect(request?.type === 'DockerBuildRequest' && request.arguments).toEqual(expect.arrayContaining(followed));
  });

  it('of a branch that the task does not watch starts nothing, and the delivery says why', async () => {
    const rig = await setUpWith(
      watching({ sourceRepository: { sourceControlType: 'Github', repositoryUrl, branch: 'release' } }),
    );
    const delivery = await rig.deliver(signPush({ commit: a }));
    expect(delivery).toMatchObject({
      status: 'done',
      verdicts: [{ task: 'build-app', because: 'branch main is not release' }],
    });
    expect(await rig.runs()).toEqual([]);
  });

  it('takes the branch from the repository’s URL where the trigger has none', async () => {
    const url = { sourceControlType: 'Github', repositoryUrl: `${repositoryUrl}#release` } as const;
    const { deliver } = await setUpWith(watching({ sourceRepository: url }));
    expect((await deliver(signPush({ commit: a })))?.verdicts).toEqual([
      { task: 'build-app', because: 'branch main is not release' },
    ]);
  });

  it('starts one run of a task that sees it with two triggers', async () => {
    const sourceTriggers = [aSourceTrigger(), aSourceTrigger({ name: 'second' })];
    const { deliver, runs } = await setUpWith({ trigger: { timerTriggers: [], sourceTriggers } });
    await deliver(signPush({ commit: a }));
    expect(await runs()).toHaveLength(1);
  });

  it('lets a task whose context is another repository read that as always', async () => {
    const step = { ...aWatchingTask(key).step, contextPath: 'https://github.com/acme/other.git#main' };
    const { deliver, runs } = await setUpWith({ step });
    await deliver(signPush({ commit: a }));
    expect((await runs())[0]?.request.sourceLocation).toBe('https://github.com/acme/other.git#main');
  });

  it('uses the trigger’s own token where the context has none', async () => {
    const secrets = { arguments: {}, registries: {}, sources: { source: 'trigger-token' }, webhook: [hookSecret] };
    const { deliver, runs } = await setUpWith({ sealedSecrets: sealTaskSecrets(key, secrets) });
    await deliver(signPush({ commit: a }));
    expect(openRequestSecrets(key, (await runs())[0]?.sealedSecrets ?? '')).toMatchObject({ source: 'trigger-token' });
  });

  it('starts nothing of a disabled task, and says so', async () => {
    const { deliver } = await setUpWith({ status: 'Disabled' });
    expect((await deliver(signPush({ commit: a })))?.verdicts).toEqual([
      { task: 'build-app', because: 'the task is disabled' },
    ]);
  });

  it('whose run is refused ends with the reason, and is not tried again', async () => {
    const checkPlan = (): never => {
      throw fail('invalid-request', 'the name is wrong', { field: 'imageNames[0]' });
    };
    const { deliver } = await setUpWith({}, { checkPlan });
    expect((await deliver(signPush({ commit: a })))?.verdicts).toEqual([
      { task: 'build-app', because: 'it cannot be run: the name is wrong' },
    ]);
  });
});

describe('a delivery that arrives again', () => {
  it('starts its run once, and is counted', async () => {
    const { deliver, runs } = await setUpWith();
    const push = signPush({ commit: a });
    await deliver(push);
    expect(await deliver(push)).toMatchObject({ arrivals: 2, status: 'done' });
    expect(await runs()).toHaveLength(1);
  });

  it('finds its run when the worker died between the run and the record of it', async () => {
    const { store, deps, take, workOff, runs } = await setUpWith();
    const { deliveryId } = await take(signPush({ commit: a }));
    const finish = async (): Promise<never> => Promise.reject(fail('redis-unavailable', 'away'));
    const dying = createGitTrigger({ ...deps, deliveries: { ...store.deliveries, finish } });
    await expect(dying.work(deliveryId)).rejects.toMatchObject(failure('redis-unavailable'));
    expect(await workOff(deliveryId)).toMatchObject({ verdicts: [{ runId: 'ca1' }] });
    expect(await runs()).toHaveLength(1);
  });

  it('is tried again when it had failed', async () => {
    const { store, trigger, take, workOff, queued } = await setUpWith();
    const push = signPush({ commit: a });
    const { deliveryId } = await take(push);
    await trigger.giveUp(deliveryId, fail('redis-unavailable', 'Redis is away'));
    expect(await store.deliveries.get(deliveryId)).toMatchObject({
      status: 'failed',
      notes: ['given up: Redis is away'],
    });
    await take(push);
    expect(queued).toEqual([deliveryId, deliveryId]);
    expect(await workOff(deliveryId)).toMatchObject({ status: 'done', verdicts: [{ runId: 'ca1' }] });
  });

  it('by hand starts a run of its own each time', async () => {
    const { store, clock, deliver, workOff, runs } = await setUpWith();
    const first = await deliver(signPullRequest({ commit: a }));
    expect(first?.verdicts[0]?.because).toContain('pull requests start nothing here');
    const { id } = (await deliver(signPush({ commit: a }))) ?? { id: '' };
    const queue = { enqueue: async () => undefined };
    const again = await redeliver({ deliveries: store.deliveries, queue, clock }, id);
    const third = await redeliver({ deliveries: store.deliveries, queue, clock }, again?.id ?? '');
    expect([again?.id, third?.id]).toEqual([`${id}.r1`, `${id}.r2`]);
    expect(await workOff(`${id}.r1`)).toMatchObject({ verdicts: [{ runId: 'ca2' }] });
    expect(await runs()).toHaveLength(2);
    expect(await redeliver({ deliveries: store.deliveries, queue, clock }, 'unknown')).toBeUndefined();
  });
});

describe('a pull request', () => {
  const trigger = watching({ sourceTriggerEvents: ['commit', 'pullrequest'] });

  it('of a fork runs without secrets and without the right to push', async () => {
    const { deliver, runs } = await setUpWith(trigger);
    await deliver(signPullRequest({ commit: a, isFork: true }));
    const [run] = await runs();
    expect(run).toMatchObject({
      request: { isPushEnabled: false, sourceLocation: `${repositoryUrl}#${a}:service` },
      cause: { isTrusted: false, pullRequestId: '7', ref: 'refs/pull/7/head' },
    });
  });

  it('told twice of the same head starts one run, within minutes', async () => {
    const { deliver, runs } = await setUpWith(trigger);
    await deliver(signPullRequest({ commit: a }));
    const second = await deliver(signPullRequest({ commit: a, action: 'synchronize' }));
    expect(await runs()).toHaveLength(1);
    expect(second?.verdicts[0]?.because).toMatch(/^run ca1 is of the same commit, told by build-app\.github\./);
  });

  it('told twice starts a second run when the first was canceled', async () => {
    const { store, deliver, runs } = await setUpWith(trigger);
    await deliver(signPullRequest({ commit: a }));
    await store.runs.requestCancel((await runs())[0]?.runId ?? ('' as never), 'ada');
    await deliver(signPullRequest({ commit: a, action: 'synchronize' }));
    expect(await runs()).toHaveLength(2);
  });

  it('that returns to an earlier head later starts a run again', async () => {
    const { deliver, runs, advance } = await setUpWith(trigger);
    await deliver(signPullRequest({ commit: a }));
    advance(11 * 60_000);
    await deliver(signPullRequest({ commit: a, action: 'synchronize' }));
    expect(await runs()).toHaveLength(2);
  });
});

describe('superseded runs', () => {
  it('are all done with the policy "queue"', async () => {
    const { deliver, runs } = await setUpWith();
    for (const commit of [a, b, c]) await deliver(signPush({ commit }));
    expect((await runs()).map(({ status }) => status)).toEqual(['Queued', 'Queued', 'Queued']);
  });

  it('with the policy "skip" start nothing while one of the same ref waits', async () => {
    const { deliver, runs } = await setUpWith({ whenSuperseded: 'skip' });
    await deliver(signPush({ commit: a }));
    expect((await deliver(signPush({ commit: b })))?.verdicts[0]?.because).toBe(
      'run ca1 of the same ref waits already',
    );
    await deliver(signPush({ commit: c, branch: 'other' }));
    expect((await runs()).map(({ cause }) => cause?.kind === 'source' && cause.commitId)).toEqual([a, c]);
  });

  it('with the policy "cancel" are canceled by a newer one of the same ref', async () => {
    const { store, deliver, runs } = await setUpWith({ whenSuperseded: 'cancel' });
    await deliver(signPush({ commit: a }));
    await deliver(signPush({ commit: c, branch: 'other' }));
    await store.runs.begin((await runs())[0]?.runId ?? ('' as never), 'w1');
    await deliver(signPush({ commit: b }));
    const [first, other, latest] = await runs();
    expect(first?.cancelRequested?.by).toBe('superseded by ca3');
    expect([other?.status, latest?.status]).toEqual(['Queued', 'Queued']);
  });

  it('that had not begun are told of at once when they are canceled', async () => {
    const told: object[] = [];
    const { deliver, runs } = await setUpWith(
      { whenSuperseded: 'cancel' },
      { notices: { publish: async (notice) => void told.push(notice) } },
    );
    await deliver(signPush({ commit: a }));
    await deliver(signPush({ commit: b }));
    expect((await runs()).map(({ status }) => status)).toEqual(['Canceled', 'Queued']);
    expect(told.at(-1)).toEqual({ runId: 'ca1', kind: 'ended', attempt: 0 });
  });

  it('with the policy "cancel" an older delivery that comes late does not take the place of a newer one', async () => {
    const { take, workOff, deliver, runs } = await setUpWith({ whenSuperseded: 'cancel' });
    const { deliveryId } = await take(signPush({ commit: a }));
    await deliver(signPush({ commit: b }));
    expect((await workOff(deliveryId))?.verdicts[0]?.because).toBe('run ca1 is of a later event of the same ref');
    expect(await runs()).toHaveLength(1);
  });
});

describe('the shared webhook', () => {
  it('starts every task that watches the repository, and says of the others why not', async () => {
    const rig = await setUpWith();
    await putTask(rig.store, aWatchingTask(key, { name: 'second' as TaskName, status: 'Disabled' }));
    const { deliveryId } = await rig.take(signPush({ commit: a }), { hook: undefined as never });
    const delivery = await rig.workOff(deliveryId);
    expect(delivery?.hook).toBeUndefined();
    expect(delivery?.verdicts).toEqual(
      expect.arrayContaining([
        { task: 'build-app', runId: 'ca1' },
        { task: 'second', because: 'the task is disabled' },
      ]),
    );
  });

  it('notes a repository that nobody watches', async () => {
    const rig = await setUpWith();
    const push = signPush({ commit: a, url: 'https://github.com/acme/nobody.git' });
    const { deliveryId } = await rig.take(push, { hook: undefined as never });
    expect((await rig.workOff(deliveryId))?.notes).toEqual(['no task has a source trigger for github.com/acme/nobody']);
  });
});

describe('a renamed repository', () => {
  const renamed = signPush({ commit: a, url: 'https://github.com/Acme/store.git' });

  it('is followed at a task’s own webhook', async () => {
    const findMoved = async () => 'https://github.com/acme/store.git';
    const { deliver, runs } = await setUpWith({}, { findMoved });
    await deliver(renamed);
    expect((await runs())[0]?.request.sourceLocation).toBe(`${repositoryUrl}#${a}:service`);
  });

  it('is another repository when the forge knows nothing of it', async () => {
    const { deliver } = await setUpWith({}, { findMoved: async () => undefined });
    expect((await deliver(renamed))?.verdicts[0]?.because).toContain('is not github.com/Acme/shop');
  });
});
