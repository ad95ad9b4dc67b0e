import type { Reader } from './reader.ts';

/** When the registry removes what nobody uses any more. Milliseconds. */
export interface RegistryCollectionSettings {
  /** Between two rounds; 0: only when somebody asks. */
  readonly intervalMs: number;
  /** How long a blob that no manifest names stays. */
  readonly graceMs: number;
  /** How long bytes that no repository holds stay. */
  readonly delayMs: number;
}

const minuteMs = 60 * 1000;
const hourMs = 60 * minuteMs;
const mostHours = 24 * 365;

/** Reads `SLIPWAY_REGISTRY_GC_*`. */
export function readRegistryCollection(reader: Reader): RegistryCollectionSettings {
  return {
    intervalMs: reader.integer('SLIPWAY_REGISTRY_GC_INTERVAL', 5, [0, 24 * 60]) * minuteMs,
    // Longer than a push takes, and than a push that stood still may take.
    graceMs: reader.integer('SLIPWAY_REGISTRY_GC_GRACE', 24, [1, mostHours]) * hourMs,
    delayMs: reader.integer('SLIPWAY_REGISTRY_GC_DELAY', 24, [1, mostHours]) * hourMs,
  };
}
