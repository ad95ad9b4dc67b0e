import { describe, expect, it } from 'vitest';
import type { RunEvent, SequencedEvent } from '../../src/domain/event.ts';
import type { RunId } from '../../src/domain/run.ts';
import type { Plan, StepId } from '../../src/domain/step.ts';
import { createBuildStep, createCmdStep, singleAttempt } from '../../src/domain/step-defaults.ts';
import { readProgress } from '../../src/engine/progress.ts';
import { runPlan } from '../../src/engine/run.ts';
import { stop } from '../../src/engine/stop.ts';
import { createFakeRunner, type FakeScript } from '../../src/runner/fake/index.ts';
import { aPlan, createManualTimer } from '../rig/steps.ts';
import { failed, settle, succeeded } from './tries.ts';

const [one, two, three] = ['one', 'two', 'three'] as StepId[] as [StepId, StepId, StepId];

const cmd = (id: StepId, needs: StepId[] = [], change = {}) => createCmdStep(id, 'busybox', { needs, ...change });

/** Events as a store would give them back: a second apart. */
function stored(...events: RunEvent[]): SequencedEvent[] {
  return events.map((event, index) => ({ ...event, seq: index + 1, at: new Date(index * 1000).toISOString() }));
}

const planned: RunEvent = { kind: 'run-planned', steps: [] };
const begun = (step: StepId, number = 1): RunEvent[] => [
  ...(number === 1 ? [{ kind: 'step-started', step } as const] : []),
  { kind: 'try-started', step, number },
];
const says = (step: StepId, text: string): RunEvent => ({ kind: 'output', step, stream: 'stdout', text });
const ended = (step: StepId, outcome: RunEvent & { kind: 'step-ended' } extends { outcome: infer O } ? O : never) =>
  ({ kind: 'step-ended', step, outcome }) as const;

function resume(plan: Plan, before: readonly RunEvent[], script: FakeScript = {}) {
  const runner = createFakeRunner(script);
  const events: RunEvent[] = [];
  const controller = new AbortController();
  const time = createManualTimer();
  const done = runPlan({
    plan,
    setup: { runId: 'ca1' as RunId, attempt: 1, plan, registryCredentials: {} },
    runner,
    timeoutMs: 3_600_000,
    timer: time.timer,
    clock: { now: () => 60_000 },
    signal: controller.signal,
    emit: (event) => events.push(event),
    progress: readProgress(stored(...before)),
  });
  const ran = (): string[] => runner.calls.flatMap((call) => (call.kind === 'run' ? [call.step.id] : []));
  return { runner, events, controller, time, done, ran };
}

describe('a run that is taken up again', () => {
  it('does not run finished steps again, and goes on with those that were not begun', async () => {
    const run = resume(aPlan(cmd(one), cmd(two, [one])), [planned, ...begun(one), ended(one, succeeded)]);
    expect(await run.done).toEqual({ status: 'Succeeded' });
    expect(run.ran()).toEqual([two]);
    expect(run.events.map(({ kind }) => kind)).toEqual(['step-started', 'step-ended']);
  });

  it('asks the runner for the try that was begun last, and tells it which those are', async () => {
    const step = cmd(one, [], { attempts: { ...singleAttempt, retries: 2 } });
    const first = { kind: 'try-ended', step: one, number: 1, outcome: failed(1), isRetried: true } as const;
    const run = resume(aPlan(step), [planned, ...begun(one), first, ...begun(one, 2)]);
    await run.done;
    expect(run.runner.calls).toContainEqual({ kind: 'run', step, attempt: 2 });
    const prepared = run.runner.calls.find(({ kind }) => kind === 'prepare');
    expect(prepared).toMatchObject({ setup: { begunTries: new Map([[one, 2]]) } });
  });

  it('leaves out the lines that have arrived, of the try that wrote them alone', async () => {
    const plan = aPlan(cmd(one), cmd(two));
    const run = resume(plan, [planned, ...begun(one), says(one, 'a'), says(one, 'b')], (step, io) => {
      for (const line of ['a', 'b', 'c']) io.output('stdout', `${line} of ${step.id}`);
      return succeeded;
    });
    await run.done;
    const lines = run.events.flatMap((event) => (event.kind === 'output' ? [event.text] : []));
    expect(lines).toEqual(['c of one', 'a of two', 'b of two', 'c of two']);
  });

  it('ends as it would have when a step had failed before', async () => {
    const run = resume(aPlan(cmd(one), cmd(two, [one])), [planned, ...begun(one), ended(one, failed(3))]);
    expect(await run.done).toMatchObject({ status: 'Failed', failed: { step: one, exitCode: 3 } });
    expect(run.ran()).toEqual([]);
  });

  it('does builds again that were under way, and says so', async () => {
    const plan = aPlan(createBuildStep('one'));
    const run = resume(plan, [planned, { kind: 'step-started', step: one }]);
    await run.done;
    expect(run.ran()).toEqual([one]);
    expect(run.events).toContainEqual(expect.objectContaining({ text: 'its worker was lost: the step is done again' }));
  });

  it('gives a step what is left of its time', async () => {
    const run = resume(aPlan(cmd(one, [], { timeoutSeconds: 70 })), [planned, ...begun(one)], { one: 'wait' });
    await settle();
    run.time.pass(10_999);
    await settle();
    expect(run.events).toEqual([]);
    run.time.pass(1);
    await run.done;
    expect(run.events).toContainEqual(ended(one, { kind: 'timed-out', afterMs: 70_000 }));
  });

  it('follows the output of detached steps again', async () => {
    const plan = aPlan(cmd(one, [], { detach: true }), cmd(two, [one]));
    const run = resume(plan, [planned, ...begun(one), ended(one, succeeded), says(one, 'up')], (step, io) => {
      if (step.id === one) for (const line of ['up', 'asked']) io.output('stdout', line);
      return succeeded;
    });
    await run.done;
    expect(run.ran()).toEqual([one, two]);
    expect(run.events.filter(({ kind }) => kind === 'output')).toEqual([says(one, 'asked')]);
  });

  it('is let go of, not cleaned up, when another attempt has it', async () => {
    const run = resume(aPlan(cmd(one)), [planned], { one: 'wait' });
    await run.runner.started('one');
    stop(run.controller, { kind: 'superseded' });
    await run.done;
    expect(run.runner.calls.map(({ kind }) => kind)).toEqual(['prepare', 'run', 'abandon']);
  });
});

describe('the progress of a run', () => {
  it('is unknown before there is a plan', () => {
    expect(readProgress(stored({ kind: 'run-queued' }))).toBeUndefined();
  });

  it('counts from the last plan on', () => {
    const events = stored(planned, ...begun(one), ended(one, succeeded), planned, ...begun(three));
    const progress = readProgress(events);
    expect([...(progress?.finished.keys() ?? [])]).toEqual([]);
    expect([...(progress?.steps.keys() ?? [])]).toEqual([three]);
  });

  it('counts the lines of each stream since the last try began', () => {
    const err: RunEvent = { kind: 'output', step: one, stream: 'stderr', text: 'x' };
    const own: RunEvent = { kind: 'output', step: one, stream: 'system', text: 'x' };
    const events = stored(planned, ...begun(one), says(one, 'old'), ...begun(one, 2), says(one, 'new'), err, err, own);
    expect(readProgress(events)?.steps.get(one)).toMatchObject({ lastTry: 2, lines: { stdout: 1, stderr: 2 } });
  });
});
