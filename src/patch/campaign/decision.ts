import type { BaseUpdate, ImageAtDigest } from '../../domain/base-image.ts';
import type { BoardChange, CampaignPolicy, CampaignWithNodes, TagReturn } from '../../domain/campaign.ts';
import type { RunId } from '../../domain/run.ts';
import type { TaskName } from '../../domain/task.ts';
import type { ImageGraph } from '../graph/image-graph.ts';
import type { WantedRun } from '../ports.ts';
import type { BoardDraft } from './draft.ts';
import type { NodeKey } from './node.ts';

/** What people can do to a campaign. */
export const campaignActions = ['pause', 'resume', 'cancel', 'retry', 'rollback'] as const;
export type CampaignAction = (typeof campaignActions)[number];

/** What a run of a campaign came to. */
export type RunEnd =
  /** `isStale`: it was built on an image that is older than what was wanted. */
  | { readonly kind: 'succeeded'; readonly isStale: boolean }
  | { readonly kind: 'canceled'; readonly by: string }
  | { readonly kind: 'failed'; readonly because: string };

/** Something that a decision is asked for. */
export type Input =
  /** A base has changed. `countsUnknown` false: tasks of which nobody knows what they were built on are left alone. */
  | { readonly kind: 'update'; readonly update: BaseUpdate; readonly countsUnknown: boolean }
  /** The run of a task is over; `after` is what the task's tags stand for then. */
  | {
      readonly kind: 'ended';
      readonly campaign: string;
      readonly task: TaskName;
      readonly runId: RunId;
      readonly end: RunEnd;
      readonly after: readonly ImageAtDigest[];
    }
  /** What asking for a run came to. */
  | {
      readonly kind: 'started';
      readonly wanted: WantedRun;
      readonly result: { readonly runId: RunId } | { readonly because: string };
    }
  /**
   * `over` is the campaign when it is not on the board. Where tags of it may have been pointed back: `lost` are tasks whose images cannot be
   * pointed to again, `standing` the tags, by reference key, that stand for what the campaign has made.
   */
  | {
      readonly kind: 'command';
      readonly id: string;
      readonly action: CampaignAction;
      readonly by: string;
      readonly over?: CampaignWithNodes;
      readonly lost?: ReadonlySet<NodeKey>;
      readonly standing?: ReadonlySet<string>;
    }
  /** Tags of a campaign were pointed back, or could not be. */
  | { readonly kind: 'returned'; readonly campaign: string; readonly done: readonly TagReturn[] }
  /** Time has passed. */
  | { readonly kind: 'look' };

/** What a decision rests on, beside the board. */
export interface DecisionContext {
  readonly graph: ImageGraph;
  /** ISO 8601, UTC. */
  readonly now: string;
  /** For campaigns that are opened. */
  readonly policy: CampaignPolicy;
}

/** What is to be done. */
export interface Decision {
  /** False: there is nothing to write. */
  readonly isChange: boolean;
  readonly change: BoardChange;
  /** Tags to be pointed back when `change` is written, which remembers them; doing it twice does no harm. */
  readonly returns: readonly { readonly campaign: string; readonly tags: readonly TagReturn[] }[];
  /** To be asked for when `change` is written: their nodes are `running` in it, without a run. */
  readonly starts: readonly WantedRun[];
  /** To be canceled when `change` is written. */
  readonly cancels: readonly { readonly runId: RunId; readonly by: string }[];
  /** The campaign that took the last update up, if any did. */
  readonly takenBy?: string;
}

/** A decision while it is made. */
export interface Turn {
  readonly draft: BoardDraft;
  readonly policy: CampaignPolicy;
  readonly starts: WantedRun[];
  readonly cancels: { readonly runId: RunId; readonly by: string }[];
}
