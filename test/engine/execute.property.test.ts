import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { BuildStep, Plan, Step, StepId } from '../../src/domain/step.ts';
import { executePlan } from '../../src/engine/execute.ts';
import { stop } from '../../src/engine/stop.ts';
import { aPlan, aStep } from '../rig/steps.ts';
import { failed, settle, succeeded } from './tries.ts';

const timedOut: Outcome = { kind: 'timed-out', afterMs: 1 };
const outcomes = fc.oneof(
  { weight: 4, arbitrary: fc.constant(succeeded) },
  { weight: 2, arbitrary: fc.constantFrom(failed(1), failed(2), failed(), timedOut) },
);
const codes = fc.option(fc.uniqueArray(fc.constantFrom(0, 1, 2), { maxLength: 2 }), { nil: undefined, freq: 5 });

/** One step: which of those above it needs (as bits), its conditions, and what it comes to. */
const nodes = fc.record({
  needs: fc.nat(255),
  runOn: fc.constantFrom('success' as const, 'success' as const, 'failure' as const, 'always' as const),
  exitedWith: codes,
  exitedWithout: codes,
  ignoreErrors: fc.boolean(),
  outcome: outcomes,
});
type Node = typeof nodes extends fc.Arbitrary<infer T> ? T : never;

function planOf(drawn: readonly Node[]): Plan {
  return aPlan(
    ...drawn.map(({ needs, outcome: _, exitedWith, exitedWithout, ...rest }, index) => {
      const change: Partial<BuildStep> = {
        ...rest,
        ...(exitedWith && { exitedWith }),
        ...(exitedWithout && { exitedWithout }),
      };
      const above = drawn.slice(0, index).flatMap((_node, at) => ((needs >> at) & 1 ? [`s${at}`] : []));
      return aStep(`s${index}`, above, change);
    }),
  );
}

type Entry =
  | { readonly kind: 'start'; readonly id: StepId }
  | { readonly kind: 'end'; readonly id: StepId; readonly outcome: Outcome }
  | { readonly kind: 'cancel' };

interface Draw {
  readonly drawn: readonly Node[];
  /** Which of the running steps ends next. */
  readonly picks: readonly number[];
  /** After how many ends the run is canceled. */
  readonly cancelAfter: number | undefined;
  readonly maxParallel: number | undefined;
}

/** Runs a plan in which stopped steps take their time to end; says all that happened, and the most steps that ran at once. */
async function play({ drawn, picks, cancelAfter, maxParallel }: Draw) {
  const plan = planOf(drawn);
  const log: Entry[] = [];
  const running = new Map<StepId, { readonly signal: AbortSignal; readonly end: (outcome: Outcome) => void }>();
  let most = 0;
  const controller = new AbortController();
  const done = executePlan(plan, {
    runStep: async ({ id }, signal) => {
      log.push({ kind: 'start', id });
      return new Promise((end) => {
        running.set(id, { signal, end });
        most = Math.max(most, running.size);
      });
    },
    signal: controller.signal,
    onEnd: ({ id }, outcome) => log.push({ kind: 'end', id, outcome }),
    maxParallel,
  });
  for (let turn = 0; ; turn += 1) {
    await settle();
    if (turn === cancelAfter) {
      log.push({ kind: 'cancel' });
      stop(controller, { kind: 'canceled', by: 'ann' });
    }
    const picked = [...running][(picks[turn % picks.length] ?? 0) % Math.max(1, running.size)];
    if (!picked) break;
    const [id, { signal, end }] = picked;
    running.delete(id);
    end(signal.aborted ? { kind: 'canceled', reason: 'stopped' } : (drawn[Number(id.slice(1))]?.outcome ?? succeeded));
  }
  return { plan, log, most, result: await done };
}

const draws: fc.Arbitrary<Draw> = fc.record({
  drawn: fc.array(nodes, { minLength: 1, maxLength: 8 }),
  picks: fc.array(fc.nat(7), { minLength: 1, maxLength: 8 }),
  cancelAfter: fc.option(fc.nat(8), { nil: undefined, freq: 3 }),
  maxParallel: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
});

/** The conditions again, written down from their definition: over the outcomes of all steps above. */
function createJudge(plan: Plan, result: ReadonlyMap<StepId, Outcome>) {
  const steps = new Map<StepId, Step>(plan.steps.map((step) => [step.id, step]));
  const needsOf = (step: Step): Step[] => step.needs.flatMap((id) => steps.get(id) ?? []);
  const codeOf = ({ id }: Step): number | undefined => {
    const outcome = result.get(id);
    return outcome?.kind === 'succeeded' ? 0 : outcome?.kind === 'failed' ? outcome.exitCode : undefined;
  };
  const isAmong = (list: readonly number[], step: Step): boolean => list.some((code) => code === codeOf(step));
  const isOrdinary = (step: Step): boolean => step.runOn === 'success' && !step.exitedWith && !step.exitedWithout;
  const holds = (step: Step): boolean => {
    const needs = needsOf(step);
    if (isOrdinary(step)) return !needs.some(isBad);
    if (step.exitedWith?.length !== undefined && !needs.every((need) => isAmong(step.exitedWith ?? [], need)))
      return false;
    if (needs.some((need) => isAmong(step.exitedWithout ?? [], need))) return false;
    return step.runOn !== 'failure' || needs.some(isBad);
  };
  const isBad = (step: Step): boolean => {
    switch (result.get(step.id)?.kind) {
      case 'succeeded':
        return false;
      case 'failed':
      case 'timed-out':
        return !step.ignoreErrors;
      case 'skipped':
        return holds(step) || needsOf(step).some(isBad);
      case 'canceled':
      case undefined:
        return true;
    }
  };
  return { holds, isBad, isOrdinary };
}

/** Where in the log a step starts and ends. */
function placesOf(log: readonly Entry[], id: StepId) {
  const at = (kind: Entry['kind']): number[] =>
    log.flatMap((entry, index) => (entry.kind === kind && 'id' in entry && entry.id === id ? [index] : []));
  return { starts: at('start'), ends: at('end') };
}

const property = (check: (played: Awaited<ReturnType<typeof play>>, draw: Draw) => void) =>
  fc.assert(
    fc.asyncProperty(draws, async (draw) => {
      check(await play(draw), draw);
    }),
    { numRuns: 250 },
  );

describe('any graph with any outcomes', () => {
  it('ends every step exactly once, skipped ones without a start, and leaves none running', async () => {
    await property(({ plan, log, result }) => {
      expect([...result.keys()].sort()).toEqual(plan.steps.map(({ id }) => id).sort());
      for (const { id } of plan.steps) {
        const { starts, ends } = placesOf(log, id);
        expect(ends).toHaveLength(1);
        expect(starts).toHaveLength(result.get(id)?.kind === 'skipped' ? 0 : 1);
      }
    });
  });

  it('starts no step before all that it needs are over, nor more than asked for', async () => {
    await property(({ plan, log, most }, { maxParallel }) => {
      for (const { id, needs } of plan.steps) {
        const own = placesOf(log, id);
        const first = own.starts[0] ?? own.ends[0] ?? -1;
        for (const need of needs) expect(placesOf(log, need).ends[0]).toBeLessThan(first);
      }
      expect(most).toBeLessThanOrEqual(maxParallel ?? plan.steps.length);
    });
  });

  it('skips a step if, and only if, its conditions do not hold or the run had been stopped for it', async () => {
    await property(({ plan, log, result }) => {
      const { holds, isBad, isOrdinary } = createJudge(plan, result);
      const failures = plan.steps.filter((step) => result.get(step.id)?.kind !== 'skipped' && isBad(step));
      const failedAt = Math.min(Infinity, ...failures.map(({ id }) => placesOf(log, id).ends[0] ?? Infinity));
      const canceledAt = log.findIndex(({ kind }) => kind === 'cancel');
      for (const step of plan.steps) {
        const { starts, ends } = placesOf(log, step.id);
        const place = starts[0] ?? ends[0] ?? -1;
        const isStopped = (canceledAt !== -1 && canceledAt < place) || (isOrdinary(step) && failedAt < place);
        expect(result.get(step.id)?.kind === 'skipped').toBe(!holds(step) || isStopped);
      }
    });
  });

  it('stops ordinary steps alone when one has failed, and every step when it is canceled', async () => {
    await property(({ plan, log, result }) => {
      const isCanceled = log.some(({ kind }) => kind === 'cancel');
      const { isOrdinary } = createJudge(plan, result);
      for (const step of plan.steps) {
        if (result.get(step.id)?.kind === 'canceled') expect(isCanceled || isOrdinary(step)).toBe(true);
      }
    });
  });
});
