import type { BaseUpdate } from '../domain/base-image.ts';
import type { CampaignPolicy, CampaignStatus, NodeState } from '../domain/campaign.ts';
import type { ImageIdentity } from '../domain/dependencies.ts';

/** An image in documents: `reference` is a name to pull it by. */
export interface ImageView extends ImageIdentity {
  readonly reference: string;
}

/** One image and one that it stands on (schemas/api/base-image.schema.json). */
export interface StandingView {
  readonly task: string;
  readonly image?: ImageView;
  readonly builtTime?: string;
  readonly base: ImageView;
  readonly type: 'Runtime' | 'BuildTime' | 'Step';
  readonly newestDigest?: string;
  readonly isCurrent?: boolean;
  readonly unchangedFor?: readonly string[];
  readonly behindSince?: string;
  readonly notRebuiltBecause?: string;
}

/** A task that would be rebuilt; times in milliseconds. */
export interface ImpactTaskView {
  readonly task: string;
  readonly level: number;
  readonly wave: number;
  readonly needs: readonly string[];
  readonly onlyReads?: readonly string[];
  readonly bases: readonly ImageView[];
  readonly images: readonly ImageView[];
  readonly durationMs?: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly skippedBecause?: string;
}

/** What a change of an image would rebuild (schemas/api/base-image-impact.schema.json). */
export interface ImpactView {
  readonly image: ImageView;
  readonly durationMs: number;
  readonly concurrency: number;
  readonly tasks: readonly ImpactTaskView[];
  readonly cycles: readonly (readonly string[])[];
  readonly notRebuilt: readonly { readonly task: string; readonly image: ImageView; readonly because: string }[];
}

/** What the server took in, and how many tasks would be rebuilt for it. */
export interface NoticeView {
  readonly image: ImageView;
  readonly tasks: number;
}

export type TaskState = NodeState['kind'];

/** A task of a campaign as it stands. */
export interface CampaignTaskView {
  readonly task: string;
  readonly level: number;
  readonly wave: number;
  readonly needs: readonly string[];
  readonly onlyReads?: readonly string[];
  readonly state: TaskState;
  readonly because?: string;
  readonly blockedBy?: string;
  readonly notBefore?: string;
  readonly runId?: string;
  readonly runStatus?: string;
  readonly startTime?: string;
  readonly finishTime?: string;
  readonly tries: number;
  readonly expectedMs?: number;
  readonly after: readonly ImageView[];
}

/** A campaign (schemas/api/campaign.schema.json): its properties, and its name as `id`. */
export interface CampaignView {
  readonly id: string;
  readonly status: CampaignStatus;
  readonly because?: string;
  readonly createTime: string;
  readonly finishTime?: string;
  readonly cancelRequested?: { readonly at: string; readonly by: string; readonly rollsBack?: boolean };
  readonly updates: readonly (Omit<BaseUpdate, 'image'> & { readonly image: ImageView })[];
  readonly cycles: readonly (readonly string[])[];
  readonly policy: CampaignPolicy;
  readonly waitsFor: readonly string[];
  readonly counts: Readonly<Partial<Record<TaskState, number>>>;
}

/** The same with its tasks, by level. */
export interface CampaignDetails extends CampaignView {
  readonly estimate?: { readonly remainingMs: number };
  readonly tasks: readonly CampaignTaskView[];
}

export const campaignVerbs = ['pause', 'resume', 'cancel', 'retry', 'rollback'] as const;
export type CampaignVerb = (typeof campaignVerbs)[number];

/** What the API shows of a credential for another registry. */
export interface BaseImageCredentialView {
  readonly registry: string;
  readonly lastUpdatedTime: string;
  readonly updatedBy: string;
}

/** The calls that concern base images and campaigns. */
export interface PatchingCalls {
  /** All of them, by task. */
  baseImages(query: { readonly image?: string; readonly isStale: boolean }): Promise<readonly StandingView[]>;
  impact(image: string): Promise<ImpactView>;
  notifyBaseImage(image: string): Promise<NoticeView>;
  /** By registry. */
  baseImageCredentials(): Promise<readonly BaseImageCredentialView[]>;
  setBaseImageCredential(registry: string, username: string, password: string): Promise<BaseImageCredentialView>;
  removeBaseImageCredential(registry: string): Promise<void>;
  /** Newest first. */
  campaigns(top: number): Promise<readonly CampaignView[]>;
  campaign(id: string): Promise<CampaignDetails>;
  changeCampaign(id: string, verb: CampaignVerb): Promise<CampaignDetails>;
}
