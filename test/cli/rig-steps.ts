import type { RunEvent, SequencedEvent } from '../../src/domain/event.ts';
import { number } from './rig-api.ts';

/** A run of three steps: two at the same time, of which the second fails, and one that is skipped. */
export function parallelRun(): readonly SequencedEvent[] {
  const [a, second, last] = ['a', 'second', 'last'] as never[] as [never, never, never];
  const line = (step: never, text: string): RunEvent => ({ kind: 'output', step, stream: 'stdout', text });
  return number([
    { kind: 'run-queued' },
    { kind: 'run-started', attempt: 1, worker: 'w1' },
    { kind: 'run-planned', steps: [a, second, last].map((id) => ({ id, kind: 'cmd' })) },
    { kind: 'step-started', step: a },
    { kind: 'step-started', step: second },
    line(a, 'one'),
    line(second, 'two'),
    line(second, 'three'),
    { kind: 'step-ended', step: a, outcome: { kind: 'succeeded' } },
    { kind: 'output', stream: 'system', text: 'the run itself' },
    { kind: 'step-ended', step: second, outcome: { kind: 'failed', exitCode: 3, message: 'it exited with code 3' } },
    { kind: 'step-ended', step: last, outcome: { kind: 'skipped', because: 'second failed' } },
    { kind: 'run-ended', status: 'Failed', message: 'second failed' },
  ]);
}
