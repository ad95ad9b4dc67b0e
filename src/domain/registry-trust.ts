import type { Digest } from './digest.ts';

/*
 * Content trust: whose signatures images must bear before they can be pulled, and what was found of one.
 */

/** Whose signature the images of some repositories must bear. Plain data, as it is stored. */
export interface TrustPolicy {
  readonly name: string;
  /** `team/app`, `team/*` (everything below `team/`), or `*`. */
  readonly repositories: readonly string[];
  /** Public keys in PEM: for cosign's signatures and Sigstore bundles. */
  readonly keys: readonly string[];
  /** Certificates in PEM, authorities or signers: for Notation's signatures. */
  readonly certificates: readonly string[];
  /** `enforce` holds back what is not signed; `warn` lets it out and says so. */
  readonly mode: 'enforce' | 'warn';
  /** How many different keys or certificates must have signed. */
  readonly minSignatures: number;
  /**
   * When a certificate must be valid. `now` (and at signing time) is the safe one: nobody vouches for the signing time,
   * so that the thief of an ended certificate's key could sign in the past. `signing-time` lets old signatures stand.
   */
  readonly certificateValidity: 'now' | 'signing-time';
}

/** Who signed: one key or certificate, counted once however often it signed. */
export interface Signer {
  /** `sha256:<hex>` of the public key (SubjectPublicKeyInfo). */
  readonly id: string;
  /** The key for people: its kind, or the certificate's subject. */
  readonly name: string;
  readonly format: 'cosign' | 'sigstore-bundle' | 'notation';
  /** The manifest that holds the signature. */
  readonly artifact: Digest;
  /** When it was signed, as the signer says, in milliseconds since the epoch. */
  readonly signedAt?: number;
  /** From then on (milliseconds since the epoch) the signature is no longer good. */
  readonly validUntil?: number;
}

/** Why one candidate does not count. */
export interface Refusal {
  /** The manifest that was looked at. */
  readonly artifact: Digest;
  /** The layer of it, counted from 0. */
  readonly layer?: number;
  readonly because: string;
}

/** What a policy says of an image. */
export interface Verdict {
  /** The policy's name. */
  readonly policy: string;
  readonly isTrusted: boolean;
  /** How many signers the policy demands. */
  readonly required: number;
  /** In the order found; no more are looked for than are demanded. */
  readonly signers: readonly Signer[];
  /** Every candidate that was looked at and did not count. */
  readonly refusals: readonly Refusal[];
  /** When the verdict must be asked for again, in milliseconds since the epoch. */
  readonly validUntil?: number;
}

/** What all policies together say of an image. */
export interface ImageTrust {
  readonly repository: string;
  readonly digest: Digest;
  /** Whether those can pull it who may not sign. */
  readonly isAllowed: boolean;
  /** Empty when no policy has a word in its repository, or it holds only documents about images. */
  readonly verdicts: readonly Verdict[];
  /** One sentence for each policy that is not content, whether it enforces or warns. */
  readonly complaints: readonly string[];
}

/** Where trust policies are looked after. `who` is whoever does it. */
export interface TrustDesk {
  /** By name; from memory. */
  list(): readonly TrustPolicy[];
  get(name: string): TrustPolicy | undefined;
  /** Writes one whole, from JSON without its name. Rejects with `invalid-request` (the field) or `conflict`. */
  put(name: string, body: object, who: string): Promise<TrustPolicy>;
  /** False: there was none. */
  delete(name: string, who: string): Promise<boolean>;
  /** What the policies say of a tag or digest. Rejects with `not-found`; as the store does when it cannot be read. */
  verify(repository: string, reference: string): Promise<ImageTrust>;
}
