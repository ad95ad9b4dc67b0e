import type { BaseUpdate } from '../../domain/base-image.ts';
import type { Campaign, CampaignNode } from '../../domain/campaign.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { Digest } from '../../domain/digest.ts';
import type { Run } from '../../domain/run.ts';
import type { TaskName } from '../../domain/task.ts';
import type { CampaignAction } from '../campaign/decision.ts';
import type { Impact } from '../impact/impact.ts';

/** How an image stands on another: it begins with it, it is only built with it, or a step of its task runs in it. */
export type StandingType = 'Runtime' | 'BuildTime' | 'Step';

/** One image of a task, and one image that it stands on. */
export interface StandingImage {
  readonly task: TaskName;
  /** With its digest where it was pushed; absent for a build without a name, and for a step. */
  readonly image?: ImageIdentity;
  /** When the task's images were made last; ISO 8601, UTC. */
  readonly builtTime?: string;
  /** With the digest that it was built on, where that is known. */
  readonly base: ImageIdentity;
  readonly type: StandingType;
  /** What the base's tag was seen to stand for last; absent: nobody has seen it. */
  readonly newestDigest?: Digest;
  /** Whether it is built on the newest; absent: nobody knows. */
  readonly isCurrent?: boolean;
  /** The platforms that it was built for, where the newest is another index, and the same image for each of them: it is current then. */
  readonly unchangedFor?: readonly string[];
  /** When the newest was seen first, where it is not built on that; ISO 8601, UTC. It may have been behind before. */
  readonly behindSince?: string;
  /** Why it is not rebuilt by itself when the base changes, as a half-sentence whose subject is the task; absent: it is. */
  readonly notRebuiltBecause?: string;
}

export interface StandingQuery {
  /** Only what stands on this one; with a digest, only what is built on that. */
  readonly image?: ImageIdentity;
  /** Only what is known to be built on an older one. */
  readonly isStale?: boolean;
  readonly limit: number;
  readonly after?: string;
}

export interface StandingPage {
  /** By task and image. */
  readonly images: readonly StandingImage[];
  /** Hand it back as `after` for the next page; absent on the last one. */
  readonly next?: string;
}

export interface ImpactReport extends Impact {
  /** How many runs at a time the times are worked out with: the campaign's limit, or what the workers can do if that is less. */
  readonly concurrency: number;
}

/** A task of a campaign as it stands. */
export interface CampaignTask extends CampaignNode {
  /** How many tasks of the campaign, at most, must have ended one after the other before it. */
  readonly level: number;
  /** The run of its last try, where there is one that is still kept. */
  readonly run?: Pick<Run, 'runId' | 'status' | 'startTime' | 'finishTime'>;
}

export interface CampaignReport {
  readonly campaign: Campaign;
  /** By level, and by name within a level. */
  readonly tasks: readonly CampaignTask[];
  /** About how long it takes yet, milliseconds; absent when it is over. */
  readonly remainingMs?: number;
}

export interface CampaignPage {
  /** Newest first. */
  readonly campaigns: readonly Campaign[];
  readonly next?: string;
}

/** What people do with base images and campaigns. Every method rejects with `redis-unavailable` when the store is away. */
export interface PatchingDesk {
  /** Which images stand on which. */
  list(query: StandingQuery): Promise<StandingPage>;
  /** What a change of an image would rebuild; with a digest, without the tasks for whose platforms it is no change. */
  impact(image: ImageIdentity): Promise<ImpactReport>;
  /**
   * Has it looked at whether an image (with a tag) has changed, to its digest or, without one, to what its registry says. Resolves, before
   * that is done, with how many tasks would be rebuilt.
   */
  notify(image: ImageIdentity, by: BaseUpdate['by']): Promise<number>;
  campaigns(query: { readonly limit: number; readonly after?: string }): Promise<CampaignPage>;
  /** Undefined: there is no such campaign. */
  campaign(id: string): Promise<CampaignReport | undefined>;
  /** Does what people ask of a campaign. Rejects with `not-found`, or `conflict` when it is not in a state for it. */
  command(id: string, action: CampaignAction, by: string): Promise<CampaignReport>;
}
