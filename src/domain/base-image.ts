import type { ImageDependencies, ImageIdentity } from './dependencies.ts';
import type { Digest } from './digest.ts';
import type { RunId } from './run.ts';
import type { BaseImageTrigger, TaskName } from './task.ts';

/** An image whose digest is known. */
export type ImageAtDigest = ImageIdentity & { readonly digest: Digest };

/**
 * What a task makes and what that stands on, as it was learned last: one record for each task. It holds what the graph of images needs to
 * know of the task, so that nobody has to read the task beside it.
 */
export interface TaskImages {
  readonly task: TaskName;
  /** The version of the task of which this was learned. */
  readonly taskVersion: number;
  /** From the task's context, before any run, or from a run. `at` is ISO 8601 in UTC. */
  readonly learned:
    | { readonly from: 'context'; readonly at: string }
    | { readonly from: 'run'; readonly runId: RunId; readonly at: string };
  /** An entry for each image that the task makes, with its digest where it was pushed; one without `image` for a build without a name. */
  readonly images: readonly ImageDependencies[];
  /** Images of cmd steps, where the task's trigger asks for them. */
  readonly stepImages: readonly ImageIdentity[];
  /** What could not be made out, for people: `line 3 of Dockerfile: …`. */
  readonly problems: readonly string[];
  /** The newest tags, of those that the task follows, that a good run was made with. Its own file may name older ones. */
  readonly followed?: readonly ImageIdentity[];
  /** The task's trigger as it is; absent: it has none. */
  readonly trigger?: BaseImageTrigger;
  /** False for a disabled task. */
  readonly isEnabled: boolean;
  /** How long its last good run took, milliseconds. */
  readonly durationMs?: number;
  /** When its images were made last; ISO 8601, UTC. */
  readonly builtTime?: string;
  /** How many runs of campaigns failed since the last good run. */
  readonly failuresInRow: number;
  /** The last of those runs, so that none is counted twice. */
  readonly failedRuns?: readonly RunId[];
}

/** What is said of a task's base images until its context has been read: clients wait for it to be over. */
export const beingLearned = 'not learned yet: the task is being read';

/** What a reference (registry, repository and tag) was seen to stand for. */
export interface ObservedImage {
  readonly image: ImageAtDigest;
  /** ISO 8601, UTC: when it was first seen with this digest. */
  readonly since: string;
  /** How often it has changed. */
  readonly changes: number;
}

/** A base image that has changed. */
export interface BaseUpdate {
  /** The same however often, and by however many ways, the change is told ({@link updateIdOf}). */
  readonly id: string;
  readonly image: ImageAtDigest;
  readonly previousDigest?: Digest;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly source: 'registry' | 'hook' | 'poll' | 'manual';
  /** Who pushed or told it, where that is known. */
  readonly by?: string;
}

/** What a reference is known by: `registry/repository:tag`. A reference without a tag cannot change and has no key. */
export function referenceKeyOf({ registry, repository, tag }: ImageIdentity): string | undefined {
  return tag === undefined ? undefined : `${registry}/${repository}:${tag}`;
}

/** The id of the change that makes a reference, which was seen as `before`, stand for another digest. */
export function updateIdOf(image: ImageAtDigest, before: ObservedImage | undefined): string {
  return `${referenceKeyOf(image) ?? image.repository}@${image.digest}#${String((before?.changes ?? 0) + 1)}`;
}
