import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/domain/event.ts';
import { fail } from '../../src/domain/failure.ts';
import type { Run, RunId } from '../../src/domain/run.ts';
import type { StepId } from '../../src/domain/step.ts';
import { dependencyLines } from '../../src/worker/dependency-lines.ts';
import { maskEvents } from '../../src/worker/mask-events.ts';

const id = 'ca1' as RunId;
const image = { registry: 'reg:5000', repository: 'app', tag: 'v1' };

describe('the end of a run’s log', () => {
  it('is the dependency list of the record', async () => {
    const run = { dependencies: [{ image, buildTime: [] }], outputImages: [] } as unknown as Run;
    const lines = await dependencyLines({ get: () => Promise.resolve(run) }, id);
    expect(lines[0]).toBe('Dependencies:');
    expect(lines).toContain('    repository: app');
  });

  it('has none for a run that built nothing, or whose record cannot be read', async () => {
    const run = { outputImages: [] } as unknown as Run;
    expect(await dependencyLines({ get: () => Promise.resolve(run) }, id)).toEqual([]);
    expect(await dependencyLines({ get: () => Promise.resolve(undefined) }, id)).toEqual([]);
    expect(await dependencyLines({ get: () => Promise.reject(fail('redis-unavailable', 'x')) }, id)).toEqual([]);
  });
});

describe('masking events', () => {
  const step = 'build' as StepId;
  const failed = { kind: 'failed', message: 'no hidden here' } as const;
  it.each<[RunEvent, RunEvent]>([
    [
      { kind: 'output', step, stream: 'stdout', text: 'a hidden b' },
      { kind: 'output', step, stream: 'stdout', text: 'a *** b' },
    ],
    [
      { kind: 'step-ended', step, outcome: failed },
      { kind: 'step-ended', step, outcome: { kind: 'failed', message: 'no *** here' } },
    ],
    [
      { kind: 'try-ended', step, number: 1, outcome: failed, isRetried: false },
      { kind: 'try-ended', step, number: 1, outcome: { kind: 'failed', message: 'no *** here' }, isRetried: false },
    ],
    [
      { kind: 'step-ended', step, outcome: { kind: 'succeeded' } },
      { kind: 'step-ended', step, outcome: { kind: 'succeeded' } },
    ],
    [
      { kind: 'run-ended', status: 'Failed', message: 'hidden' },
      { kind: 'run-ended', status: 'Failed', message: '***' },
    ],
    [
      { kind: 'run-ended', status: 'Succeeded' },
      { kind: 'run-ended', status: 'Succeeded' },
    ],
    [
      {
        kind: 'dependencies-found',
        step,
        dependencies: [{ image: { ...image, repository: 'hidden' }, buildTime: [] }],
      },
      { kind: 'dependencies-found', step, dependencies: [{ image: { ...image, repository: '***' }, buildTime: [] }] },
    ],
    [
      { kind: 'step-started', step },
      { kind: 'step-started', step },
    ],
  ])('leaves no secret in %j', (event, expected) => {
    const seen: RunEvent[] = [];
    maskEvents(
      (one) => seen.push(one),
      (text) => text.replaceAll('hidden', '***'),
    )(event);
    expect(seen).toEqual([expected]);
  });
});
