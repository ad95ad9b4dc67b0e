import type { TierName } from '../../domain/registry-care.ts';

/** What an operator sets for the care of images. */
export interface CareSettings {
  /** Bytes that the registry may hold; undefined: what the tier says, or no limit. */
  readonly maxBytes?: number | undefined;
  readonly tier?: TierName | undefined;
  /** Between two rounds of the policies, milliseconds; 0: only when somebody asks. */
  readonly intervalMs: number;
  /** Bytes that are free where contents are stored; undefined: nobody knows. */
  readonly freeBytes?: (() => Promise<number | undefined>) | undefined;
  /** Uploads do not begin while fewer bytes than these are free. */
  readonly minFreeBytes: number;
  /** True: requests are counted by the limits of the tier, for each who asks. */
  readonly limitsRates: boolean;
}

export const defaultCare: CareSettings = {
  intervalMs: 5 * 60 * 1000,
  minFreeBytes: 0,
  limitsRates: false,
};
