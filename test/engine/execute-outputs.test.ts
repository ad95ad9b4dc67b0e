import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import { outputPlaceholder } from '../../src/domain/output-reference.ts';
import { createCmdStep } from '../../src/domain/step-defaults.ts';
import type { Plan, Step, StepId } from '../../src/domain/step.ts';
import { executePlan } from '../../src/engine/execute.ts';
import { aPlan } from '../rig/steps.ts';
import { failed } from './tries.ts';

const tag = { step: 'version', name: 'tag' };
const plan: Plan = aPlan(
  createCmdStep('version', 'busybox', { outputs: ['tag'] }),
  createCmdStep('use', 'busybox', {
    needs: ['version' as StepId],
    runOn: 'always',
    arguments: ['echo', outputPlaceholder(tag)],
    reads: [tag],
  }),
);

async function execute(version: Outcome, finished?: ReadonlyMap<StepId, Outcome>) {
  const ran: Step[] = [];
  const outcomes = await executePlan(plan, {
    runStep: async (step) => {
      ran.push(step);
      return step.id === 'version' ? version : { kind: 'succeeded' };
    },
    signal: new AbortController().signal,
    onEnd: () => {},
    finished,
  });
  return { ran, use: outcomes.get('use' as StepId) };
}

describe('a plan with outputs', () => {
  it('runs a step with the values that those before it gave', async () => {
    const { ran, use } = await execute({ kind: 'succeeded', outputs: { tag: '1.2' } });
    expect(ran.at(-1)).toMatchObject({ id: 'use', arguments: ['echo', '1.2'] });
    expect(use).toEqual({ kind: 'succeeded' });
  });

  it('has the values of steps that were done before the run was taken up again', async () => {
    const finished = new Map([['version' as StepId, { kind: 'succeeded', outputs: { tag: '1.3' } } as const]]);
    const { ran } = await execute(failed(1), finished);
    expect(ran).toMatchObject([{ id: 'use', arguments: ['echo', '1.3'] }]);
  });

  it.each<Outcome>([{ kind: 'succeeded' }, failed(1)])(
    'fails a step whose outputs are not there: %j',
    async (version) => {
      const { ran, use } = await execute(version);
      expect(ran.map(({ id }) => id)).toEqual(['version']);
      expect(use).toMatchObject({
        kind: 'failed',
        message: expect.stringContaining('{{.Outputs.version.tag}}: ') as string,
      });
    },
  );
});
