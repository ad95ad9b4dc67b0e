import { describe, expect, it } from 'vitest';
import type { RunEvent, SequencedEvent } from '../../src/domain/event.ts';
import type { Run } from '../../src/domain/run.ts';
import type { Step, StepId } from '../../src/domain/step.ts';
import { createBuildStep, createCmdStep, createPlan } from '../../src/domain/step-defaults.ts';
import { decideTakeUp } from '../../src/worker/take-up.ts';
import { aRun } from '../rig/runs.ts';

const id = 'test' as StepId;
const cmd = createCmdStep(id, 'busybox');
const begun: RunEvent[] = [
  { kind: 'run-planned', steps: [] },
  { kind: 'step-started', step: id },
  { kind: 'try-started', step: id, number: 1 },
];

interface Given {
  readonly run?: Partial<Run>;
  readonly steps?: readonly Step[];
  readonly events?: readonly RunEvent[];
  readonly isHere?: boolean;
  readonly keptAttempt?: number;
  readonly waitedMs?: number;
}

function decide({ run, steps = [cmd], events = begun, isHere = true, keptAttempt = 1, waitedMs }: Given = {}) {
  const stored = events.map((event, at): SequencedEvent => ({ ...event, seq: at + 1, at: '2026-01-01T00:00:00Z' }));
  const subject = aRun({ status: 'Running', attempt: 1, plannedAttempt: 1, worker: 'w1', ...run });
  return decideTakeUp(subject, {
    events: { read: (_, after) => Promise.resolve(stored.slice(after)) },
    runner: { holds: () => Promise.resolve(isHere) },
    plans: { find: () => Promise.resolve({ attempt: keptAttempt, plan: createPlan(steps), secrets: [] }) },
    clock: { now: () => 1_000_000 },
    engineGraceMs: 60_000,
    waitingSince: new Map(waitedMs === undefined ? [] : [[subject.runId, 1_000_000 - waitedMs]]),
  });
}

describe('a run that a worker takes from the queue', () => {
  it('begins anew when it was never planned', async () => {
    expect(await decide({ run: { status: 'Queued', attempt: 0, plannedAttempt: undefined } as never })).toEqual({
      kind: 'anew',
    });
  });

  it('begins anew when nothing but builds and pushes was begun: they can be done again', async () => {
    const events: RunEvent[] = [begun[0] as RunEvent, { kind: 'step-started', step: id }];
    expect(await decide({ steps: [createBuildStep('test')], events })).toEqual({ kind: 'anew' });
  });

  it('begins anew when the kept plan is not the one that was begun', async () => {
    expect(await decide({ keptAttempt: 2 })).toEqual({ kind: 'anew' });
  });

  it('goes on where its containers are', async () => {
    expect(await decide()).toMatchObject({ kind: 'go-on', kept: { attempt: 1 } });
  });

  it('is not gone on with when it is to be canceled', async () => {
    const cancelRequested = { at: '2026-01-01T00:00:00Z', by: 'ann' };
    expect(await decide({ run: { cancelRequested } })).toEqual({ kind: 'anew' });
  });

  it('waits for the worker of another engine, which may come back', async () => {
    expect(await decide({ isHere: false })).toEqual({ kind: 'wait' });
    expect(await decide({ isHere: false, waitedMs: 59_999 })).toEqual({ kind: 'wait' });
  });

  it('is lost when none came back in time: its step is not run a second time', async () => {
    const decided = await decide({ isHere: false, waitedMs: 60_000 });
    expect(decided).toMatchObject({
      kind: 'lost',
      message: expect.stringContaining('step test had been started') as string,
    });
  });
});
