import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { updateIdOf, type ImageAtDigest, type TaskImages } from '../../src/domain/base-image.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { TaskName } from '../../src/domain/task.ts';
import { maxRemovedRecords } from '../../src/store/base-image-changes.ts';
import { useStore, type OpenStore } from './fixtures.ts';

/** What is known of a task whose image stands on one base. */
export function aRecord(task: string, more: Partial<TaskImages> = {}): TaskImages {
  const base = { registry: 'docker.io', repository: 'library/node', tag: '20' };
  return {
    task: task as TaskName,
    taskVersion: 1,
    learned: { from: 'context', at: '2026-11-21T09:00:00.000Z' },
    images: [{ image: { registry: 'r', repository: task.toLowerCase(), tag: 'v1' }, runtime: base, buildTime: [] }],
    stepImages: [],
    problems: ['line 3 of Dockerfile: "ü😀" 7 {'],
    isEnabled: true,
    failuresInRow: 0,
    ...more,
  };
}

/** `node` with this tag; its digest is made of one digit. */
export function node(tag: string | undefined, digit = 'a'): ImageAtDigest {
  const digest = `sha256:${digit.repeat(64)}` as Digest;
  return { registry: 'docker.io', repository: 'library/node', ...(tag !== undefined && { tag }), digest };
}

const since = '2026-11-21T09:00:00.000Z';

function namesOf(records: readonly TaskImages[]): string[] {
  return records.map(({ task }) => task).sort();
}

/** The part of the store's contract about what tasks' images stand on (src/store/ports.ts). */
export function describeBaseImageStore(open: OpenStore): void {
  describe('what tasks’ images stand on', () => {
    const { at } = useStore(open);
    const put = (task: string, more: Partial<TaskImages> = {}) => at.store.baseImages.put(aRecord(task, more));

    it('is given back as it was written, whatever the case of the name', async () => {
      const { baseImages } = at.store;
      const trigger = { name: 'base', baseImageTriggerType: 'All', status: 'Enabled', strategy: 'auto' } as const;
      const record = aRecord('Build-App', { trigger, durationMs: 12.5, builtTime: since, stepImages: [node('20')] });
      expect(await baseImages.put(record)).toBe(true);
      expect(await baseImages.get('build-APP')).toEqual(record);
      expect(await baseImages.get('other')).toBeUndefined();
    });

    it('keeps what bases have for the platforms that they were read for, of tasks and of references', async () => {
      const { baseImages } = at.store;
      const base = node('20');
      const image = { ...base, platforms: [{ platform: 'linux/amd64', digest: base.digest }, { platform: 'x' }] };
      const record = aRecord('build-app', { images: [{ runtime: image, buildTime: [image] }] });
      await baseImages.put(record);
      expect(await baseImages.get('build-app')).toEqual(record);
      expect((await baseImages.changes()).records).toEqual([record]);
      await baseImages.observe({ image, since }, 0);
      expect(await baseImages.observed([node('20', 'b')])).toEqual([{ image, since, changes: 1 }]);
    });

    it('is not replaced by what was learned of an older version of the task', async () => {
      expect(await put('build-app', { taskVersion: 10 })).toBe(true);
      expect(await put('BUILD-app', { taskVersion: 9, problems: [] })).toBe(false);
      expect(await at.store.baseImages.get('build-app')).toEqual(aRecord('build-app', { taskVersion: 10 }));
      expect(await put('build-app', { taskVersion: 10, problems: [] })).toBe(true);
      expect(await put('build-app', { taskVersion: 11, problems: ['x'] })).toBe(true);
      await at.store.baseImages.delete('build-app');
      expect(await put('build-app', { taskVersion: 1 })).toBe(true);
    });

    it('is changed by many at once without losing a change', async () => {
      const { baseImages } = at.store;
      await put('build-app');
      const more = (before: TaskImages | undefined) =>
        aRecord('build-app', { failuresInRow: (before?.failuresInRow ?? 0) + 1 });
      await Promise.all(Array.from({ length: 25 }, () => baseImages.update('Build-App', more)));
      expect(await baseImages.get('build-app')).toMatchObject({ failuresInRow: 25 });
    });

    it('is made by a change where there was nothing, and left alone by one that gives nothing', async () => {
      const { baseImages } = at.store;
      expect(await baseImages.update('one-app', () => undefined)).toBeUndefined();
      expect(await baseImages.get('one-app')).toBeUndefined();
      expect(await baseImages.update('one-app', () => aRecord('one-app'))).toEqual(aRecord('one-app'));
      const { cursor } = await baseImages.changes();
      expect(await baseImages.update('one-app', () => undefined)).toEqual(aRecord('one-app'));
      expect(await baseImages.update('one-app', (before) => before)).toEqual(aRecord('one-app'));
      expect((await baseImages.changes(cursor)).records).toEqual([]);
    });

    it('is told from a cursor on: what was written, what was removed, each once', async () => {
      const { baseImages } = at.store;
      expect(await baseImages.changes()).toMatchObject({ records: [], removed: [], isWhole: true });
      for (const name of ['one-a', 'Two-b', 'three']) await put(name);
      const all = await baseImages.changes();
      expect(namesOf(all.records)).toEqual(['Two-b', 'one-a', 'three']);
      expect(all).toMatchObject({ removed: [], isWhole: true });
      const nothing = await baseImages.changes(all.cursor);
      expect(nothing).toMatchObject({ records: [], removed: [], isWhole: false });
      await put('three', { problems: [] });
      await put('four4', { taskVersion: 3 });
      await put('four4', { taskVersion: 2 });
      await baseImages.delete('TWO-B');
      await baseImages.delete('two-b');
      await baseImages.delete('never');
      const some = await baseImages.changes(nothing.cursor);
      expect(namesOf(some.records)).toEqual(['four4', 'three']);
      expect(some).toMatchObject({ removed: ['two-b'], isWhole: false });
      expect(await baseImages.changes(all.cursor)).toEqual(some);
      expect(await baseImages.changes(some.cursor)).toMatchObject({ records: [], removed: [], isWhole: false });
      await put('two-b');
      const again = await baseImages.changes(nothing.cursor);
      expect(namesOf(again.records)).toEqual(['four4', 'three', 'two-b']);
      expect(again.removed).toEqual([]);
    });

    it('is known to whoever follows it as it is, whatever is written and removed in between', async () => {
      const { baseImages } = at.store;
      const followed = new Map<string, TaskImages>();
      let cursor: string | undefined;
      const follow = async (): Promise<void> => {
        const change = await baseImages.changes(cursor);
        if (change.isWhole) followed.clear();
        for (const record of change.records) followed.set(record.task, record);
        for (const name of change.removed) followed.delete(name);
        ({ cursor } = change);
      };
      const write = fc.record({ task: fc.nat(5), version: fc.nat(3), act: fc.constantFrom('put', 'delete', 'follow') });
      await fc.assert(
        fc.asyncProperty(fc.array(write), async (writes) => {
          for (const { task, version, act } of writes) {
            if (act === 'put') await put(`task${task}`, { taskVersion: version });
            else if (act === 'delete') await baseImages.delete(`task${task}`);
            else await follow();
          }
          await follow();
          const all = new Map((await baseImages.changes()).records.map((record) => [record.task as string, record]));
          expect(followed).toEqual(all);
        }),
        { numRuns: 30 },
      );
    });

    it('is told whole where a cursor is too old or makes no sense', async () => {
      const { baseImages } = at.store;
      await put('stays');
      const first = await baseImages.changes();
      for (let n = 0; n <= maxRemovedRecords; n++) {
        await put(`task${n}`);
        await baseImages.delete(`task${n}`);
      }
      const whole = await baseImages.changes(first.cursor);
      expect(whole).toMatchObject({ records: [aRecord('stays')], removed: [], isWhole: true });
      const senseless = ['', 'x', '-1', '99999999', 'NaN', `${whole.cursor}0`];
      for (const cursor of senseless) expect(await baseImages.changes(cursor)).toEqual(whole);
    });

    it('is known of references: what they were seen to stand for, and how often that has changed', async () => {
      const { baseImages } = at.store;
      expect(await baseImages.observed([node('20')])).toEqual([undefined]);
      expect(await baseImages.observe({ image: node('20'), since }, 1)).toBe(false);
      expect(await baseImages.observe({ image: node('20'), since }, 0)).toBe(true);
      expect(await baseImages.observe({ image: node('20', 'b'), since }, 0)).toBe(false);
      expect(await baseImages.observe({ image: node('22', 'c'), since }, 0)).toBe(true);
      expect(await baseImages.observe({ image: node(undefined), since }, 0)).toBe(false);
      expect(await baseImages.observe({ image: node('20', 'b'), since: 'later' }, 1)).toBe(true);
      const asked = [node('22'), node(undefined), node('21'), node('20')];
      const found = await baseImages.observed(asked);
      expect(found).toEqual([
        { image: node('22', 'c'), since, changes: 1 },
        undefined,
        undefined,
        { image: node('20', 'b'), since: 'later', changes: 2 },
      ]);
      expect(updateIdOf(node('20', 'd'), found[3])).toMatch(/#3$/);
      await baseImages.forget([]);
      await baseImages.forget([node('20', 'f'), node('19'), node(undefined)]);
      expect(await baseImages.observed([node('20'), node('22')])).toEqual([undefined, found[0]]);
      expect(await baseImages.observed([])).toEqual([]);
    });

    it('is noted once of a reference whose change is told by many at once', async () => {
      const told = Array.from({ length: 20 }, () => at.store.baseImages.observe({ image: node('20'), since }, 0));
      expect((await Promise.all(told)).filter(Boolean)).toHaveLength(1);
    });
  });
}
