import type { Outcome } from '../../domain/outcome.ts';
import type { Step } from '../../domain/step.ts';
import type { DisposeOptions, NamedAttempt, RunSetup, StepIo, StepRunner } from '../../engine/ports.ts';

/** A step that a fake runner is asked to do and that goes on until the test ends it. */
export interface FakeStep {
  readonly step: Step;
  readonly io: StepIo;
  readonly signal: AbortSignal;
  /** Which try of the step this is, from 1. */
  readonly attempt: number;
  /** Ends the step. Only the first of `end` and `break` counts. */
  end(outcome?: Outcome): void;
  /** Makes the runner itself fail while it does the step. */
  break(error: Error): void;
}

/** What a step is run with. */
export type FakeRun = readonly [step: Step, io: StepIo, signal: AbortSignal, attempt: number];

/** What to do with a step: an outcome at once, `wait` until the test ends it, or a function that decides. */
export type FakeAnswer = Outcome | 'wait';
export type FakeScript =
  Readonly<Record<string, FakeAnswer>> | ((...call: FakeRun) => FakeAnswer | Promise<FakeAnswer>);

/** One call that a fake runner received. */
export type FakeCall =
  | { readonly kind: 'prepare'; readonly setup: RunSetup }
  /** `attempt` is there from the second try on. */
  | { readonly kind: 'run'; readonly step: Step; readonly attempt?: number }
  | { readonly kind: 'dispose'; readonly keepWorkspace?: true }
  | { readonly kind: 'abandon' };

/** What is left of earlier runs; of what is not given, no workspace and every image. */
export interface FakeRemains {
  readonly keeps?: (run: NamedAttempt) => boolean;
  readonly hasBuilt?: (imageId: string) => boolean;
  readonly hasPushed?: (digest: string) => boolean;
}

/** A runner for tests: the script decides what steps come to, the test decides when. */
export interface FakeRunner extends StepRunner {
  /** All calls so far, in their order. */
  readonly calls: readonly FakeCall[];
  /** The step with this id, as soon as it runs (and waits). */
  started(id: string): Promise<FakeStep>;
}

/** The answer of a script; a step that it does not name succeeds. */
async function answerOf(script: FakeScript, ...call: FakeRun): Promise<FakeAnswer> {
  if (typeof script === 'function') return script(...call);
  return script[call[0].id] ?? { kind: 'succeeded' };
}

/** A step that waits; once its signal aborts it is canceled, as the contract of a runner has it. */
function waitForEnd(...[step, io, signal, attempt]: FakeRun): { fake: FakeStep; outcome: Promise<Outcome> } {
  let end: (outcome: Outcome) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const outcome = new Promise<Outcome>((resolve, refuse) => {
    end = resolve;
    reject = refuse;
  });
  const cancel = (): void => end({ kind: 'canceled', reason: 'stopped' });
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  const fake = {
    step,
    io,
    signal,
    attempt,
    end: (with_: Outcome = { kind: 'succeeded' }) => end(with_),
    break: reject,
  };
  return { fake, outcome };
}

/**
 * Makes a fake runner. Steps end at once as the script says; those it answers with `wait` run until the test calls `end` or `break`,
 * or their signal aborts. `holds`: it has what earlier attempts at its runs made; `remains`: what is left of other runs.
 */
export function createFakeRunner(script: FakeScript = {}, holds = false, remains: FakeRemains = {}): FakeRunner {
  const calls: FakeCall[] = [];
  const running = new Map<string, FakeStep>();
  const waiting = new Map<string, ((step: FakeStep) => void)[]>();
  const announce = (fake: FakeStep): void => {
    running.set(fake.step.id, fake);
    for (const tell of waiting.get(fake.step.id) ?? []) tell(fake);
    waiting.delete(fake.step.id);
  };
  const run = async (step: Step, io: StepIo, signal: AbortSignal, attempt = 1): Promise<Outcome> => {
    calls.push({ kind: 'run', step, ...(attempt > 1 && { attempt }) });
    const answer = await answerOf(script, step, io, signal, attempt);
    if (answer !== 'wait') return answer;
    const { fake, outcome } = waitForEnd(step, io, signal, attempt);
    announce(fake);
    return outcome.finally(() => running.delete(step.id));
  };
  return {
    calls,
    prepare: async (setup) => {
      calls.push({ kind: 'prepare', setup });
      const dispose = async (how?: DisposeOptions): Promise<void> => {
        calls.push({ kind: 'dispose', ...(how?.keepWorkspace === true && { keepWorkspace: true }) });
      };
      return { run, dispose, abandon: () => calls.push({ kind: 'abandon' }) };
    },
    holds: async () => holds,
    keeps: async (run) => remains.keeps?.(run) ?? false,
    hasBuilt: async ({ imageId }) => remains.hasBuilt?.(imageId) ?? true,
    hasPushed: async ({ digest }) => remains.hasPushed?.(digest) ?? true,
    started: async (id) => {
      const known = running.get(id);
      if (known) return known;
      return new Promise((resolve) => waiting.set(id, [...(waiting.get(id) ?? []), resolve]));
    },
  };
}
