import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BaseUpdate } from '../../src/domain/base-image.ts';
import type {
  BoardChange,
  Campaign,
  CampaignBoard,
  CampaignNode,
  CampaignStatus,
  NodeState,
} from '../../src/domain/campaign.ts';
import type { TaskName } from '../../src/domain/task.ts';
import { node as image } from './base-image-store-contract.ts';
import { useStore, type OpenStore } from './fixtures.ts';

const createTime = '2026-11-21T09:00:00.000Z';

export function anUpdate(id: string): BaseUpdate {
  return { id, image: image('20'), at: createTime, source: 'registry' };
}

/** A campaign that has begun. */
export function aCampaign(id: string, more: Partial<Campaign> = {}): Campaign {
  return {
    id,
    status: 'Running',
    createTime,
    updates: [anUpdate(`update of ${id}`)],
    cycles: [],
    policy: { concurrency: 2, retries: 1, retryBudget: 3, breakerAfter: 3 },
    retriesUsed: 0,
    waitsFor: [],
    counts: {},
    ...more,
  };
}

/** A task in a campaign. */
export function aNode(task: string, kind: 'waiting' | 'running' | 'canceled' = 'waiting', tries = 0): CampaignNode {
  const state: NodeState = { kind };
  return { task: task as TaskName, wave: 9, needs: [], bases: [], before: [image('1')], after: [], tries, state };
}

/** Writes campaigns, and nodes of them. */
export function aChange(
  campaigns: readonly Campaign[],
  nodes: Readonly<Record<string, readonly CampaignNode[]>> = {},
): BoardChange {
  return { campaigns, nodes: new Map(Object.entries(nodes)) };
}

/** A board as plain data, in the order of its campaigns. */
export function plain(board: CampaignBoard | undefined) {
  const campaigns = [...(board?.campaigns.values() ?? [])];
  const sorted = campaigns.map(({ campaign, nodes }) => [campaign, Object.fromEntries(nodes)] as const);
  return { version: board?.version, nextNumber: board?.nextNumber, campaigns: sorted };
}

const over = { status: 'Succeeded', finishTime: '2026-11-21T10:00:00.000Z' } as const;

/** The part of the store's contract about campaigns (src/store/ports.ts). */
export function describeCampaignStore(open: OpenStore): void {
  describe('campaigns', () => {
    const { at } = useStore(open);
    const nodesOf = async (id: string) =>
      Object.fromEntries((await at.store.campaigns.nodes(id)).map((each) => [each.task, each]));

    it('are on a board with their nodes, by one version for all', async () => {
      const { campaigns } = at.store;
      expect(await campaigns.readBoard(0)).toBeUndefined();
      expect(plain(await campaigns.readBoard())).toEqual({ version: 0, nextNumber: 1, campaigns: [] });
      const two = aCampaign('cp2', { status: 'Queued', waitsFor: ['cp1'] });
      const change = aChange([two, aCampaign('cp1')], { cp1: [aNode('App-A'), aNode('app-b')], cp2: [] });
      expect(await campaigns.commit(0, change)).toBe(true);
      const board = await campaigns.readBoard(0);
      const nodes = { 'app-a': aNode('App-A'), 'app-b': aNode('app-b') };
      const expected = [[aCampaign('cp1'), nodes] as const, [two, {}] as const];
      expect(plain(board)).toEqual({ version: 1, nextNumber: 3, campaigns: expected });
      expect([...board!.campaigns.keys()]).toEqual(['cp1', 'cp2']);
      expect(await campaigns.readBoard(1)).toBeUndefined();
      expect(plain(await campaigns.readBoard())).toEqual(plain(board));
    });

    it('are changed in parts, and what was read before stays as it was', async () => {
      const { campaigns } = at.store;
      await campaigns.commit(0, aChange([aCampaign('cp1')], { cp1: [aNode('app-a'), aNode('app-b')] }));
      const before = await campaigns.readBoard();
      const copy = plain(before);
      expect(await campaigns.commit(1, aChange([], { cp1: [aNode('APP-A', 'running')] }))).toBe(true);
      expect(await campaigns.commit(2, aChange([aCampaign('cp1', { retriesUsed: 1 })]))).toBe(true);
      expect(plain(before)).toEqual(copy);
      const nodes = { 'app-a': aNode('APP-A', 'running'), 'app-b': aNode('app-b') };
      const board = await campaigns.readBoard(1);
      expect(plain(board)).toEqual({
        version: 3,
        nextNumber: 2,
        campaigns: [[aCampaign('cp1', { retriesUsed: 1 }), nodes]],
      });
      expect(await nodesOf('cp1')).toEqual({ 'APP-A': nodes['app-a'], 'app-b': nodes['app-b'] });
    });

    it('are written by one of many who decided on the same board, and by the others not even in part', async () => {
      const { campaigns } = at.store;
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          campaigns.commit(
            0,
            aChange([aCampaign('cp1', { because: `${n}` }), aCampaign(`cp${n + 2}`)], { cp1: [aNode(`task-${n}`)] }),
          ),
        ),
      );
      expect(outcomes.filter(Boolean)).toHaveLength(1);
      const winner = outcomes.indexOf(true);
      const board = await campaigns.readBoard();
      expect(plain(board)).toMatchObject({ version: 1, nextNumber: winner + 3 });
      expect([...board!.campaigns.keys()]).toEqual(['cp1', `cp${winner + 2}`]);
      expect(await nodesOf('cp1')).toEqual({ [`task-${winner}`]: aNode(`task-${winner}`) });
      const found = await Promise.all(
        Array.from({ length: 10 }, (_, n) => campaigns.findByUpdate(`update of cp${n + 2}`)),
      );
      expect(found.filter((id) => id !== undefined)).toEqual([`cp${winner + 2}`]);
      expect((await campaigns.list({ limit: 20 })).campaigns).toHaveLength(2);
    });

    it('are not written where the board is at another version, earlier or later', async () => {
      const { campaigns } = at.store;
      expect(await campaigns.commit(1, aChange([aCampaign('cp1')]))).toBe(false);
      await campaigns.commit(0, aChange([]));
      expect(await campaigns.commit(0, aChange([aCampaign('cp1')]))).toBe(false);
      expect(plain(await campaigns.readBoard())).toEqual({ version: 1, nextNumber: 1, campaigns: [] });
      expect(await campaigns.get('cp1')).toBeUndefined();
    });

    it('leave the board when they are over, and come back with all their nodes when they are reopened', async () => {
      const { campaigns } = at.store;
      const nodes = [aNode('app-a'), aNode('app-b')];
      await campaigns.commit(0, aChange([aCampaign('cp1'), aCampaign('cp2')], { cp1: nodes }));
      await campaigns.readBoard();
      await campaigns.commit(1, aChange([aCampaign('cp1', over)], { cp1: [aNode('app-b', 'canceled')] }));
      expect([...(await campaigns.readBoard(1))!.campaigns.keys()]).toEqual(['cp2']);
      expect(await campaigns.get('cp1')).toEqual(aCampaign('cp1', over));
      expect(await nodesOf('cp1')).toEqual({ 'app-a': aNode('app-a'), 'app-b': aNode('app-b', 'canceled') });
      await campaigns.commit(2, aChange([aCampaign('cp1')], { cp1: [aNode('app-b', 'waiting', 1)] }));
      const board = await campaigns.readBoard(2);
      expect([...board!.campaigns.keys()]).toEqual(['cp1', 'cp2']);
      expect(Object.fromEntries(board!.campaigns.get('cp1')!.nodes)).toEqual({
        'app-a': aNode('app-a'),
        'app-b': aNode('app-b', 'waiting', 1),
      });
      expect(board?.nextNumber).toBe(3);
    });

    it('that never were on the board are kept too, and their number is not given again', async () => {
      const { campaigns } = at.store;
      await campaigns.commit(0, aChange([aCampaign('cp12', over)], { cp12: [aNode('app-a')] }));
      expect(plain(await campaigns.readBoard())).toEqual({ version: 1, nextNumber: 13, campaigns: [] });
      expect(await campaigns.get('cp12')).toEqual(aCampaign('cp12', over));
    });

    it('are found by the updates that they have taken up', async () => {
      const { campaigns } = at.store;
      const first = anUpdate('docker.io/library/node:20@sha256:a#1');
      expect(await campaigns.findByUpdate(first.id)).toBeUndefined();
      await campaigns.commit(0, aChange([aCampaign('cp1', { updates: [first] })]));
      await campaigns.commit(1, aChange([aCampaign('cp1', { updates: [first, anUpdate('second')] })]));
      await campaigns.commit(2, aChange([aCampaign('cp1', { ...over, updates: [first, anUpdate('second')] })]));
      expect(await campaigns.findByUpdate(first.id)).toBe('cp1');
      expect(await campaigns.findByUpdate('second')).toBe('cp1');
      expect(await campaigns.findByUpdate('third')).toBeUndefined();
    });

    it('are listed by their numbers, newest first, page by page', async () => {
      const { campaigns } = at.store;
      expect(await campaigns.list({ limit: 3 })).toEqual({ campaigns: [] });
      const ids = Array.from({ length: 12 }, (_, n) => `cp${n + 1}`);
      await campaigns.commit(0, aChange(ids.map((id) => aCampaign(id, id === 'cp3' ? over : {}))));
      const first = await campaigns.list({ limit: 5 });
      expect(first.campaigns.map(({ id }) => id)).toEqual(['cp12', 'cp11', 'cp10', 'cp9', 'cp8']);
      await campaigns.commit(1, aChange([aCampaign('cp13')]));
      const second = await campaigns.list({ limit: 5, after: first.next ?? '' });
      expect(second.campaigns.map(({ id }) => id)).toEqual(['cp7', 'cp6', 'cp5', 'cp4', 'cp3']);
      const third = await campaigns.list({ limit: 5, after: second.next ?? '' });
      expect(third).toEqual({ campaigns: [aCampaign('cp2'), aCampaign('cp1')] });
      expect(await campaigns.list({ limit: 5, after: 'cp1' })).toEqual({ campaigns: [] });
    });

    it('are forgotten when they were over long ago, those first that were over first', async () => {
      const { campaigns } = at.store;
      const overAt = (id: string, finishTime: string, status: CampaignStatus = 'Failed') =>
        aCampaign(id, { status, finishTime });
      const change = aChange(
        [
          overAt('cp1', '2026-11-03T00:00:00.000Z'),
          overAt('cp2', '2026-11-01T00:00:00.000Z', 'Canceled'),
          overAt('cp3', '2026-11-02T00:00:00.000Z'),
          overAt('cp4', '2026-11-04T00:00:00.000Z'),
          aCampaign('cp5'),
        ],
        { cp2: [aNode('app-a')], cp5: [aNode('app-a')] },
      );
      await campaigns.commit(0, change);
      expect(await campaigns.removeOld('2026-11-01T00:00:00.000Z', 10)).toBe(0);
      expect(await campaigns.readBoard(1)).toBeUndefined();
      expect(await campaigns.removeOld('2026-11-04T00:00:00.000Z', 2)).toBe(2);
      expect((await campaigns.list({ limit: 9 })).campaigns.map(({ id }) => id)).toEqual(['cp5', 'cp4', 'cp1']);
      expect(await campaigns.nodes('cp2')).toEqual([]);
      expect(await campaigns.commit(1, aChange([aCampaign('cp2')]))).toBe(false);
      expect(await campaigns.removeOld('2026-11-04T00:00:00.000Z', 10)).toBe(1);
      const board = await campaigns.readBoard(1);
      expect(plain(board)).toMatchObject({ version: 3, nextNumber: 6, campaigns: [[{ id: 'cp5' }, {}]] });
      expect(board?.campaigns.get('cp5')?.nodes.size).toBe(1);
      expect(await campaigns.findByUpdate('update of cp2')).toBe('cp2');
    });

    it('refuse nodes of a campaign that there is not, and ids that are none, and write nothing then', async () => {
      const { campaigns } = at.store;
      await expect(campaigns.commit(0, aChange([aCampaign('cp1')], { cp7: [aNode('app-a')] }))).rejects.toThrow();
      await expect(campaigns.commit(0, aChange([aCampaign('seven')]))).rejects.toThrow();
      expect(plain(await campaigns.readBoard())).toEqual({ version: 0, nextNumber: 1, campaigns: [] });
      expect(await campaigns.get('cp1')).toBeUndefined();
      expect(await campaigns.nodes('cp7')).toEqual([]);
    });
  });
}

interface Act {
  readonly id: number;
  readonly status: CampaignStatus;
  readonly tasks: readonly number[];
  /** Whether the writer has seen the board. */
  readonly isStale: boolean;
  readonly reads: boolean;
}

const act: fc.Arbitrary<Act> = fc.record({
  id: fc.integer({ min: 1, max: 4 }),
  status: fc.constantFrom('Queued', 'Running', 'Held', 'Succeeded', 'Canceled'),
  tasks: fc.uniqueArray(fc.integer({ min: 0, max: 90 }), { maxLength: 90, size: 'max' }),
  isStale: fc.boolean(),
  reads: fc.boolean(),
});

/** Histories of a board, for comparing one store with another. */
export const history = fc.array(act, { maxLength: 25 });

/** What an act writes. */
export function changeOf({ id, status, tasks }: Act, round: number): BoardChange {
  const name = `cp${id}`;
  const campaign = aCampaign(name, { status, retriesUsed: round });
  const nodes = tasks.map((task) => aNode(`Task-${task}`, 'waiting', round));
  return aChange([campaign], tasks.length > 0 ? { [name]: nodes } : {});
}
