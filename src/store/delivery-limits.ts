/** How many deliveries are kept, for how long, and how much of what they carried. */
export interface DeliveryLimits {
  readonly count: number;
  readonly ageMs: number;
  /** For the payloads of deliveries that are worked off: beyond it the oldest payloads go, and what they came to stays. */
  readonly payloadBytes: number;
}

export const usualDeliveryLimits: DeliveryLimits = {
  count: 10_000,
  ageMs: 30 * 24 * 60 * 60 * 1000,
  payloadBytes: 64 * 1024 * 1024,
};
