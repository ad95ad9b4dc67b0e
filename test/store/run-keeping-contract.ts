import { describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
import type { TaskName } from '../../src/domain/task.ts';
import { build, ended, image, line, nobody, useStore, type OpenStore } from './fixtures.ts';

/** The part of the store's contract about places at work and about forgetting runs (src/store/ports.ts). */
export function describeRunKeeping(open: OpenStore): void {
  describe('places at work and old runs', () => {
    const { at, queued, started, all, statusOf } = useStore(open);
    const task = 'Build-App' as TaskName;
    const sameTask = 'build-app' as TaskName;
    const isoNow = () => new Date(at.clock.now()).toISOString();

    describe('takePlace', () => {
      it('gives the last place to one of many at once', async () => {
        const ids: RunId[] = [];
        for (let count = 0; count < 10; count++) ids.push((await queued({ task })).runId);
        const taken = await Promise.all(ids.map((id) => at.store.runs.takePlace(id, task, 3)));
        expect(taken.filter(Boolean)).toHaveLength(3);
        const again = await Promise.all(ids.map((id) => at.store.runs.takePlace(id, sameTask, 3)));
        expect(again).toEqual(taken);
      });

      it('keeps a place through a hand-back, and frees it when the run ends', async () => {
        const [one, other] = [await started({ task }), await started({ task })];
        expect(await at.store.runs.takePlace(one, task, 1)).toBe(true);
        await at.store.runs.release(one, 1);
        expect(await at.store.runs.takePlace(other, task, 1)).toBe(false);
        expect(await at.store.runs.takePlace(other, task, 2)).toBe(true);
        await at.store.runs.requestCancel(one, 'ann');
        const third = (await queued({ task })).runId;
        expect(await at.store.runs.takePlace(third, task, 2)).toBe(true);
        await at.store.runs.append(other, 1, [ended]);
        expect(await at.store.runs.takePlace((await queued({ task })).runId, task, 2)).toBe(true);
      });

      it('gives no place to runs that are final or unknown', async () => {
        const id = await started({ task });
        await at.store.runs.takePlace(id, task, 5);
        await at.store.runs.append(id, 1, [ended]);
        expect(await at.store.runs.takePlace(id, task, 5)).toBe(false);
        expect(await at.store.runs.takePlace(nobody, task, 5)).toBe(false);
      });

      it('counts each task for itself, also for runs that are not its own', async () => {
        const [one, other] = [await started(), await started()];
        expect(await at.store.runs.takePlace(one, task, 1)).toBe(true);
        expect(await at.store.runs.takePlace(other, 'other-task' as TaskName, 1)).toBe(true);
        await at.store.runs.append(one, 1, [ended]);
        expect(await at.store.runs.takePlace(other, task, 1)).toBe(true);
      });
    });

    describe('removeOld', () => {
      const end = (id: RunId) => at.store.runs.append(id, 1, [ended]);

      it('forgets final runs created before a time with all that is known of them, oldest first', async () => {
        const ids: RunId[] = [];
        for (let count = 0; count < 5; count++) {
          ids.push(await started({ task, pool: 'big' }));
          at.clock.advance(1000);
        }
        for (const id of ids.slice(0, 4)) await at.store.runs.append(id, 1, [line('x')]);
        for (const id of [...ids.slice(0, 4)].reverse()) await end(id);
        await at.store.runs.keepPlan(ids[0]!, 'sealed');
        const before = (await at.store.runs.get(ids[3]!))!.createTime;
        expect(await at.store.runs.removeOld(before, 2)).toEqual(ids.slice(0, 2));
        expect(await at.store.runs.removeOld(before, 10)).toEqual([ids[2]]);
        expect(await at.store.runs.removeOld(before, 10)).toEqual([]);
        for (const id of ids.slice(0, 3)) {
          expect(await at.store.runs.get(id)).toBeUndefined();
          expect(await all(id)).toEqual([]);
          expect(await at.store.runs.findPlan(id)).toBeUndefined();
        }
        expect((await at.store.runs.list({ conditions: [], limit: 10 })).runs.map(({ runId }) => runId)).toEqual([
          ids[4],
          ids[3],
        ]);
        const conditions = [{ field: 'taskName', operator: 'eq', value: task }] as const;
        expect((await at.store.runs.list({ conditions, limit: 10 })).runs).toHaveLength(2);
        expect(await at.store.runs.listUnarchived()).toEqual([ids[3]]);
      });

      it('leaves runs that are not final, and archived ones until they are so no more', async () => {
        const [active, archived, early, other] = [await started(), await started(), await started(), await started()];
        await at.store.runs.setArchived(early, true);
        for (const id of [archived, early, other]) await end(id);
        await at.store.runs.setArchived(archived, true);
        at.clock.advance(1000);
        expect(await at.store.runs.removeOld(isoNow(), 10)).toEqual([other]);
        for (const id of [active, archived, early]) expect(await statusOf(id)).toBeDefined();
        await at.store.runs.setArchived(archived, false);
        expect(await at.store.runs.removeOld(isoNow(), 10)).toEqual([archived]);
      });

      it('never names a run anew, and lets an idempotency key make another run', async () => {
        const id = await started({ idempotencyKey: 'k' });
        await end(id);
        at.clock.advance(1);
        expect(await at.store.runs.removeOld(isoNow(), 10)).toEqual([id]);
        const again = await at.store.runs.create({
          runType: 'QuickBuild',
          request: (await queued()).request,
          idempotencyKey: 'k',
        });
        expect(again).toMatchObject({ created: true, run: { runId: 'ca3' } });
      });

      it('leaves nothing to find of what a run pushed', async () => {
        const id = await started();
        await at.store.runs.append(id, 1, [{ kind: 'image-pushed', step: build, image }, ended]);
        at.clock.advance(1);
        await at.store.runs.removeOld(isoNow(), 10);
        const conditions = [{ field: 'outputImageManifests', operator: 'contains', value: image.digest }] as const;
        expect(await at.store.runs.list({ conditions, limit: 5 })).toEqual({ runs: [] });
      });
    });
  });
}
