import type { Digest } from './digest.ts';
import type { RepositoryName, Tag } from './image-reference.ts';

/*
 * The care of images: policies of the registry (what is deleted by itself, what can be had back, what must be looked at first), and
 * what people do by hand. Times are ISO 8601 in UTC, sizes bytes.
 */

/** Service tiers of Azure Container Registry: sets of limits here. */
export const tierNames = ['Basic', 'Standard', 'Premium'] as const;

export type TierName = (typeof tierNames)[number];

/** As Azure writes it in policies. */
export type PolicyStatus = 'enabled' | 'disabled';

/** Deleted manifests can be had back for some days. */
export interface SoftDeletePolicy {
  readonly status: PolicyStatus;
  /** 1 to 90. */
  readonly retentionDays: number;
}

/** Manifests that no tag stands for go after some days. */
export interface RetentionPolicy {
  readonly status: PolicyStatus;
  /** 0 to 365. */
  readonly days: number;
  /** Only those that were not pulled for so long either, 0 to 365; 0 or absent: pulls are nothing to it. */
  readonly notPulledDays?: number;
  /** When it was last enabled: what was untagged before counts from then on. */
  readonly enabledTime?: string;
}

/** What is pushed cannot be pulled before somebody has passed it. */
export interface QuarantinePolicy {
  readonly status: PolicyStatus;
  /** Repositories: names, `prefix/*`, `*`. */
  readonly repositories: readonly string[];
}

/** What a purge takes; see `planPurge`. */
export interface PurgeRule {
  /** `repository-expression:tag-expression` (RE2); the first matches the whole name, the second any part of the tag. */
  readonly filters: readonly string[];
  /** `2d3h6m`: only what is older. */
  readonly ago: string;
  /** `30d`: only what was not pulled for so long, by the tag or its manifest; absent: pulls are nothing to it. */
  readonly notPulledFor?: string;
  /** Also manifests that no tag stands for. */
  readonly untagged?: boolean;
  /** These alone, and no tags. */
  readonly untaggedOnly?: boolean;
  /** Of the tags that would go, so many of the newest stay. */
  readonly keep?: number;
}

/** Purges by the clock. */
export interface PurgePolicy {
  readonly status: PolicyStatus;
  /** Five fields, in UTC. */
  readonly schedule: string;
  readonly rules: readonly PurgeRule[];
}

/** How much some repositories may hold together. */
export interface QuotaRule {
  /** A name, `prefix/*` or `*`. */
  readonly repositories: string;
  readonly maxBytes: number;
}

export interface QuotaPolicy {
  readonly rules: readonly QuotaRule[];
}

/** Tags that, once set, are neither moved nor deleted. */
export interface WriteOnceRule {
  /** A name, `prefix/*` or `*`. */
  readonly repositories: string;
  /** `v*`, `1.2`: `*` stands for any characters; what begins with `!` takes tags out again. */
  readonly tags: readonly string[];
}

export interface WriteOncePolicy {
  readonly rules: readonly WriteOnceRule[];
}

/** All policies, with their defaults where nobody has set them. */
export interface RegistryPolicies {
  readonly softDeletePolicy: SoftDeletePolicy;
  readonly retentionPolicy: RetentionPolicy;
  readonly quarantinePolicy: QuarantinePolicy;
  readonly purgePolicy: PurgePolicy;
  readonly quotaPolicy: QuotaPolicy;
  readonly writeOncePolicy: WriteOncePolicy;
}

/** A change of policies: what is left out stays. */
export type PolicyChange = { readonly [Name in keyof RegistryPolicies]?: Partial<RegistryPolicies[Name]> };

/** What a purge is asked to do by hand. */
export interface PurgeOrder extends PurgeRule {
  /** Only says what would go. */
  readonly dryRun?: boolean;
}

/** What went, or would go. */
export interface PurgeReport {
  readonly dryRun: boolean;
  readonly tags: readonly { readonly repository: RepositoryName; readonly tag: Tag; readonly digest: Digest }[];
  readonly manifests: readonly {
    readonly repository: RepositoryName;
    readonly digest: Digest;
    readonly size: number;
  }[];
  /** Bytes that no repository holds any more; garbage collection removes them later. 0 while they can be had back. */
  readonly bytes: number;
}

/** Something deleted that can be had back: a manifest with the tags that stood for it, or a tag of a manifest that is still there. */
export interface DeletedItem {
  readonly kind: 'manifest' | 'tag';
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly tags: readonly string[];
  readonly mediaType?: string;
  readonly size?: number;
  readonly deletedTime: string;
  readonly deletedBy?: string;
  /** When it goes for good, by the policy as it is now. */
  readonly purgeTime: string;
}

/** What to have back; by tag alone: the manifest that was deleted last with it. */
export interface RestoreOrder {
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
  /** Moves tags that stand for something else by now. */
  readonly force?: boolean;
}

export interface RestoreReport {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  /** Tags that stand for it again. */
  readonly tags: readonly string[];
  /** Tags that stood for it and stand for something else now. */
  readonly taken: readonly string[];
  /** Manifests that came back: this one, and what its index names. */
  readonly manifests: readonly Digest[];
}

/** What one repository takes. */
export interface RepositoryUsage {
  readonly repository: string;
  /** Of distinct contents in it, deleted ones that can be had back among them. */
  readonly bytes: number;
  readonly manifests: number;
  readonly tags: number;
  readonly deleted: number;
}

/** What all of it takes: a content that several repositories hold counts once. */
export interface RegistryUsage {
  readonly bytes: number;
  /** Absent: no limit. */
  readonly maxBytes?: number;
  readonly tier?: string;
  readonly quotas: readonly (QuotaRule & { readonly bytes: number })[];
  readonly repositories: readonly RepositoryUsage[];
}

/** Whether a manifest may be used. */
export interface QuarantineOrder {
  readonly repository: string;
  /** Tag or digest. */
  readonly reference: string;
  readonly state: 'Passed' | 'Failed' | 'Quarantined';
  /** JSON of whoever decided. */
  readonly details?: string;
}

/** Looks after the images of a registry. Rejects with `invalid-request`, `not-found`, `conflict` or `storage-unavailable`. */
export interface RegistryCare {
  policies(): RegistryPolicies;
  update(change: PolicyChange, who: string): Promise<RegistryPolicies>;
  usage(): Promise<RegistryUsage>;
  purge(order: PurgeOrder, who: string): Promise<PurgeReport>;
  /** @param repository only there. */
  deleted(repository?: string): readonly DeletedItem[];
  restore(order: RestoreOrder, who: string): Promise<RestoreReport>;
  quarantine(order: QuarantineOrder, who: string): Promise<{ readonly digest: Digest; readonly state: string }>;
  /** Applies the policies now, as the timer does every few minutes. */
  runPolicies(): Promise<{ readonly removed: number; readonly forgotten: number }>;
}
