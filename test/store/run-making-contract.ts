import { describe, expect, it } from 'vitest';
import type { Run } from '../../src/domain/run.ts';
import type { TaskName } from '../../src/domain/task.ts';
import type { NewRun, RunCondition } from '../../src/store/ports.ts';
import { aRequest } from '../rig/runs.ts';
import { aNewRun, useStore, type OpenStore } from './fixtures.ts';

/** The part of the store's contract about making many runs at once (src/store/ports.ts). */
export function describeRunMaking(open: OpenStore): void {
  describe('making many runs at once', () => {
    const { at, queued, started, all } = useStore(open);
    const created = async (list: readonly Partial<NewRun>[]) =>
      at.store.runs.createMany(list.map((change) => aNewRun(change)));

    it('makes the same records, events and places in lists as create does for each', async () => {
      const changes: Partial<NewRun>[] = [
        { sealedSecrets: 'sealed', idempotencyKey: 'k1' },
        { task: 'Build-App' as TaskName, maxConcurrent: 2, cause: { kind: 'manual', by: 'admin' } },
        {
          task: 'build-app' as TaskName,
          pool: 'gpu',
          runType: 'AutoBuild',
          request: aRequest({ isArchiveEnabled: true }),
        },
        {},
      ];
      const one: Run[] = [];
      for (const { idempotencyKey: _, ...change } of changes) one.push(await queued(change));
      const many = await created(changes);
      const named = one.map((run, index) => ({ ...run, runId: many[index]?.run.runId }));
      expect(many).toEqual(named.map((run) => ({ run, created: true })));
      expect(many.map(({ run }) => run.runId)).toEqual(['ca5', 'ca6', 'ca7', 'ca8']);
      const read = async ({ runId }: Run) => ({
        ...(await at.store.runs.get(runId)),
        runId: '',
        events: await all(runId),
      });
      expect(await Promise.all(many.map(({ run }) => read(run)))).toEqual(await Promise.all(one.map(read)));
      const conditions: RunCondition[][] = [
        [{ field: 'taskName', operator: 'eq', value: 'build-app' }],
        [{ field: 'agentPoolName', operator: 'eq', value: 'gpu' }],
        [{ field: 'runType', operator: 'eq', value: 'AutoBuild' }],
        [{ field: 'status', operator: 'eq', value: 'Queued' }],
        [{ field: 'isArchiveEnabled', operator: 'eq', value: 'true' }],
      ];
      const found = conditions.map((list) => at.store.runs.list({ conditions: list, limit: 10 }));
      expect((await Promise.all(found)).map(({ runs }) => runs.map(({ runId }) => runId))).toEqual([
        ['ca7', 'ca6', 'ca3', 'ca2'],
        ['ca7', 'ca3'],
        ['ca7', 'ca3'],
        ['ca8', 'ca7', 'ca6', 'ca5', 'ca4', 'ca3', 'ca2', 'ca1'],
        ['ca7', 'ca3'],
      ]);
      expect((await at.store.runs.listActive()).length).toBe(8);
    });

    it('comes to the runs that keys had made before, as they are now, also twice in one call', async () => {
      const id = await started({ idempotencyKey: 'old' });
      const many = await created([{}, { idempotencyKey: 'old' }, { idempotencyKey: 'new' }, { idempotencyKey: 'new' }]);
      expect(many.map(({ run, created: isNew }) => [run.runId, run.status, isNew])).toEqual([
        ['ca2', 'Queued', true],
        [id, 'Started', false],
        ['ca3', 'Queued', true],
        ['ca3', 'Queued', false],
      ]);
      const again = await created([{ idempotencyKey: 'new' }, { idempotencyKey: 'old' }]);
      expect(again.map(({ run, created: isNew }) => [run.runId, isNew])).toEqual([
        ['ca3', false],
        [id, false],
      ]);
    });

    it('makes many more than fit in one message, in their order, and none of none', async () => {
      expect(await created([])).toEqual([]);
      const keys = Array.from({ length: 901 }, (_, index) => ({
        idempotencyKey: `k${index}`,
        task: `t${index}` as TaskName,
      }));
      const first = await created(keys);
      expect(first.map(({ run }) => run.task)).toEqual(keys.map(({ task }) => task));
      expect(new Set(first.map(({ run }) => run.runId)).size).toBe(901);
      expect((await created(keys)).map(({ run }) => run.runId)).toEqual(first.map(({ run }) => run.runId));
      expect((await at.store.runs.listActive()).map(({ runId }) => runId)).toEqual(first.map(({ run }) => run.runId));
    });

    it('makes one run of each key for calls at the same time', async () => {
      const keys = Array.from({ length: 300 }, (_, index) => ({ idempotencyKey: `k${index}` }));
      const calls = await Promise.all([created(keys), created([...keys].reverse()), created(keys)]);
      const isNew = calls.flat().filter((one) => one.created);
      expect(isNew.length).toBe(300);
      expect((await at.store.runs.listActive()).length).toBe(300);
    });
  });
}
