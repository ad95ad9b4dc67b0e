import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { RunEvent } from '../../src/domain/event.ts';
import type { Run, RunType } from '../../src/domain/run.ts';
import type { TaskName } from '../../src/domain/task.ts';
import type { RunCondition, RunPage } from '../../src/store/ports.ts';
import { meetsAll } from '../../src/store/run-conditions.ts';
import { build, ended, image, planned, useStore, type OpenStore } from './fixtures.ts';

const digestOf = (letter: string) => `sha256:${letter.repeat(64)}` as Digest;
const types: readonly RunType[] = ['QuickBuild', 'QuickRun', 'AutoBuild', 'AutoRun'];
const tasks = [undefined, 'Build-App', 'nightly'] as readonly (TaskName | undefined)[];
const failed: RunEvent = { kind: 'run-ended', status: 'Failed' };
const pools = [undefined, 'Big', 'default'];

/** Single conditions of every kind; each pair of them is a filter too. Times lie within and outside of {@link hours}. */
const conditions: readonly RunCondition[] = (
  [
    ['runId', 'eq', 'ca7'],
    ['runId', 'eq', 'none of ours'],
    ['runId', 'ge', 'cah'],
    ['runId', 'lt', 'cah'],
    ['runId', 'contains', '1'],
    ['taskName', 'eq', 'build-APP'],
    ['taskName', 'eq', ''],
    ['taskName', 'ne', 'build-app'],
    ['taskName', 'contains', 'GHT'],
    ['agentPoolName', 'eq', 'big'],
    ['agentPoolName', 'eq', 'Default'],
    ['agentPoolName', 'ne', 'default'],
    ['status', 'eq', 'failed'],
    ['status', 'eq', 'Queued'],
    ['status', 'eq', 'no status'],
    ['status', 'ne', 'Succeeded'],
    ['runType', 'eq', 'autorun'],
    ['runType', 'ne', 'QuickBuild'],
    ['createTime', 'ge', '2026-11-21T15:00:00Z'],
    ['createTime', 'lt', '2026-11-21T15:00:00Z'],
    ['createTime', 'gt', '2027-01-01'],
    ['createTime', 'eq', '2026-11-21T12:00:00Z'],
    ['createTime', 'lt', 'no time'],
    ['finishTime', 'le', '2026-11-21T14:00:00Z'],
    ['finishTime', 'ne', '2026-11-21T14:00:00Z'],
    ['isArchiveEnabled', 'eq', 'True'],
    ['isArchiveEnabled', 'eq', 'false'],
    ['outputImageManifests', 'contains', `team/app@${digestOf('b')}`],
    ['outputImageManifests', 'ne', `team/app@${digestOf('b')}`],
    ['outputImageManifests', 'contains', 'app:v1'],
  ] as const
).map(([field, operator, value]) => ({ field, operator, value }));

/** The part of the store's contract about lists with conditions: each comes to what the conditions say of every single run. */
export function describeRunFilters(open: OpenStore): void {
  describe('lists with conditions', () => {
    const { at, queued } = useStore(open);

    /** One run an hour, of every kind, in every state. */
    async function addRun(index: number): Promise<void> {
      const [task, pool] = [tasks[index % 3], pools[Math.floor(index / 2) % 3]];
      const { runId } = await queued({
        runType: types[index % 4]!,
        ...(task !== undefined && { task }),
        ...(pool !== undefined && { pool }),
      });
      at.clock.advance(20 * 60_000);
      const { runs } = at.store;
      if (index % 7 === 0) await runs.setArchived(runId, true);
      if (index % 5 > 0) await runs.begin(runId, 'w1');
      if (index % 5 > 1) await runs.append(runId, 1, [planned]);
      const pushed = { ...image, digest: digestOf(index % 2 === 0 ? 'b' : 'c') };
      if (index % 5 > 2) await runs.append(runId, 1, [{ kind: 'image-pushed', step: build, image: pushed }]);
      if (index % 5 > 3) await runs.append(runId, 1, [index % 3 === 0 ? failed : ended]);
      at.clock.advance(40 * 60_000);
    }

    async function listAll(wanted: readonly RunCondition[], limit: number): Promise<Run[]> {
      const found: Run[] = [];
      let page: RunPage | undefined;
      do {
        const from: { after?: string } = page?.next === undefined ? {} : { after: page.next };
        page = await at.store.runs.list({ conditions: wanted, limit, ...from });
        expect(page.runs.length).toBeLessThanOrEqual(limit);
        found.push(...page.runs);
      } while (page.next !== undefined);
      return found;
    }

    it('give every run that meets them once, newest first, whatever they are', async () => {
      for (let index = 0; index < 40; index++) await addRun(index);
      const every = await listAll([], 9);
      expect(every).toHaveLength(40);
      for (const [index, one] of conditions.entries()) {
        for (const other of conditions.slice(index)) {
          const wanted = one === other ? [one] : [one, other];
          const expected = every.filter((run) => meetsAll(run, wanted)).map(({ runId }) => runId);
          const found = await listAll(wanted, 6);
          expect(
            found.map(({ runId }) => runId),
            JSON.stringify(wanted),
          ).toEqual(expected);
        }
      }
    }, 30_000);

    it('follow a run through its states', async () => {
      const { runId } = await queued();
      const has = async (status: string) =>
        (await listAll([{ field: 'status', operator: 'eq', value: status }], 5)).length === 1;
      const { runs } = at.store;
      expect([await has('Queued'), await has('Started')]).toEqual([true, false]);
      await runs.begin(runId, 'w1');
      expect([await has('Queued'), await has('Started')]).toEqual([false, true]);
      await runs.release(runId, 1);
      expect([await has('Queued'), await has('Started')]).toEqual([true, false]);
      await runs.begin(runId, 'w1');
      await runs.append(runId, 2, [planned]);
      expect([await has('Started'), await has('Running')]).toEqual([false, true]);
      await runs.append(runId, 2, [ended]);
      expect([await has('Running'), await has('Succeeded')]).toEqual([false, true]);
    });
  });
}
