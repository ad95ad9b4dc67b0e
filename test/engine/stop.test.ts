import { describe, expect, it } from 'vitest';
import { describeStop, stop, stopOf, type Stop } from '../../src/engine/stop.ts';

describe('a stop', () => {
  it.each<[Stop, string]>([
    [{ kind: 'canceled', by: 'ann' }, 'canceled by ann'],
    [{ kind: 'run-timed-out', afterMs: 90_000 }, "the run's timeout of 90 s passed"],
    [{ kind: 'step-timed-out', afterMs: 5000 }, "the step's timeout of 5 s passed"],
    [{ kind: 'sibling-failed', step: 'test' }, 'step test failed'],
    [{ kind: 'handed-back', because: 'the worker shuts down' }, 'handed back: the worker shuts down'],
    [{ kind: 'superseded' }, 'another worker has taken the run over'],
  ])('says why: %o', (reason, text) => {
    expect(describeStop(reason)).toBe(text);
  });

  it('keeps its first reason', () => {
    const controller = new AbortController();
    expect(stopOf(controller.signal)).toBeUndefined();
    stop(controller, { kind: 'sibling-failed', step: 'test' });
    stop(controller, { kind: 'canceled', by: 'ann' });
    expect(stopOf(controller.signal)).toEqual({ kind: 'sibling-failed', step: 'test' });
  });
});
