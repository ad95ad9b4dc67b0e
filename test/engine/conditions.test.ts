import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { BuildStep } from '../../src/domain/step.ts';
import { findUnmet, hasFailed, survivesFailure, type Ended } from '../../src/engine/conditions.ts';
import { aStep } from '../rig/steps.ts';
import { failed, succeeded } from './tries.ts';

const ended = (id: string, outcome: Outcome, change: Partial<BuildStep> = {}): Ended => {
  const step = aStep(id, [], change);
  return { step, outcome, hasFailed: hasFailed(step, outcome) };
};
const good = ended('good', succeeded);
const bad = ended('bad', failed(3));
const slow = ended('slow', { kind: 'timed-out', afterMs: 1 });
const lax = ended('lax', failed(3), { ignoreErrors: true });
/** A failure handler that was not called for. */
const idle: Ended = { step: aStep('idle'), outcome: { kind: 'skipped', because: '' }, hasFailed: false };

const unmet = (change: Partial<BuildStep>, ...needs: Ended[]) => findUnmet(aStep('x', [], change), needs);

describe('the conditions of a step', () => {
  it.each<[string, Partial<BuildStep>, Ended[], string | undefined]>([
    ['success: nothing needed', {}, [], undefined],
    ['success: all succeeded', {}, [good, lax, idle], undefined],
    ['success: one failed', {}, [good, bad], 'step bad did not succeed'],
    ['success: one timed out', {}, [slow], 'step slow did not succeed'],
    ['failure: nothing needed', { runOn: 'failure' }, [], 'no step that it needs failed'],
    ['failure: one failed', { runOn: 'failure' }, [good, bad], undefined],
    ['failure: one timed out', { runOn: 'failure' }, [slow], undefined],
    ['failure: ignored alone', { runOn: 'failure' }, [good, lax], 'no step that it needs failed'],
    ['always: all succeeded', { runOn: 'always' }, [good], undefined],
    ['always: one failed', { runOn: 'always' }, [bad], undefined],
    ['exitedWith: that code', { exitedWith: [2, 3] }, [bad], undefined],
    ['exitedWith: the real code of an ignored failure', { exitedWith: [3] }, [lax], undefined],
    ['exitedWith: success is 0', { exitedWith: [0] }, [good], undefined],
    ['exitedWith: another code', { exitedWith: [2] }, [bad], 'step bad ended with exit code 3'],
    ['exitedWith: not all', { exitedWith: [3] }, [bad, good], 'step good ended with exit code 0'],
    ['exitedWith: no code', { exitedWith: [3] }, [slow], 'step slow has no exit code'],
    ['exitedWithout: another code', { exitedWithout: [2] }, [bad], undefined],
    ['exitedWithout: no code', { exitedWithout: [2] }, [slow, idle], undefined],
    ['exitedWithout: that code', { exitedWithout: [3] }, [good, bad], 'step bad ended with exit code 3'],
    ['both: both hold', { exitedWith: [3], exitedWithout: [2] }, [bad], undefined],
    ['both: one does not', { exitedWith: [3], exitedWithout: [3] }, [bad], 'step bad ended with exit code 3'],
    ['with failure: both hold', { exitedWith: [0, 3], runOn: 'failure' }, [bad], undefined],
    ['with failure: no failure', { exitedWith: [0, 3], runOn: 'failure' }, [good], 'no step that it needs failed'],
    ['with always: the code counts', { exitedWith: [2], runOn: 'always' }, [bad], 'step bad ended with exit code 3'],
  ])('%s', (_what, change, needs, because) => {
    expect(unmet(change, ...needs)).toBe(because);
  });

  it('set the steps that have one apart from the ordinary ones, which a failure stops', () => {
    const changes: Partial<BuildStep>[] = [
      {},
      { runOn: 'failure' },
      { runOn: 'always' },
      { exitedWith: [] },
      { exitedWithout: [] },
    ];
    expect(changes.map((change) => survivesFailure(aStep('x', [], change)))).toEqual([false, true, true, true, true]);
  });
});
