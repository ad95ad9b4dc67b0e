import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { RunEvent } from '../../src/domain/event.ts';
import { applyEvent } from '../../src/domain/run-state.ts';
import type { StepId } from '../../src/domain/step.ts';
import { aRun } from '../rig/runs.ts';

const build = 'build' as StepId;
const at = (second: number): string => new Date(1_800_000_000_000 + second * 1000).toISOString();
const apply = (events: readonly RunEvent[]) =>
  events.reduce((run, event, index) => applyEvent(run, event, at(index)), aRun({ sealedSecrets: 'v1.x' }));

const started: RunEvent = { kind: 'run-started', attempt: 1, worker: 'w' };
const planned: RunEvent = { kind: 'run-planned', steps: [{ id: build, kind: 'build' }] };

describe("a run's record", () => {
  it('is Started by a worker, Running with a plan, and final at its end', () => {
    expect(apply([started])).toMatchObject({ status: 'Started', attempt: 1, worker: 'w', startTime: at(0) });
    expect(apply([started, planned])).toMatchObject({ status: 'Running', steps: [{ id: build, kind: 'build' }] });
    expect(apply([started, planned, { kind: 'run-ended', status: 'Failed', message: 'no' }])).toMatchObject({
      status: 'Failed',
      finishTime: at(2),
      runErrorMessage: 'no',
    });
  });

  it('keeps the times and the outcome of each step', () => {
    const run = apply([
      started,
      planned,
      { kind: 'step-started', step: build },
      { kind: 'step-ended', step: build, outcome: { kind: 'succeeded' } },
    ]);
    expect(run.steps).toEqual([
      { id: build, kind: 'build', startTime: at(2), finishTime: at(3), outcome: { kind: 'succeeded' } },
    ]);
  });

  it('keeps the steps and images of an earlier attempt until there is a new plan, and when the first began for good', () => {
    const image = { registry: 'r', repository: 'a', tag: 't', digest: `sha256:${'0'.repeat(64)}` as Digest };
    const events: RunEvent[] = [
      started,
      planned,
      { kind: 'image-pushed', step: build, image },
      { kind: 'run-started', attempt: 2, worker: 'other' },
    ];
    const taken = apply(events);
    expect(taken).toMatchObject({
      attempt: 2,
      plannedAttempt: 1,
      worker: 'other',
      startTime: at(0),
      status: 'Running',
    });
    expect(taken.outputImages).toEqual([image]);
    expect(apply([...events, planned])).toMatchObject({ outputImages: [], plannedAttempt: 2, startTime: at(0) });
  });

  it('is as good as unplanned when it goes back to the queue', () => {
    const run = apply([started, planned, { kind: 'run-queued' }]);
    expect(run.status).toBe('Queued');
    expect(run).not.toHaveProperty('plannedAttempt');
  });

  it('does not change by output, and loses its sealed secrets at the end', () => {
    const before = apply([started]);
    expect(applyEvent(before, { kind: 'output', stream: 'stdout', text: 'x' }, at(9))).toBe(before);
    expect(before.sealedSecrets).toBe('v1.x');
    expect(apply([started, { kind: 'run-ended', status: 'Succeeded' }]).sealedSecrets).toBeUndefined();
  });
});
