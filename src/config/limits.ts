import { usualRunLimits, type RunLimits } from '../domain/run-limits.ts';
import { mebibyte, type Reader } from './reader.ts';

function readCpus(reader: Reader): number | undefined {
  const value = reader.text('SLIPWAY_RUN_CPUS');
  if (value === undefined) return undefined;
  const cpus = /^\d{1,4}(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (cpus >= 0.01) return cpus;
  reader.faults.push(`SLIPWAY_RUN_CPUS must be a number of processors such as 2 or 0.5, not "${value}"`);
  return undefined;
}

const leastMemory = 32 * mebibyte;

function readMemory(reader: Reader): RunLimits['memoryBytes'] {
  if (reader.text('SLIPWAY_RUN_MEMORY') === undefined) return undefined;
  const bytes = reader.size('SLIPWAY_RUN_MEMORY', leastMemory);
  if (bytes === 0) return 'none';
  if (bytes < leastMemory) reader.faults.push('SLIPWAY_RUN_MEMORY must be 32MiB or more, or 0 for no limit');
  return bytes;
}

/** What one run may have of the engine (`SLIPWAY_RUN_CPUS`, `SLIPWAY_RUN_MEMORY`, `SLIPWAY_RUN_PIDS`). */
export function readRunLimits(reader: Reader): RunLimits {
  return {
    cpus: readCpus(reader),
    memoryBytes: readMemory(reader),
    pids: reader.integer('SLIPWAY_RUN_PIDS', usualRunLimits.pids, [64, 4_194_304]),
  };
}

/** How many bytes of output are kept of a run (`SLIPWAY_RUN_LOG`). */
export function readLogBytes(reader: Reader): number {
  const bytes = reader.size('SLIPWAY_RUN_LOG', 64 * mebibyte);
  if (bytes < mebibyte) reader.faults.push('SLIPWAY_RUN_LOG must be 1MiB or more');
  return bytes;
}
