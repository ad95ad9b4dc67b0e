import type { TierName } from '../../domain/registry-care.ts';

/** What requests are counted as. */
export type RateKind = 'read' | 'write' | 'delete' | 'referrers' | 'login';

export interface TierLimits {
  /** Bytes that the registry may hold. */
  readonly maxBytes: number;
  /** Requests a minute of one who asks. */
  readonly perMinute: Readonly<Record<RateKind, number>>;
}

const gib = 1024 ** 3;
const usualRates = { read: 5000, write: 1000, delete: 500, referrers: 250, login: 5000 } as const;

/** Service tiers: storage and request rates that each includes (Azure's documentation; for one identity, half of a registry's rate). */
export const tiers: Readonly<Record<TierName, TierLimits>> = {
  Basic: { maxBytes: 10 * gib, perMinute: usualRates },
  Standard: { maxBytes: 100 * gib, perMinute: usualRates },
  Premium: {
    maxBytes: 500 * gib,
    perMinute: { read: 10_000, write: 2000, delete: 2000, referrers: 1000, login: 10_000 },
  },
};
