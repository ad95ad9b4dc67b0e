import type { Digest } from './digest.ts';
import type { ScannedImage, ScanPolicy } from './registry-scan.ts';

/** Why a run was made (azure-api.md §6.3). Times are ISO 8601 in UTC. */
export type RunCause =
  | {
      readonly kind: 'manual';
      readonly by: string;
      /** The run that this one repeats. */
      readonly rerunOf?: string;
      /** It goes on from where that run failed. */
      readonly fromFailed?: boolean;
    }
  | {
      readonly kind: 'source';
      /** The name of the task's trigger. */
      readonly trigger: string;
      /** The delivery's id. */
      readonly id: string;
      readonly eventType: 'commit' | 'pullrequest' | 'tag';
      readonly commitId?: string;
      readonly pullRequestId?: string;
      readonly repositoryUrl: string;
      readonly branchName?: string;
      readonly tagName?: string;
      /** Full git ref of the event: runs of the same ref can supersede each other. */
      readonly ref: string;
      readonly providerType: string;
      /** Who pushed. */
      readonly by?: string;
      /** False: a stranger's code, run without the task's secrets and without the right to push. */
      readonly isTrusted: boolean;
      /** The run that this one repeats. */
      readonly rerunOf?: string;
      /** It goes on from where that run failed. */
      readonly fromFailed?: boolean;
    }
  | { readonly kind: 'timer'; readonly timerTriggerName: string; readonly scheduleOccurrence: string }
  | {
      readonly kind: 'image-update';
      readonly id: string;
      readonly timestamp: string;
      readonly images: readonly {
        readonly registry: string;
        readonly repository: string;
        readonly tag?: string;
        readonly digest: Digest;
      }[];
      /** The campaign that it belongs to. */
      readonly campaign?: string;
      /** How the task's trigger wanted its images renewed when the run was made; absent: `rebuild`. */
      readonly strategy?: 'rebuild' | 'rebase' | 'auto';
    }
  | ({
      /** Looks at an image in our registry; what it is to decide is as the policy was when the run was made. */
      readonly kind: 'scan';
      readonly image: ScannedImage;
      /** Absent: it was pushed. */
      readonly by?: string;
    } & Pick<ScanPolicy, 'failOn' | 'quarantine' | 'scanner'>);

/** The lanes of the queue, the most urgent first: people before pushes before timers before patches; none starves. */
export const lanes = ['people', 'pushes', 'timers', 'patches'] as const;
export type Lane = (typeof lanes)[number];

/** The lane that a run goes into. */
export function laneOf(cause: RunCause | undefined): Lane {
  switch (cause?.kind) {
    case undefined:
    case 'manual':
      return 'people';
    case 'source':
    case 'scan':
      return 'pushes';
    case 'timer':
      return 'timers';
    case 'image-update':
      return 'patches';
  }
}
