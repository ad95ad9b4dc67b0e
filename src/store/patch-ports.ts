import type { ObservedImage, TaskImages } from '../domain/base-image.ts';
import type { BoardChange, Campaign, CampaignBoard, CampaignNode } from '../domain/campaign.ts';
import type { ImageIdentity } from '../domain/dependencies.ts';
import type { TaskName } from '../domain/task.ts';

/** What tasks' images stand on, and what references were seen to stand for. */
export interface BaseImageStore {
  get(task: string): Promise<TaskImages | undefined>;
  /** Writes what is known of a task, whole. What was learned of an older version of the task than the one kept is left out: false. */
  put(record: TaskImages): Promise<boolean>;
  /**
   * Changes the record of a task in one atomic step; `change` may be called again when somebody else was quicker. What it gives is
   * written, undefined leaves the record as it is. Resolves with the record as it is then.
   */
  update(
    task: string,
    change: (before: TaskImages | undefined) => TaskImages | undefined,
  ): Promise<TaskImages | undefined>;
  delete(task: string): Promise<void>;
  /**
   * Everything that has changed since `cursor` was given (absent: all there is). A record may come again that has not changed. Costs next
   * to nothing when nothing has. `removed` are names in lower case, of tasks that may be unknown to the caller. `isWhole`: `records` are all
   * there is, whatever is not among them is gone, and `removed` is empty. That is said without a cursor, and for one that is of no use: it is
   * older than the last 1000 removals, from before an outage of the store, or another process's.
   */
  changes(cursor?: string): Promise<{
    readonly records: readonly TaskImages[];
    readonly removed: readonly TaskName[];
    readonly isWhole: boolean;
    readonly cursor: string;
  }>;
  /** What references (with a tag) were seen to stand for, in the order asked for. */
  observed(images: readonly ImageIdentity[]): Promise<readonly (ObservedImage | undefined)[]>;
  /**
   * Notes what a reference stands for if it is known with `changes` changes so far (0: not known at all); false: it is not, or has no tag.
   * It then has one change more: 1 after the first time.
   */
  observe(observed: Omit<ObservedImage, 'changes'>, changes: number): Promise<boolean>;
  /** Forgets what references were seen to stand for. */
  forget(images: readonly ImageIdentity[]): Promise<void>;
}

/** The campaigns. */
export interface CampaignStore {
  /**
   * All campaigns that are not over, with their nodes, as they were at one moment; undefined when the board still has version `known`. A
   * board without any campaign ever has version 0.
   */
  readBoard(known?: number): Promise<CampaignBoard | undefined>;
  /**
   * Writes a decision in one atomic step: the board's version goes up by one. False, with nothing written, when the board is not at
   * `expected` any more. Updates of a campaign are remembered: see `findByUpdate`. A campaign that was over comes back to the board
   * when it is written as one that is not. Nodes may only be written of campaigns that there are, or that are written with them. After
   * `redis-unavailable` it is not known whether it was written: the next board says so.
   */
  commit(expected: number, change: BoardChange): Promise<boolean>;
  get(id: string): Promise<Campaign | undefined>;
  /** The nodes of a campaign, over or not, in no order. */
  nodes(id: string): Promise<readonly CampaignNode[]>;
  /** Newest first; hand `next` back as `after`. */
  list(query: { readonly limit: number; readonly after?: string }): Promise<{
    readonly campaigns: readonly Campaign[];
    readonly next?: string;
  }>;
  /** The campaign that has taken an update up; known for 30 days after that campaign was last written, even when it is forgotten. */
  findByUpdate(updateId: string): Promise<string | undefined>;
  /**
   * Forgets campaigns that were over before `before` (ISO 8601), at most `limit`, those first that were over first; resolves with how many.
   * The board's version goes up when there were any, so that nobody reopens one that is gone.
   */
  removeOld(before: string, limit: number): Promise<number>;
}
