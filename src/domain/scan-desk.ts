import type { ScanPolicy } from './registry-scan.ts';
import type { RunId } from './run.ts';

/** Where the scan policy is looked after. `who` is whoever does it. */
export interface ScanPolicyDesk {
  get(): ScanPolicy | undefined;
  /** Writes it whole, from JSON. Rejects with `invalid-request` (the field). */
  put(body: object, who: string): Promise<ScanPolicy>;
  /** False: there was none. */
  delete(who: string): Promise<boolean>;
}

/** The same, and where scans are started by hand. */
export interface ScanDesk extends ScanPolicyDesk {
  /**
   * Starts a scan of an image (`team/app:v1`, `team/app@sha256:…`), whatever the policy says of its repository. Rejects with `not-found`,
   * with `conflict` where there is no policy, and as making a run does.
   */
  start(image: string, who: string): Promise<RunId>;
}
