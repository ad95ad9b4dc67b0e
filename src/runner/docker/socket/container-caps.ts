import type { ContainerLimits } from '../limits/applied.ts';
import type { Fields } from './fields.ts';

/** The smaller of what was asked for and what may be had; all of that where nothing was asked for (0, or less: no limit). */
function atMost(asked: unknown, most: number): number {
  return typeof asked === 'number' && asked > 0 ? Math.min(asked, most) : most;
}

/** Billionths of a processor that a client asks for, in either of the two ways; 0 for none. */
function askedCpus({ NanoCpus: nanos, CpuQuota: quota, CpuPeriod: period }: Fields): number {
  if (typeof nanos === 'number' && nanos > 0) return nanos;
  if (typeof quota !== 'number' || quota <= 0) return 0;
  return Math.round((quota / (typeof period === 'number' && period > 0 ? period : 100_000)) * 1e9);
}

/** Memory above the limit is cut to it; swap, which the engine counts together with memory, to as much again, which is also the usual. */
function capMemory(host: Fields, most: number): Fields {
  const memory = atMost(host['Memory'], most);
  const swap = host['MemorySwap'];
  const isGiven = typeof swap === 'number' && swap > 0;
  return { Memory: memory, MemorySwap: isGiven ? Math.min(Math.max(swap, memory), 2 * memory) : undefined };
}

function capCpus(host: Fields, most: number): Fields {
  return { NanoCpus: atMost(askedCpus(host), most), CpuPeriod: undefined, CpuQuota: undefined };
}

/** Cuts what a step asks for in the `HostConfig` of a container down to what such a container may have. */
export function capAmounts(host: Fields, { memoryBytes, pids, nanoCpus }: ContainerLimits): Fields {
  return {
    ...host,
    PidsLimit: atMost(host['PidsLimit'], pids),
    ...(memoryBytes !== undefined && capMemory(host, memoryBytes)),
    ...(nanoCpus !== undefined && capCpus(host, nanoCpus)),
  };
}
