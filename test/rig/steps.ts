import type { Outcome } from '../../src/domain/outcome.ts';
import type { BuildStep, Plan, Step, StepId } from '../../src/domain/step.ts';
import { createBuildStep, createPlan } from '../../src/domain/step-defaults.ts';
import type { RunStep, Timer } from '../../src/engine/policy/timeout.ts';

/** A build step with nothing special about it; `needs` and the rest can be changed. */
export function aStep(id: string, needs: readonly string[] = [], change: Partial<BuildStep> = {}): BuildStep {
  return createBuildStep(id, { needs: needs as readonly StepId[], timeoutSeconds: 60, ...change });
}

export function aPlan(...steps: readonly Step[]): Plan {
  return createPlan(steps);
}

/** Steps that wait until the test says what they come to; a stopped step is `canceled` at once. */
export function createStage(): {
  readonly runStep: RunStep;
  /** The ids of the steps that run now, in the order in which they started. */
  readonly running: () => string[];
  readonly end: (id: string, outcome?: Outcome) => Promise<void>;
  readonly crash: (id: string, error: Error) => Promise<void>;
} {
  const waiting = new Map<string, { resolve: (outcome: Outcome) => void; reject: (error: Error) => void }>();
  const settle = async (id: string, how: (one: NonNullable<ReturnType<typeof waiting.get>>) => void): Promise<void> => {
    const one = waiting.get(id);
    if (!one) throw new Error(`step ${id} does not run`);
    waiting.delete(id);
    how(one);
    await new Promise(setImmediate);
  };
  return {
    runStep: (step, signal) =>
      new Promise<Outcome>((resolve, reject) => {
        waiting.set(step.id, { resolve, reject });
        signal.addEventListener('abort', () => {
          waiting.delete(step.id);
          resolve({ kind: 'canceled', reason: 'stopped' });
        });
      }),
    running: () => [...waiting.keys()],
    end: (id, outcome = { kind: 'succeeded' }) =>
      settle(id, ({ resolve }) => {
        resolve(outcome);
      }),
    crash: (id, error) =>
      settle(id, ({ reject }) => {
        reject(error);
      }),
  };
}

/** The answers of a runner on an engine that has nothing of earlier runs. */
export const nothingRemains = {
  keeps: () => Promise.resolve(false),
  hasBuilt: () => Promise.resolve(false),
  hasPushed: () => Promise.resolve(false),
};

/** A timer that only the test moves. */
export function createManualTimer(): {
  readonly timer: Timer;
  readonly pass: (ms: number) => void;
  readonly armed: () => number;
} {
  let now = 0;
  let alarms: { at: number; then: () => void }[] = [];
  return {
    timer: (ms, then) => {
      const alarm = { at: now + ms, then };
      alarms.push(alarm);
      return () => {
        alarms = alarms.filter((one) => one !== alarm);
      };
    },
    pass: (ms) => {
      now += ms;
      const due = alarms.filter((alarm) => alarm.at <= now);
      alarms = alarms.filter((alarm) => alarm.at > now);
      for (const alarm of due) alarm.then();
    },
    armed: () => alarms.length,
  };
}
