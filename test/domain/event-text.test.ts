import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { RunEvent, SequencedEvent } from '../../src/domain/event.ts';
import { createEventRenderer, formatElapsed, renderEvent } from '../../src/domain/event-text.ts';
import type { RunId } from '../../src/domain/run.ts';
import type { StepId } from '../../src/domain/step.ts';

const runId = 'ca1' as RunId;
const step = 'build' as StepId;
const at = '2026-11-21T09:00:19.000Z';
const startTime = '2026-11-21T09:00:00.000Z';

function sequenced(event: RunEvent, time = at): SequencedEvent {
  return { ...event, seq: 1, at: time };
}

describe('the line of an event', () => {
  it.each<[RunEvent, string | undefined]>([
    [{ kind: 'run-queued' }, 'Queued a run with ID: ca1'],
    [{ kind: 'run-started', attempt: 1, worker: 'w1' }, 'Started on worker w1'],
    [{ kind: 'run-started', attempt: 2, worker: 'w2' }, 'Started on worker w2 (attempt 2)'],
    [{ kind: 'run-planned', steps: [] }, undefined],
    [{ kind: 'step-started', step }, 'Step build started'],
    [{ kind: 'output', step, stream: 'stderr', text: 'as it is ' }, 'as it is '],
    [{ kind: 'step-ended', step, outcome: { kind: 'succeeded' } }, 'Step build succeeded'],
    [
      { kind: 'step-ended', step, outcome: { kind: 'failed', message: 'exit code 1' } },
      'Step build failed: exit code 1',
    ],
    [
      { kind: 'step-ended', step, outcome: { kind: 'timed-out', afterMs: 90_000 } },
      'Step build was stopped: it took longer than 1m30s',
    ],
    [{ kind: 'step-ended', step, outcome: { kind: 'canceled', reason: 'by ann' } }, 'Step build was canceled: by ann'],
    [
      { kind: 'step-ended', step, outcome: { kind: 'skipped', because: 'x failed' } },
      'Step build was skipped: x failed',
    ],
    [
      {
        kind: 'image-pushed',
        step,
        image: { registry: 'r:1', repository: 'app', tag: 'v1', digest: 'sha256:ab' as Digest },
      },
      'Pushed r:1/app:v1@sha256:ab',
    ],
    [{ kind: 'run-ended', status: 'Succeeded' }, 'Run ID: ca1 was successful after 19s'],
    [{ kind: 'run-ended', status: 'Failed', message: 'no' }, 'Run ID: ca1 failed after 19s. Error: no'],
    [
      { kind: 'run-ended', status: 'Canceled', message: 'canceled by ann' },
      'Run ID: ca1 was canceled after 19s: canceled by ann',
    ],
    [{ kind: 'run-ended', status: 'Timeout' }, 'Run ID: ca1 timed out after 19s'],
    [
      { kind: 'run-ended', status: 'Error', message: 'disk' },
      'Run ID: ca1 could not be completed after 19s. Error: disk',
    ],
  ])('of %j', (event, text) => {
    expect(renderEvent(sequenced(event), { runId, startTime })).toBe(text);
  });

  it('leaves the time out when the run never began', () => {
    expect(renderEvent(sequenced({ kind: 'run-ended', status: 'Canceled' }), { runId })).toBe(
      'Run ID: ca1 was canceled',
    );
  });
});

describe('a renderer', () => {
  it('remembers when the run and its steps began', () => {
    const render = createEventRenderer(runId);
    render(sequenced({ kind: 'run-started', attempt: 1, worker: 'w' }, '2026-11-21T09:00:00.000Z'));
    render(sequenced({ kind: 'step-started', step }, '2026-11-21T09:00:10.000Z'));
    const ended = render(sequenced({ kind: 'step-ended', step, outcome: { kind: 'succeeded' } }));
    expect(ended).toBe('Step build succeeded after 9s');
    expect(render(sequenced({ kind: 'run-ended', status: 'Succeeded' }))).toBe('Run ID: ca1 was successful after 19s');
  });

  it('counts from the first attempt, as the record does', () => {
    const render = createEventRenderer(runId);
    render(sequenced({ kind: 'run-started', attempt: 1, worker: 'w' }, '2026-11-21T09:00:00.000Z'));
    render(sequenced({ kind: 'run-started', attempt: 2, worker: 'w' }, '2026-11-21T09:00:15.000Z'));
    expect(render(sequenced({ kind: 'run-ended', status: 'Succeeded' }))).toContain('after 19s');
  });
});

describe('a length of time', () => {
  it.each([
    [-5, '0s'],
    [40, '0s'],
    [430, '0.4s'],
    [8000, '8s'],
    [9949, '9.9s'],
    [9950, '10s'],
    [59_600, '1m0s'],
    [125_000, '2m5s'],
    [3_600_000, '1h0m0s'],
  ])('of %d ms is %s', (ms, text) => {
    expect(formatElapsed(ms)).toBe(text);
  });
});
