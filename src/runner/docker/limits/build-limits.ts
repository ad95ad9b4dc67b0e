import type { BuildStep } from '../../../domain/step.ts';
import type { StepIo } from '../../../engine/ports.ts';
import type { ContainerLimits } from './applied.ts';

/** What limits mean for `POST /build` (Engine API, "Build an image"): for each container of the classic builder. BuildKit reads none of it. */
export function limitsQuery({ memoryBytes, nanoCpus }: ContainerLimits): Readonly<Record<string, string>> {
  return {
    ...(memoryBytes !== undefined && { memory: String(memoryBytes) }),
    ...(nanoCpus !== undefined && {
      cpuperiod: '100000',
      cpuquota: String(Math.max(1000, Math.round(nanoCpus / 10_000))),
    }),
  };
}

const limitingFlags = new Set(['memory', 'memory-swap', 'cpu-period', 'cpu-quota', 'cpu-shares', 'cpuset-cpus']);

/** Says of a step that asks for limits that its builder knows none. */
export function warnUnlimited({ cpus, memory, options }: BuildStep, io: Pick<StepIo, 'output'>): void {
  const asks = cpus !== undefined || memory !== undefined || options.some(({ name }) => limitingFlags.has(name));
  if (asks) io.output('system', 'warning: BuildKit does not limit what a build takes: cpus and memory are passed over');
}
