import { describe, expect, it } from 'vitest';
import type { Task, TaskName } from '../../src/domain/task.ts';
import { aTask, nightly } from '../rig/tasks.ts';
import { useStore, type OpenStore } from './fixtures.ts';

const conflict = { failure: { reason: 'conflict' } };

function namesOf(tasks: readonly Task[]): string[] {
  return tasks.map(({ name }) => name).sort();
}

/** The part of the store's contract about tasks (src/store/ports.ts). */
export function describeTaskStore(open: OpenStore): void {
  describe('tasks', () => {
    const { at } = useStore(open);
    const named = (name: string, change: Partial<Task> = {}) => aTask({ name: name as TaskName, ...change });
    const add = (name: string, change: Partial<Task> = {}, keys: string[] = []) =>
      at.store.tasks.put(named(name, change), 0, keys);

    it('are given back as they were written, with the version that the writing made', async () => {
      const odd = { 'a"b': '\\ü😀\n', empty: '' };
      const task = named('build-app', { version: 77, tags: odd, sealedSecrets: 'v1.x', trigger: aTask().trigger });
      const written = await at.store.tasks.put(task, 0, []);
      expect(written).toEqual({ ...task, version: 1 });
      expect(await at.store.tasks.get('build-app')).toEqual(written);
      expect(await at.store.tasks.get('other')).toBeUndefined();
    });

    it('are given back many at a time, in the order asked for, with gaps for those that there are not', async () => {
      for (const name of ['alpha', 'bravo', 'delta']) await add(name);
      const found = await at.store.tasks.getMany(['delta', 'nobody', 'ALPHA']);
      expect(found.map((task) => task?.name)).toEqual(['delta', undefined, 'alpha']);
      expect(await at.store.tasks.getMany([])).toEqual([]);
    });

    it('are told apart ignoring letter case, and keep the case of the first writer', async () => {
      await add('Build-App');
      expect(await at.store.tasks.get('BUILD-APP')).toMatchObject({ name: 'Build-App', version: 1 });
      const written = await at.store.tasks.put(named('build-app', { timeout: 600 }), 1, []);
      expect(written).toMatchObject({ name: 'Build-App', version: 2, timeout: 600 });
      expect(await at.store.tasks.get('build-app')).toEqual(written);
      expect((await at.store.tasks.list({ limit: 10 })).tasks).toHaveLength(1);
    });

    it('are refused to a writer who has not seen the latest version', async () => {
      const { tasks } = at.store;
      await add('build-app');
      await expect(tasks.put(named('BUILD-app'), 0, [])).rejects.toMatchObject(conflict);
      await tasks.put(named('build-app', { timeout: 600 }), 1, []);
      await expect(tasks.put(named('build-app'), 1, [])).rejects.toMatchObject(conflict);
      await expect(tasks.put(named('build-app'), 3, [])).rejects.toMatchObject(conflict);
      await expect(tasks.put(named('unknown'), 1, [])).rejects.toMatchObject(conflict);
      expect(await tasks.get('build-app')).toMatchObject({ version: 2, timeout: 600 });
      expect(await tasks.get('unknown')).toBeUndefined();
    });

    it('are written by one of many writers at once', async () => {
      await add('build-app');
      const writers = [301, 302, 303, 304, 305].map((timeout) =>
        at.store.tasks.put(named('build-app', { timeout }), 1, []),
      );
      const outcomes = await Promise.allSettled(writers);
      const won = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(won).toHaveLength(1);
      expect(await at.store.tasks.get('build-app')).toEqual(won[0]);
    });

    it('are listed by name ignoring letter case, page by page', async () => {
      for (const name of ['beta1', 'Alpha', 'gamma', 'alpha2', 'Delta']) await add(name);
      const first = await at.store.tasks.list({ limit: 2 });
      expect(first.tasks.map(({ name }) => name)).toEqual(['Alpha', 'alpha2']);
      await add('aaaaa');
      const second = await at.store.tasks.list({ limit: 2, after: first.next ?? '' });
      expect(second.tasks.map(({ name }) => name)).toEqual(['beta1', 'Delta']);
      const third = await at.store.tasks.list({ limit: 2, after: second.next ?? '' });
      expect(third.tasks.map(({ name }) => name)).toEqual(['gamma']);
      expect(third).not.toHaveProperty('next');
      expect(await at.store.tasks.list({ limit: 2, after: 'ZZZZZ' })).toEqual({ tasks: [] });
      expect(await at.store.tasks.list({ limit: 6 })).not.toHaveProperty('next');
    });

    it('are found by the repositories that they were last written with', async () => {
      const { tasks } = at.store;
      await add('one-a', {}, ['github.com/a/b', 'git.corp/x y']);
      await add('one-b', {}, ['github.com/a/b', 'github.com/a/b']);
      expect(namesOf(await tasks.findByRepository('github.com/a/b'))).toEqual(['one-a', 'one-b']);
      expect(namesOf(await tasks.findByRepository('git.corp/x y'))).toEqual(['one-a']);
      await tasks.put(named('one-a'), 1, ['git.corp/z']);
      expect(namesOf(await tasks.findByRepository('github.com/a/b'))).toEqual(['one-b']);
      expect(await tasks.findByRepository('git.corp/x y')).toEqual([]);
      expect(await tasks.findByRepository('git.corp/z')).toMatchObject([{ name: 'one-a', version: 2 }]);
    });

    it('stay findable as they were when a write is refused', async () => {
      await add('one-a', {}, ['github.com/a/b']);
      await expect(at.store.tasks.put(named('one-a'), 0, ['other'])).rejects.toMatchObject(conflict);
      expect(namesOf(await at.store.tasks.findByRepository('github.com/a/b'))).toEqual(['one-a']);
      expect(await at.store.tasks.findByRepository('other')).toEqual([]);
    });

    it('with timers are listed, for as long as they have any', async () => {
      const trigger = { timerTriggers: [nightly], sourceTriggers: [] };
      await add('timed', { trigger });
      await add('plain');
      expect(await at.store.tasks.listWithTimers()).toMatchObject([{ name: 'timed', trigger }]);
      await at.store.tasks.put(named('timed'), 1, []);
      expect(await at.store.tasks.listWithTimers()).toEqual([]);
    });

    it('are gone once they are deleted, which is done once, and can be made anew', async () => {
      const { tasks } = at.store;
      const trigger = { timerTriggers: [nightly], sourceTriggers: [] };
      await add('Build-App', { trigger }, ['github.com/a/b']);
      expect(await tasks.delete('build-APP')).toBe(true);
      expect(await tasks.delete('build-app')).toBe(false);
      expect(await tasks.get('build-app')).toBeUndefined();
      expect(await tasks.list({ limit: 5 })).toEqual({ tasks: [] });
      expect(await tasks.findByRepository('github.com/a/b')).toEqual([]);
      expect(await tasks.listWithTimers()).toEqual([]);
      await expect(tasks.put(named('build-app'), 1, [])).rejects.toMatchObject(conflict);
      expect(await add('build-APP')).toMatchObject({ name: 'build-APP', version: 1 });
    });
  });
}
