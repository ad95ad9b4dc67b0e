import type { ImageAtDigest } from '../domain/base-image.ts';
import type { TagReturn } from '../domain/campaign.ts';
import type { ImageIdentity, PlatformManifest } from '../domain/dependencies.ts';
import type { Digest } from '../domain/digest.ts';
import type { Run, RunId } from '../domain/run.ts';
import type { TaskName } from '../domain/task.ts';

/** A run of a task that a campaign wants. */
export interface WantedRun {
  readonly task: TaskName;
  readonly campaign: string;
  /** 1 for the first one of this task in this campaign; asking for the same one again comes to the same run. */
  readonly try: number;
  /** The images that it is rebuilt for, as the run's cause names them: it must not be built on anything older. */
  readonly images: readonly ImageAtDigest[];
  /** Build arguments that the campaign sets (a tag that is followed). */
  readonly arguments?: Readonly<Record<string, string>>;
}

/** The runs of campaigns. Every method rejects with `redis-unavailable` when the store is away. */
export interface CampaignRuns {
  /** Makes and queues them in the lane of patches, in few round trips; for each, in order, the run or why there can be none. */
  start(wanted: readonly WantedRun[]): Promise<readonly ({ readonly runId: RunId } | { readonly because: string })[]>;
  get(id: RunId): Promise<Run | undefined>;
  cancel(id: RunId, by: string): Promise<void>;
}

/**
 * Reads what an image has for each of these platforms, in their order; without a digest where that cannot be learned. Never rejects for what
 * a registry does or does not do.
 */
export type PlatformReader = (
  image: ImageAtDigest,
  platforms: readonly string[],
) => Promise<readonly PlatformManifest[]>;

/** Tags as the registries have them now. */
export interface TagKeeper {
  /** What a reference with a tag stands for; undefined: there is no such image, or its registry cannot be asked. */
  digestOf(image: ImageIdentity): Promise<Digest | undefined>;
  /** Points a tag of our registry back, if it stands for what is said; false: it does not, or it is no tag of ours. */
  pointBack(tag: TagReturn): Promise<boolean>;
}
