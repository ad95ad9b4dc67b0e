/*
 * What is done to keep the registry's store in order: garbage collection, and the check of everything that lies in it. Sizes are bytes,
 * times milliseconds unless named otherwise.
 */

/** What a collection is to do. */
export interface CollectionOrder {
  /** Only says what would go. */
  readonly dryRun?: boolean;
  /** Walks through the whole store for bytes that nothing knows of, which a crash leaves; else only when that is due. */
  readonly walk?: boolean;
}

/** Some things and their bytes. */
export interface Amount {
  readonly count: number;
  readonly bytes: number;
}

/** What a collection did, or would do. */
export interface CollectionReport {
  readonly dryRun: boolean;
  /** Blobs that left a repository, because no manifest there named them for long enough. */
  readonly unlinked: Amount;
  /** Contents that no repository holds, newly found: they go when nobody has pushed them again after the delay. */
  readonly condemned: number;
  /** Contents whose bytes were removed. */
  readonly removed: Amount;
  /** Contents that are condemned and wait. */
  readonly waiting: number;
  /** Bytes in the store that nothing knew of, among the condemned; only when the store was walked through. */
  readonly orphans?: number;
}

/** What a check is to look at. */
export interface CheckOrder {
  /** Puts right what can be. */
  readonly repair?: boolean;
  /** Only this repository, and what it holds. */
  readonly repository?: string;
  /** False: asks for the sizes of contents alone, and reads none. */
  readonly bytes?: boolean;
  /** How fast contents are read at most. */
  readonly bytesPerSecond?: number;
}

/** `error`: something cannot be pulled. `warning`: something is not as it should be. `note`: garbage collection sees to it. */
export type FindingSeverity = 'error' | 'warning' | 'note';

/** What can be found. */
export const findingKinds = [
  'content-missing',
  'content-damaged',
  'manifest-missing',
  'manifest-damaged',
  'manifest-record-wrong',
  'reference-missing',
  'tag-dangling',
  'deleted-record-wrong',
  'state-unreadable',
  'state-differs',
  'orphan',
  'unknown-object',
  'stale-upload',
] as const;

export type FindingKind = (typeof findingKinds)[number];

/** Something that is not as it should be. */
export interface Finding {
  readonly kind: FindingKind;
  readonly severity: FindingSeverity;
  /** Repository, `repository:tag`, `repository@digest`, digest, or key in the store. */
  readonly where: string;
  readonly message: string;
  /** What was done about it; absent: nothing, it is left. */
  readonly repaired?: string;
  /** What would mend it. */
  readonly hint?: string;
}

export type CheckPhase = 'state' | 'records' | 'contents' | 'store';

/** How far a check is. */
export interface CheckProgress {
  readonly phase: CheckPhase;
  readonly done: number;
  /** Absent where it is not known. */
  readonly total?: number;
  /** Bytes that were read in all. */
  readonly bytes: number;
}

export interface CheckSummary {
  readonly repositories: number;
  readonly manifests: number;
  readonly tags: number;
  readonly contents: Amount;
  /** Bytes that were read. */
  readonly read: number;
  readonly findings: number;
  /** Errors and warnings that are left. */
  readonly left: number;
  readonly seconds: number;
}

/** One line of a check's report; the summary is the last. */
export type CheckMessage =
  | ({ readonly is: 'finding' } & Finding)
  | ({ readonly is: 'progress' } & CheckProgress)
  | ({ readonly is: 'summary' } & CheckSummary);

/** Keeps the registry's store in order. */
export interface RegistryUpkeep {
  /** Runs after a collection that is under way. Rejects with `storage-unavailable`. */
  collect(order?: CollectionOrder): Promise<CollectionReport>;
  /** Goes on while the registry is used. Ends early, without a summary, when `signal` aborts. */
  check(order?: CheckOrder, signal?: AbortSignal): AsyncIterable<CheckMessage>;
}
