import { describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
import type { RunCondition } from '../../src/store/ports.ts';
import { nobody, build, digest, image, line, planned, ended, useStore, type OpenStore } from './fixtures.ts';

/** The part of the store's contract about leading runs to their end and finding them (src/store/ports.ts). */
export function describeRunStates(open: OpenStore): void {
  describe('leading runs to their end and finding them', () => {
    const { at, queued, started, statusOf } = useStore(open);

    describe('release', () => {
      it('puts a run back to Queued with its attempt, and the next worker gets the next one', async () => {
        const id = await started();
        await at.store.runs.release(id, 1);
        expect(await at.store.runs.get(id)).toMatchObject({ status: 'Queued', attempt: 1 });
        expect(await at.store.runs.begin(id, 'w2')).toMatchObject({ attempt: 2, worker: 'w2' });
      });

      it('is refused to an earlier attempt', async () => {
        const id = await started();
        await at.store.runs.begin(id, 'w2');
        await expect(at.store.runs.release(id, 1)).rejects.toMatchObject({ failure: { reason: 'conflict' } });
        await expect(at.store.runs.release(nobody, 1)).rejects.toMatchObject({ failure: { reason: 'conflict' } });
        expect(await statusOf(id)).toBe('Started');
      });
    });

    describe('cancel', () => {
      it('ends a waiting run at once', async () => {
        const { runId } = await queued();
        const run = await at.store.runs.requestCancel(runId, 'admin');
        expect(run).toMatchObject({ status: 'Canceled', cancelRequested: { by: 'admin' } });
        expect(await at.store.runs.get(runId)).toEqual(run);
        expect(await at.store.runs.listActive()).toEqual([]);
      });

      it('marks a running run, once, and tells every listener each time', async () => {
        const id = await started();
        const heard: RunId[] = [];
        const stop = await at.store.runs.onCancel((one) => heard.push(one));
        const first = await at.store.runs.requestCancel(id, 'admin');
        at.clock.advance(60_000);
        const second = await at.store.runs.requestCancel(id, 'other');
        expect(first).toMatchObject({ status: 'Started', cancelRequested: { by: 'admin' } });
        expect(second).toEqual(first);
        await expect.poll(() => heard).toEqual([id, id]);
        await stop();
        await at.store.runs.requestCancel(id, 'admin');
        expect(heard).toHaveLength(2);
      });

      it('keeps the mark through what the worker goes on writing', async () => {
        const id = await started();
        await at.store.runs.append(id, 1, [planned]);
        await at.store.runs.requestCancel(id, 'admin');
        await at.store.runs.append(id, 1, [{ kind: 'step-started', step: build }]);
        expect(await at.store.runs.get(id)).toMatchObject({ status: 'Running', cancelRequested: { by: 'admin' } });
      });

      it('has no effect on a final run, and knows an unknown one', async () => {
        const id = await started();
        await at.store.runs.append(id, 1, [ended]);
        expect(await at.store.runs.requestCancel(id, 'admin')).toMatchObject({ status: 'Succeeded' });
        expect(await at.store.runs.get(id)).not.toHaveProperty('cancelRequested');
        expect(await at.store.runs.requestCancel(nobody, 'admin')).toBeUndefined();
      });
    });

    describe('the plan of a run at work', () => {
      it('is kept, in place of an earlier one', async () => {
        const id = await started();
        expect(await at.store.runs.findPlan(id)).toBeUndefined();
        await at.store.runs.keepPlan(id, 'first');
        await at.store.runs.keepPlan(id, 'second');
        expect(await at.store.runs.findPlan(id)).toBe('second');
      });
    });

    describe('end', () => {
      it('ends a run whatever its attempt, so that its worker is refused', async () => {
        const id = await started({ sealedSecrets: 'sealed' });
        await at.store.runs.end(id, 'Error', 'the worker was lost');
        const run = await at.store.runs.get(id);
        expect(run).toMatchObject({ status: 'Error', runErrorMessage: 'the worker was lost' });
        expect(run).not.toHaveProperty('sealedSecrets');
        await expect(at.store.runs.append(id, 1, [line('x')])).rejects.toThrow();
      });

      it('has no effect on final and unknown runs', async () => {
        const id = await started();
        await at.store.runs.append(id, 1, [ended]);
        await at.store.runs.end(id, 'Error', 'too late');
        await at.store.runs.end(nobody, 'Error', 'nobody');
        expect(await statusOf(id)).toBe('Succeeded');
      });
    });

    describe('list', () => {
      const names = async (conditions: RunCondition[], limit = 10) =>
        (await at.store.runs.list({ conditions, limit })).runs.map(({ runId }) => runId);

      it('gives every run once, newest first, page by page', async () => {
        for (let count = 0; count < 7; count++) await queued();
        const seen: string[] = [];
        let after: string | undefined;
        let pages = 0;
        do {
          const page = await at.store.runs.list({ conditions: [], limit: 3, ...(after !== undefined && { after }) });
          seen.push(...page.runs.map(({ runId }) => runId));
          after = page.next;
          pages++;
          await queued();
        } while (after !== undefined);
        expect(seen).toEqual(['ca7', 'ca6', 'ca5', 'ca4', 'ca3', 'ca2', 'ca1']);
        expect(pages).toBe(3);
      });

      it('has no next page when the last run is on this one', async () => {
        for (let count = 0; count < 3; count++) await queued();
        expect(await at.store.runs.list({ conditions: [], limit: 3 })).not.toHaveProperty('next');
        expect(await at.store.runs.list({ conditions: [], limit: 2 })).toMatchObject({ next: 'ca2' });
      });

      it('pages through what the conditions let through', async () => {
        for (let count = 0; count < 6; count++) {
          const { runId } = await queued();
          if (count % 2 === 0) await at.store.runs.requestCancel(runId, 'admin');
        }
        const conditions: RunCondition[] = [{ field: 'status', operator: 'eq', value: 'Canceled' }];
        const first = await at.store.runs.list({ conditions, limit: 2 });
        expect(first.runs.map(({ runId }) => runId)).toEqual(['ca5', 'ca3']);
        const second = await at.store.runs.list({ conditions, limit: 2, after: first.next ?? '' });
        expect(second.runs.map(({ runId }) => runId)).toEqual(['ca1']);
        expect(second).not.toHaveProperty('next');
      });

      it('filters by status, name, time, archive and image', async () => {
        const one = await started();
        await at.store.runs.append(one, 1, [{ kind: 'image-pushed', step: build, image }]);
        at.clock.advance(60_000);
        const afterOne = new Date(at.clock.now()).toISOString();
        const two = (await queued()).runId;
        await at.store.runs.setArchived(two, true);
        expect(await names([{ field: 'status', operator: 'eq', value: 'queued' }])).toEqual([two]);
        expect(await names([{ field: 'runId', operator: 'eq', value: one }])).toEqual([one]);
        expect(await names([{ field: 'createTime', operator: 'lt', value: afterOne }])).toEqual([one]);
        expect(await names([{ field: 'createTime', operator: 'ge', value: '2026-11-21T18:00:30+09:00' }])).toEqual([
          two,
        ]);
        expect(await names([{ field: 'isArchiveEnabled', operator: 'eq', value: 'true' }])).toEqual([two]);
        const wanted = `team/app@${digest}`;
        expect(await names([{ field: 'outputImageManifests', operator: 'contains', value: wanted }])).toEqual([one]);
        expect(
          await names([
            { field: 'runType', operator: 'eq', value: 'QuickBuild' },
            { field: 'status', operator: 'ne', value: 'Queued' },
          ]),
        ).toEqual([one]);
      });

      it('is empty when there is nothing, or nothing before the start', async () => {
        expect(await at.store.runs.list({ conditions: [], limit: 5 })).toEqual({ runs: [] });
        await queued();
        expect(await at.store.runs.list({ conditions: [], limit: 5, after: 'ca1' })).toEqual({ runs: [] });
      });
    });

    describe('the lists for the sweeper', () => {
      it('has active runs, oldest first, until they are final, and final ones until their events are let go', async () => {
        const ids = [await started(), (await queued()).runId, await started()];
        expect((await at.store.runs.listActive()).map(({ runId }) => runId)).toEqual(ids);
        await at.store.runs.append(ids[2]!, 1, [ended]);
        await at.store.runs.requestCancel(ids[1]!, 'admin');
        expect((await at.store.runs.listActive()).map(({ runId }) => runId)).toEqual([ids[0]]);
        expect(await at.store.runs.listUnarchived()).toEqual([ids[1], ids[2]]);
        await at.store.events.expire(ids[1]!, 60);
        expect(await at.store.runs.listUnarchived()).toEqual([ids[2]]);
      });

      it('changes the archive flag of known runs alone', async () => {
        const id = await started();
        expect(await at.store.runs.setArchived(id, true)).toMatchObject({ isArchiveEnabled: true });
        expect(await at.store.runs.get(id)).toMatchObject({ isArchiveEnabled: true, status: 'Started' });
        expect(await at.store.runs.setArchived(nobody, true)).toBeUndefined();
      });
    });
  });
}
