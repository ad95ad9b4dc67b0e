import { describe, expect, it } from 'vitest';
import { usualRunLimits, type RunLimits } from '../../../src/domain/run-limits.ts';
import { createBuildStep, createCmdStep, createPlan, createPushStep } from '../../../src/domain/step-defaults.ts';
import type { CmdStep, Step, StepId } from '../../../src/domain/step.ts';
import { applyLimits, formatBytes, type AppliedLimits } from '../../../src/runner/docker/limits/applied.ts';
import { limitsQuery } from '../../../src/runner/docker/limits/build-limits.ts';
import { capAmounts } from '../../../src/runner/docker/socket/container-caps.ts';
import { rewriteBuildQuery } from '../../../src/runner/docker/socket/build-query.ts';
import { aWorld } from '../socket/rig.ts';

const gibibyte = 2 ** 30;
const capacity = { memoryBytes: 10 * gibibyte, cpus: 4 };

type Change = Partial<RunLimits> & { readonly cpu?: number; readonly maxParallel?: number };

function apply(steps: readonly Step[], { cpu, maxParallel, ...change }: Change = {}): AppliedLimits {
  const settings = { ...usualRunLimits, ...change };
  return applyLimits({ plan: createPlan(steps), settings, capacity, cpus: cpu, maxParallel });
}

const step = (id: string, given: Partial<Omit<CmdStep, 'kind' | 'id'>> = {}): CmdStep =>
  createCmdStep(id, 'image', given);
const flags = (...options: (readonly [name: string, value: string])[]): Pick<CmdStep, 'options'> => ({
  options: options.map(([name, value]) => ({ name, value })),
});

describe('the limits of a run', () => {
  it('are nine tenths of the memory and all processors of the engine where nobody says anything', () => {
    const one = step('a');
    expect(apply([one]).of(one)).toEqual({ memoryBytes: 9 * gibibyte, pids: 4096, nanoCpus: undefined });
    expect(apply([one]).nanoCpus).toBeUndefined();
  });

  it('are those that the operator says, or none', () => {
    const one = step('a');
    expect(apply([one], { memoryBytes: gibibyte, pids: 100, cpus: 2 }).of(one)).toEqual({
      memoryBytes: gibibyte,
      pids: 100,
      nanoCpus: 2e9,
    });
    expect(apply([one], { memoryBytes: 'none' }).of(one).memoryBytes).toBeUndefined();
  });

  it('take the processors that the run asks for before those of the operator, and never more than there are', () => {
    expect(apply([step('a')], { cpus: 1, cpu: 3 }).nanoCpus).toBe(3e9);
    expect(apply([step('a')], { cpus: 1, cpu: 4 }).nanoCpus).toBeUndefined();
  });

  it('give builds a part too, and pushes none', () => {
    const build = createBuildStep('b', { memory: '1g' });
    const [one, push] = [step('a'), createPushStep('p')];
    const limits = apply([one, build, push]);
    expect([limits.of(one).memoryBytes, limits.of(build).memoryBytes]).toEqual([8 * gibibyte, gibibyte]);
  });

  it('give a step more processes than usual when it asks for them', () => {
    const [many, other] = [step('a', flags(['pids-limit', '16000'])), step('b')];
    const limits = apply([many, other]);
    expect([limits.of(many).pids, limits.of(other).pids]).toEqual([16_000, 384]);
  });

  it('hold a step to the processors of the run, in whatever words it asks', () => {
    const limits = (given: Parameters<typeof step>[1]) =>
      apply([step('a', given)], { cpus: 2 }).of(step('a', given)).nanoCpus;
    expect([limits({ cpus: '0.5' }), limits({ cpus: '3' }), limits({})]).toEqual([5e8, 2e9, 2e9]);
    expect(limits(flags(['cpu-quota', '50000']))).toBe(5e8);
    expect(limits(flags(['cpu-quota', '50000'], ['cpu-period', '50000']))).toBe(1e9);
  });
});

describe('limits that cannot be', () => {
  const refused: readonly (readonly [string, readonly Step[], Change, RegExp])[] = [
    [
      'too much for the run',
      [step('a', { memory: '20g' })],
      {},
      /^step a asks for 20 GiB \(memory\), and a run may have 9 GiB here; ask for less, or raise SLIPWAY_RUN_MEMORY/,
    ],
    [
      'too much beside others',
      [step('a', { memory: '5g' }), step('b', { memory: '6g' })],
      {},
      /^step a asks for 5 GiB \(memory\), steps that may run beside it for 6 GiB/,
    ],
    [
      'too little for the others',
      [step('a', { memory: '9g' }), step('b')],
      {},
      /^step b would have 0 MiB, .*SLIPWAY_MAX_PARALLEL/,
    ],
    [
      'too many processes',
      [step('a', flags(['pids-limit', '20000']))],
      {},
      /^step a asks for 20000 processes \(--pids-limit\).*SLIPWAY_RUN_PIDS/,
    ],
  ];
  it.each(refused)('are refused before the run: %s', (_, steps, change, message) => {
    expect(() => apply(steps, change)).toThrow(message);
  });

  it('are not seen between steps that follow one another', () => {
    expect(() =>
      apply([step('a', { memory: '6g' }), step('b', { memory: '6g', needs: ['a' as StepId] })]),
    ).not.toThrow();
    expect(() => apply([step('a', { memory: '6g' }), step('b', { memory: '6g' })], { maxParallel: 1 })).not.toThrow();
  });

  it('are refused when a value is known only once another step has run', () => {
    const [one, other] = [step('a', { memory: 'placeholder' }), step('b')];
    const limits = apply([one, other]);
    expect(limits.of({ ...one, memory: '4g' }).memoryBytes).toBe(4 * gibibyte);
    expect(() => limits.of({ ...one, memory: '5g' })).toThrow(
      'step a asks for 5 GiB (memory), and its part of what the run may have is 4.5 GiB',
    );
    expect(() => limits.of(one)).toThrow('memory must be a size');
  });
});

describe('containers made by the engine socket', () => {
  it('may have what the steps that make them may', () => {
    const driving = step('d', { usesEngine: true, memory: '1g' });
    expect(apply([driving, step('a')], { cpus: 2 }).made).toEqual({ memoryBytes: gibibyte, pids: 4096, nanoCpus: 2e9 });
  });

  it('have no more than that, and less when less was asked for', () => {
    const limits = { memoryBytes: 1000, pids: 100, nanoCpus: 1e9 };
    const all = {
      Memory: 1000,
      MemorySwap: undefined,
      PidsLimit: 100,
      NanoCpus: 1e9,
      CpuPeriod: undefined,
      CpuQuota: undefined,
    };
    for (const asked of [
      {},
      { Memory: 0, PidsLimit: -1, NanoCpus: 0 },
      { Memory: 2000, PidsLimit: 200, NanoCpus: 2e9, MemorySwap: -1 },
    ])
      expect(capAmounts(asked, limits)).toEqual(all);
    expect(capAmounts({ Memory: 10, MemorySwap: 500, PidsLimit: 5, CpuQuota: 20_000 }, limits)).toEqual({
      ...all,
      ...{ Memory: 10, MemorySwap: 20, PidsLimit: 5, NanoCpus: 2e8 },
    });
  });

  it('are held to it in builds as well', () => {
    const world = aWorld({ limits: { memoryBytes: 1000, pids: 100, nanoCpus: 5e8 } });
    const query = rewriteBuildQuery(world, new URLSearchParams('t=app&memory=5000&cpuquota=90000'));
    expect([query.get('memory'), query.get('cpuquota'), query.get('cpuperiod')]).toEqual(['1000', '50000', '100000']);
    expect(limitsQuery({ memoryBytes: undefined, pids: 1, nanoCpus: undefined })).toEqual({});
  });
});

it('sizes are said in units that people compare', () => {
  expect([formatBytes(1.5 * gibibyte), formatBytes(300 * 2 ** 20), formatBytes(1000)]).toEqual([
    '1.5 GiB',
    '300 MiB',
    '0 MiB',
  ]);
});
