import type { Digest } from './digest.ts';

/*
 * The scan hook: what looks at images that are pushed. Times are ISO 8601 in UTC.
 */

/** From how many findings of a severity on an image is bad. A severity that is left out never makes it so. */
export interface ScanRule {
  readonly limits: Readonly<Partial<Record<'critical' | 'high' | 'medium' | 'low' | 'unknown', number>>>;
  /** What a report that cannot be counted means. */
  readonly uncounted: 'fail' | 'pass';
}

/** What scans, when, and what its report decides. */
export interface ScanPolicy {
  /** Names, `prefix/*` or `*`. */
  readonly repositories: readonly string[];
  /** An image and what follows it, as in a `cmd` step; or the name of a task. */
  readonly scanner: { readonly image: string; readonly arguments: string } | { readonly task: string };
  /** Seconds, 300–28800. */
  readonly timeout: number;
  /** Without it the report is kept and nothing is decided. */
  readonly failOn?: ScanRule;
  /** Whether the report decides about the image's quarantine. */
  readonly quarantine: boolean;
  readonly updatedTime: string;
}

/** An image that is scanned. */
export interface ScannedImage {
  /** As images name it. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest. */
  readonly size: number;
}
