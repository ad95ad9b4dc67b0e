import type { BaseUpdate, ImageAtDigest } from './base-image.ts';
import type { ImageDependencies, ImageIdentity } from './dependencies.ts';
import type { Digest } from './digest.ts';
import type { RunId } from './run.ts';
import type { TaskName } from './task.ts';

/** `Queued`: waits for campaigns whose tasks it shares. `Held`: an early wave failed. The last three are final. */
export const campaignStatuses = ['Queued', 'Running', 'Paused', 'Held', 'Succeeded', 'Failed', 'Canceled'] as const;
export type CampaignStatus = (typeof campaignStatuses)[number];

/** True for the statuses that a campaign only leaves when people ask for a retry. */
export function isOver(status: CampaignStatus): boolean {
  return status === 'Succeeded' || status === 'Failed' || status === 'Canceled';
}

/** Where a task is in a campaign. */
export type NodeState =
  /** For its bases, its wave, or a free place; after a run that failed, not to be started before `notBefore` (ISO 8601, UTC). */
  | { readonly kind: 'waiting'; readonly notBefore?: string }
  /** Its run is made, queued or at work. */
  | { readonly kind: 'running'; readonly runId?: RunId }
  | { readonly kind: 'rebuilt'; readonly runId: RunId }
  /** Its run made the same images again, and their tags stayed. */
  | { readonly kind: 'unchanged'; readonly runId: RunId }
  /** None of the images that it was to be rebuilt for has changed in the end. */
  | { readonly kind: 'unneeded' }
  | { readonly kind: 'failed'; readonly runId?: RunId; readonly because: string }
  /** A task that it stands on has failed. */
  | { readonly kind: 'blocked'; readonly by: TaskName }
  /** Not to be rebuilt by itself: `because` says why. */
  | { readonly kind: 'skipped'; readonly because: string }
  | { readonly kind: 'canceled' };

/** One task in a campaign. */
export interface CampaignNode {
  readonly task: TaskName;
  /** 0 goes first; a wave begins when all of those before it have ended well. */
  readonly wave: number;
  /** The tasks of this campaign that must have ended before it begins. */
  readonly needs: readonly TaskName[];
  /** Those of them whose images it only reads while it is built: it begins after them however they end. Absent: none. */
  readonly onlyReads?: readonly TaskName[];
  /** The images for which it is rebuilt. Those that a task of the campaign makes get their digest when they are made. */
  readonly bases: readonly ImageIdentity[];
  /** What its images' tags stood for before: they are compared with it, and can be pointed back to it. */
  readonly before: readonly ImageAtDigest[];
  /** What those images stand on, where that was known when it first ran. */
  readonly standing?: readonly ImageDependencies[];
  /** What its tags stand for since its last run. */
  readonly after: readonly ImageAtDigest[];
  /** How often it was started. */
  readonly tries: number;
  readonly state: NodeState;
  /** How long it is likely to take, milliseconds; absent: nobody knows. */
  readonly durationMs?: number;
}

/** How a campaign goes about it; what the installation's settings said when it was opened. */
export interface CampaignPolicy {
  /** Runs at a time, at least 1. */
  readonly concurrency: number;
  /** How often a failed task is started again by itself. */
  readonly retries: number;
  /** How many such second tries the whole campaign has. */
  readonly retryBudget: number;
  /** A task whose runs of campaigns failed this often in a row is not started by itself any more. */
  readonly breakerAfter: number;
}

/** All that base updates which belong together rebuild. */
export interface Campaign {
  /** `cp1`, `cp2`, … */
  readonly id: string;
  readonly status: CampaignStatus;
  /** Why it is held, paused or over, for people. */
  readonly because?: string;
  /** ISO 8601, UTC. */
  readonly createTime: string;
  readonly finishTime?: string;
  /** Nothing is started any more; it is over when the runs that were at work have ended. `rollsBack`: the tags that it moved go back. */
  readonly cancelRequested?: { readonly at: string; readonly by: string; readonly rollsBack?: boolean };
  /** What is still to be done about tags that it has moved; it is not over before that. Absent: nothing. */
  readonly tagReturns?: readonly TagReturn[];
  /** In the order in which they came. */
  readonly updates: readonly BaseUpdate[];
  /** Tasks that stand on each other in a circle: each is rebuilt once, in the order of their names. */
  readonly cycles: readonly (readonly TaskName[])[];
  readonly policy: CampaignPolicy;
  /** How many second tries were used. */
  readonly retriesUsed: number;
  /** The campaigns that must be over before it begins. */
  readonly waitsFor: readonly string[];
  /** How many nodes it has, by the kind of their state. */
  readonly counts: Readonly<Partial<Record<NodeState['kind'], number>>>;
}

/** A campaign with its tasks, by name in lower case. */
export interface CampaignWithNodes {
  readonly campaign: Campaign;
  readonly nodes: ReadonlyMap<string, CampaignNode>;
}

/** Every campaign that is not over. One version for all: whoever decides anything has seen everything. */
export interface CampaignBoard {
  readonly version: number;
  /** The number that the next campaign gets. */
  readonly nextNumber: number;
  /** By id, oldest first. */
  readonly campaigns: ReadonlyMap<string, CampaignWithNodes>;
}

/** What a decision changes on the board. */
export interface BoardChange {
  /** Campaigns that are new or other than before; one that is over leaves the board. */
  readonly campaigns: readonly Campaign[];
  /** Nodes that are new or other than before, by campaign. */
  readonly nodes: ReadonlyMap<string, readonly CampaignNode[]>;
}

/** A tag that is to stand for `to` again, if it still stands for `from`. */
export interface TagReturn {
  readonly image: ImageAtDigest;
  readonly from: Digest;
  /** Whose tag it is; absent: nobody knows. */
  readonly task?: TaskName;
  /** What the image stands on; absent: nobody knows. */
  readonly standing?: ImageDependencies;
}
