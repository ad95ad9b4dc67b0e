import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepId } from '../../../src/domain/step.ts';
import { heaviestApart } from '../../../src/runner/docker/limits/heaviest.ts';
import { shareOut, type Sharer, type Whole } from '../../../src/runner/docker/limits/shares.ts';

interface Drawn {
  readonly needs: readonly number[];
  readonly stays: boolean;
  readonly demand: number | undefined;
}

/** Steps by their numbers, each needing some above it. */
function sharersOf(drawn: readonly Drawn[]): readonly Sharer[] {
  const all: Sharer[] = [];
  for (const [index, { needs, stays, demand }] of drawn.entries()) {
    const above = needs.flatMap((need) => (need < index ? [all[need]] : [])).filter((one) => one !== undefined);
    const ancestors = new Set(above.flatMap((one) => [one.id, ...one.ancestors]));
    all.push({ id: String(index) as StepId, ancestors, stays, demand });
  }
  return all;
}

const step = (needs: readonly number[], demand?: number, stays = false): Drawn => ({ needs, stays, demand });
const whole = (change: Partial<Whole> = {}): Whole => ({ total: 1200, least: 1, maxParallel: undefined, ...change });

function share(drawn: readonly Drawn[], change?: Partial<Whole>): readonly number[] | string {
  const shares = shareOut(sharersOf(drawn), whole(change));
  return shares.ok ? [...shares.of.values()] : `${shares.fault.kind} ${shares.fault.id}`;
}

describe('what a run may have', () => {
  it('is all for each of the steps that follow one another', () => {
    expect(share([step([]), step([0]), step([1])])).toEqual([1200, 1200, 1200]);
  });

  it('is shared by those that may be side by side', () => {
    expect(share([step([]), step([]), step([])])).toEqual([400, 400, 400]);
    expect(share([step([]), step([0]), step([0]), step([1, 2])])).toEqual([1200, 600, 600, 1200]);
    expect(share([step([]), step([]), step([]), step([])], { maxParallel: 2 })).toEqual([600, 600, 600, 600]);
    expect(share([step([]), step([])], { maxParallel: 1 })).toEqual([1200, 1200]);
  });

  it('goes to the steps that ask for something first', () => {
    expect(share([step([], 1000), step([]), step([])])).toEqual([1000, 100, 100]);
    expect(share([step([], 1000), step([0]), step([0])])).toEqual([1000, 600, 600]);
  });

  it('is shared with services until the end', () => {
    expect(share([step([], undefined, true), step([0]), step([1])])).toEqual([600, 600, 600]);
    expect(share([step([]), step([0], 200, true), step([1])])).toEqual([1200, 200, 1000]);
    expect(share([step([], 200, true), step([0], 200, true), step([1])], { maxParallel: 1 })).toEqual([200, 200, 800]);
  });

  it('knows that of long branches only one step each is at work', () => {
    expect(share([step([]), step([]), step([0]), step([1]), step([2])])).toEqual([600, 600, 600, 600, 600]);
  });

  it('is refused to who asks for too much, alone or beside others, and is not cut into nothing', () => {
    expect(share([step([]), step([], 1201)])).toBe('too-much 1');
    expect(share([step([], 700), step([], 700)])).toBe('too-much-beside 0');
    expect(share([step([], 700), step([0], 700)])).toEqual([700, 700]);
    expect(share([step([], 1195), step([])], { least: 10 })).toBe('too-little 1');
  });

  it('is shared among hundreds of steps in no time', () => {
    const layered = Array.from({ length: 200 }, (_, n) =>
      step(n < 20 ? [] : [n - 20, n - 20 + ((n * 7) % 20 === 19 ? 0 : 1)]),
    );
    const began = performance.now();
    expect(share(layered, { total: 1_000_000 })).toHaveLength(200);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

const drawing = fc.array(
  fc.record({
    needs: fc.array(fc.nat(9), { maxLength: 3 }),
    stays: fc.boolean(),
    demand: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 9 },
);

/** All sets of steps that may be at work at the same time. */
function setsOf(sharers: readonly Sharer[], maxParallel = Number.POSITIVE_INFINITY): readonly (readonly Sharer[])[] {
  const isOver = (one: Sharer, other: Sharer): boolean => !one.stays && other.ancestors.has(one.id);
  return Array.from({ length: 2 ** sharers.length }, (_, bits) => sharers.filter((__, n) => (bits >> n) & 1)).filter(
    (set) =>
      set.every((one) => set.every((other) => !isOver(one, other))) &&
      set.filter(({ stays }) => !stays).length <= maxParallel,
  );
}

describe('shares of any plan', () => {
  const parallel = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined });

  it('never come to more than the whole for steps that may be at work at the same time', () => {
    fc.assert(
      fc.property(drawing, parallel, (drawn, maxParallel) => {
        const sharers = sharersOf(drawn);
        const shares = shareOut(sharers, whole({ maxParallel }));
        if (!shares.ok) return;
        for (const set of setsOf(sharers, maxParallel)) {
          expect(set.reduce((sum, { id }) => sum + (shares.of.get(id) ?? 0), 0)).toBeLessThanOrEqual(1200);
        }
      }),
    );
  });

  it('are refused only where steps that may be at work at the same time really ask for too much', () => {
    fc.assert(
      fc.property(drawing, (drawn) => {
        const sharers = sharersOf(drawn);
        const most = Math.max(...setsOf(sharers).map((set) => set.reduce((sum, { demand = 0 }) => sum + demand, 0)));
        const shares = shareOut(sharers, whole({ least: 0 }));
        expect(shares.ok).toBe(most <= 1200);
      }),
    );
  });

  it('rest on the heaviest of all sets of which none is before another', () => {
    const weights = fc.array(fc.nat(20), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(drawing, weights, (drawn, given) => {
        const sharers = sharersOf(drawn.map((one) => ({ ...one, stays: false })));
        const weigh = (set: readonly Sharer[]): number =>
          set.reduce((sum, { id }) => sum + (given[Number(id)] ?? 0), 0);
        const order = (one: number, other: number): boolean =>
          sharers[other]?.ancestors.has(String(one) as StepId) ?? false;
        expect(heaviestApart(given.slice(0, sharers.length), order)).toBe(Math.max(...setsOf(sharers).map(weigh)));
      }),
    );
  });
});
