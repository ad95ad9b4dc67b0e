import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import type { Task, TaskName } from '../../src/domain/task.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { markLeftFolder, removeLeftFolders } from '../../src/worker/left-folders.ts';
import { aRequest } from '../rig/runs.ts';
import { aTask } from '../rig/tasks.ts';

let now: number;
const clock = { now: () => now };
let storage: ReturnType<typeof createMemoryBlobStore>;
let store: ReturnType<typeof createMemoryStore>;
/** When each folder was pushed, by its repository. */
let folders: Map<string, number>;

beforeEach(() => {
  now = Date.parse('2026-11-21T09:00:00Z');
  storage = createMemoryBlobStore(clock.now);
  store = createMemoryStore({ clock });
  folders = new Map([['contexts/greeting', now - 1000]]);
});

const registry = {
  pushedAt: async (repository: string) => folders.get(repository),
  remove: async (repository: string): Promise<boolean> => folders.delete(repository),
};

const sweepOnce = () => removeLeftFolders({ storage, store, registry, clock, logger: pino({ level: 'silent' }) });

const location = (repository: string): string => `oci://127.0.0.1:5080/${repository}:latest`;

function taskOf(name: string, contextPath: string): Task {
  const { step } = aTask();
  return aTask({ name: name as TaskName, step: { ...step, contextPath } });
}

/** Makes a task and deletes it. */
async function makeAndDelete(name: string, contextPath: string): Promise<void> {
  const task = await store.tasks.put(taskOf(name, contextPath), 0, []);
  await markLeftFolder(storage, task, now);
  await store.tasks.delete(name);
}

const marks = async (): Promise<readonly string[]> => (await storage.list('left-contexts/')).keys;

describe('the folder of a task that is deleted', () => {
  it('goes when runs that the task had just begun are known', async () => {
    await makeAndDelete('Greeting', location('contexts/greeting'));
    await sweepOnce();
    expect([...folders.keys()]).toEqual(['contexts/greeting']);
    now += 31_000;
    await sweepOnce();
    expect([...folders.keys()]).toEqual([]);
    expect(await marks()).toEqual([]);
  });

  it('waits for the last run that reads it', async () => {
    const sourceLocation = `${location('contexts/greeting')}#:server`;
    const { run } = await store.runs.create({ runType: 'QuickRun', request: aRequest({ sourceLocation }) });
    await makeAndDelete('greeting', location('contexts/greeting'));
    now += 600_000;
    await sweepOnce();
    expect([...folders.keys()]).toEqual(['contexts/greeting']);
    await store.runs.end(run.runId, 'Canceled', 'by ann');
    await sweepOnce();
    expect([...folders.keys()]).toEqual([]);
  });

  it.each([
    ['another task reads it', 'other', location('contexts/greeting').replace(':latest', `@sha256:${'a'.repeat(64)}`)],
    ['the task is there again, or still', 'greeting', location('contexts/greeting')],
  ])('stays where %s', async (_, name, contextPath) => {
    await makeAndDelete('greeting', location('contexts/greeting'));
    await store.tasks.put(taskOf(name, contextPath), 0, []);
    now += 31_000;
    await sweepOnce();
    expect([...folders.keys()]).toEqual(['contexts/greeting']);
    expect(await marks()).toEqual([]);
  });

  it('is no matter to a task whose folder has a longer name', async () => {
    await store.tasks.put(taskOf('greeting2', location('contexts/greeting2')), 0, []);
    await makeAndDelete('greeting', location('contexts/greeting'));
    now += 31_000;
    await sweepOnce();
    expect([...folders.keys()]).toEqual([]);
  });

  it('stays when it was pushed again since, for a task that is about to be made', async () => {
    await makeAndDelete('greeting', location('contexts/greeting'));
    folders.set('contexts/greeting', now + 1);
    now += 31_000;
    await sweepOnce();
    expect([...folders.keys()]).toEqual(['contexts/greeting']);
    expect(await marks()).toEqual([]);
  });

  it('is remembered until the registry has removed it', async () => {
    await makeAndDelete('greeting', location('contexts/greeting'));
    now += 31_000;
    const { remove } = registry;
    registry.remove = async () => {
      throw new Error('away');
    };
    await expect(sweepOnce()).rejects.toThrow('away');
    registry.remove = remove;
    await sweepOnce();
    expect([...folders.keys()]).toEqual([]);
  });

  it.each([
    ['of the git repository', 'https://git.example.com/team/greeting.git#main'],
    ['of the repository that others push to', location('team/greeting')],
    ['of another task', location('contexts/other')],
  ])('is nothing where the task was made %s', async (_, contextPath) => {
    await makeAndDelete('greeting', contextPath);
    expect(await marks()).toEqual([]);
  });
});
