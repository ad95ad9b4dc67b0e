import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CampaignNode, NodeState } from '../../../src/domain/campaign.ts';
import type { RunId } from '../../../src/domain/run.ts';
import type { CampaignTask } from '../../../src/patch/desk/ports.ts';
import { arrangeNodes, estimateRemaining } from '../../../src/patch/desk/progress.ts';
import { taskName } from '../campaign/world.ts';

const now = Date.parse('2026-11-21T09:00:00.000Z');

function node(name: string, needs: readonly string[] = [], more: Partial<CampaignNode> = {}): CampaignNode {
  const state: NodeState = { kind: 'waiting' };
  return {
    ...{ task: taskName(name), wave: 9, needs: needs.map(taskName), bases: [], before: [], after: [], tries: 0 },
    ...{ state, durationMs: 10_000, ...more },
  };
}

const arrange = (nodes: readonly CampaignNode[]) =>
  arrangeNodes(nodes).map(({ task, level }) => `${String(level)} ${task.slice(5)}`);

const remaining = (nodes: readonly CampaignTask[], concurrency = 10) =>
  estimateRemaining({ status: 'Running' }, nodes, { now, concurrency });

function running(name: string, agoMs: number, more: Partial<CampaignNode> = {}): CampaignTask {
  const runId = 'r1' as RunId;
  const startTime = new Date(now - agoMs).toISOString();
  const state: NodeState = { kind: 'running', runId };
  return { ...node(name, [], { ...more, state }), level: 0, run: { runId, status: 'Running', startTime } };
}

describe('the tasks of a campaign', () => {
  it('stand in the order of their levels, and by name within one, whatever case they are written in', () => {
    expect(arrange([node('c', ['b', 'a']), node('B', ['a']), node('a'), node('A2')])).toEqual([
      '0 a',
      '0 A2',
      '1 B',
      '2 c',
    ]);
  });

  it('are all there, also when some need each other or what is not there', () => {
    expect(arrange([node('a', ['b']), node('b', ['a']), node('c', ['gone']), node('d', ['a'])])).toEqual([
      '0 c',
      '1 a',
      '1 b',
      '1 d',
    ]);
    const anyNode = fc.record({
      name: fc.integer({ min: 0, max: 20 }).map(String),
      needs: fc.array(fc.integer({ min: 0, max: 20 }).map(String), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(anyNode, { selector: ({ name }) => name }), (wanted) => {
        const arranged = arrangeNodes(wanted.map(({ name, needs }) => node(name, needs)));
        expect(arranged.map(({ task }) => task).sort()).toEqual(wanted.map(({ name }) => taskName(name)).sort());
      }),
    );
  });
});

describe('what a campaign takes yet', () => {
  const task = (...words: Parameters<typeof node>): CampaignTask => ({ ...node(...words), level: 0 });

  it('is the longest way through what has not ended, with as many at a time as there are places', () => {
    const waiting = [task('a'), task('b'), task('c', ['a', 'b'])];
    expect(remaining(waiting)).toBe(20_000);
    expect(remaining(waiting, 1)).toBe(30_000);
    expect(remaining([task('a', [], { state: { kind: 'unneeded' } }), task('c', ['a'])])).toBe(10_000);
  });

  it('is less by what runs have had, and never nothing while one is at work', () => {
    expect(remaining([running('a', 4000)])).toBe(6000);
    expect(remaining([running('a', 60_000)])).toBe(1000);
  });

  it('is nothing that is said of one that is over', () => {
    for (const status of ['Succeeded', 'Failed', 'Canceled'] as const)
      expect(estimateRemaining({ status }, [], { now, concurrency: 1 })).toBeUndefined();
    expect(remaining([])).toBe(0);
  });
});
