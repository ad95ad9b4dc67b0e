import type { GitProviderName } from '../../src/domain/git-repository.ts';
import type { Run } from '../../src/domain/run.ts';
import type { Task } from '../../src/domain/task.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { createGitIntake } from '../../src/trigger/git-intake.ts';
import { createGitTrigger, type GitTriggerDeps } from '../../src/trigger/git-trigger.ts';
import {
  aSourceTrigger,
  aWatchingTask,
  commitOf,
  hookSecret,
  putTask,
  type SignedDelivery,
} from '../rig/deliveries.ts';

export const key = Buffer.alloc(32, 5);
export const [a, b, c] = [commitOf('a'), commitOf('b'), commitOf('c')];

/** Intake and trigger on a memory store; `deliver` does both, one after the other. */
export function setUp(overrides: Partial<GitTriggerDeps> = {}) {
  let now = Date.parse('2026-11-21T12:00:00Z');
  const clock = { now: () => now };
  const store = createMemoryStore({ clock });
  const queued: string[] = [];
  const deps: GitTriggerDeps = {
    tasks: store.tasks,
    deliveries: store.deliveries,
    runs: store.runs,
    queue: { enqueue: async () => undefined, remove: async () => true },
    workers: store.workers,
    key,
    checkPlan: () => undefined,
    findFollowed: async () => [],
    checkLocation: (location) => ({ location }),
    hasUpload: async () => true,
    onWarning: () => undefined,
    ...overrides,
  };
  const queue = { enqueue: async (id: string) => void queued.push(id) };
  const onWarning = (): void => undefined;
  const sharedSecrets = [hookSecret];
  const intake = createGitIntake({ ...store, queue, key, sharedSecrets, clock, onWarning });
  const trigger = createGitTrigger(deps);
  const take = async (delivery: SignedDelivery, where: { hook?: string; provider?: GitProviderName } = {}) => {
    now += 1000;
    return intake({ hook: 'build-app', ...where, ...delivery });
  };
  const workOff = async (id: string) => {
    await trigger.work(id);
    return store.deliveries.get(id);
  };
  const deliver = async (delivery: SignedDelivery, where?: { hook?: string }) => {
    const { deliveryId } = await take(delivery, where);
    return workOff(deliveryId);
  };
  const runs = async (): Promise<readonly Run[]> =>
    [...(await store.runs.list({ conditions: [], limit: 100 })).runs].reverse();
  return { store, deps, clock, queued, trigger, take, workOff, deliver, runs, advance: (ms: number) => (now += ms) };
}

type Rig = ReturnType<typeof setUp>;

/** The same with the watching task, changed. */
export async function setUpWith(change: Partial<Task> = {}, overrides: Partial<GitTriggerDeps> = {}): Promise<Rig> {
  const rig = setUp(overrides);
  await putTask(rig.store, aWatchingTask(key, change));
  return rig;
}

/** A task that watches with one trigger, changed. */
export function watching(change: Parameters<typeof aSourceTrigger>[0]): Partial<Task> {
  return { trigger: { timerTriggers: [], sourceTriggers: [aSourceTrigger(change)] } };
}

/** What a FailureError of this reason looks like. */
export const failure = (reason: string) => ({ failure: { reason } });
