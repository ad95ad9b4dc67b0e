import { tierNames, type TierName } from '../domain/registry-care.ts';
import { mebibyte, type Reader } from './reader.ts';

/** How much the registry holds at most, and how often it may be asked. */
export interface RegistryCareSettings {
  /** Bytes; undefined: what the tier says, or no limit. */
  readonly maxBytes: number | undefined;
  readonly tier: TierName | undefined;
  /** Bytes that uploads leave free on the disk. */
  readonly minFreeBytes: number;
  readonly limitsRates: boolean;
}

/** Reads `SLIPWAY_REGISTRY_MAX_BYTES`, `_TIER`, `_MIN_FREE_BYTES` and `_RATE_LIMITS`. */
export function readRegistryCare(reader: Reader): RegistryCareSettings {
  const named = reader.text('SLIPWAY_REGISTRY_TIER');
  const tier = tierNames.find((one) => one.toLowerCase() === named?.toLowerCase());
  if (named !== undefined && tier === undefined)
    reader.faults.push(`SLIPWAY_REGISTRY_TIER must be one of ${tierNames.join(', ')}, not "${named}"`);
  const maxBytes = reader.size('SLIPWAY_REGISTRY_MAX_BYTES', 0);
  return {
    maxBytes: maxBytes === 0 ? undefined : maxBytes,
    tier,
    minFreeBytes: reader.size('SLIPWAY_REGISTRY_MIN_FREE_BYTES', 256 * mebibyte),
    limitsRates: reader.flag('SLIPWAY_REGISTRY_RATE_LIMITS', false),
  };
}
