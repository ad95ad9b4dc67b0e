/**
 * What one question may cost. Signatures lie where anybody with push rights can put them, so every number that a
 * stranger chooses has a bound; what lies beyond it is refused like a bad signature.
 */
export const limits = {
  /** Signature manifests looked at for one image. */
  candidates: 64,
  /** Layers looked at in one signature manifest. */
  layers: 64,
  /** Bytes of one signature manifest. */
  manifestBytes: 4 * 1024 * 1024,
  /** Bytes of one cosign payload or JWS envelope. */
  payloadBytes: 256 * 1024,
  /** Bytes of one Sigstore bundle; its envelope carries the whole statement. */
  bundleBytes: 4 * 1024 * 1024,
  /** Bytes read for one image in all. */
  totalBytes: 32 * 1024 * 1024,
  /** Signatures checked against a key for one image, those of certificates counted too. */
  checks: 256,
  /** Refusals that a verdict tells. */
  refusals: 100,
  /** Nesting of any JSON document. */
  jsonDepth: 32,
  /** Certificates in a signature's chain, and bytes of each. */
  chain: 10,
  certificateBytes: 16 * 1024,
} as const;

/** What is left to spend on one image. */
export interface Budget {
  bytes: number;
  checks: number;
}

/** A full purse. */
export function createBudget(): Budget {
  return { bytes: limits.totalBytes, checks: limits.checks };
}
