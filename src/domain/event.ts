import type { ImageDependencies } from './dependencies.ts';
import type { Digest } from './digest.ts';
import type { RepositoryName, Tag } from './image-reference.ts';
import type { Outcome } from './outcome.ts';
import type { FinalStatus, OutputImage, RunId } from './run.ts';
import type { Step, StepId } from './step.ts';

/** Who wrote a line of output: the step's own streams, or Slipway itself. */
export type OutputStream = 'stdout' | 'stderr' | 'system';

/** Everything that happens in a run, as one stream: logs, status, live views and tests all read it. */
export type RunEvent =
  | { readonly kind: 'run-queued' }
  | { readonly kind: 'run-started'; readonly attempt: number; readonly worker: string }
  | { readonly kind: 'run-planned'; readonly steps: readonly { readonly id: StepId; readonly kind: Step['kind'] }[] }
  | { readonly kind: 'step-started'; readonly step: StepId }
  /** One line, without its line end. `step` is absent for lines about the run itself. */
  | { readonly kind: 'output'; readonly step?: StepId; readonly stream: OutputStream; readonly text: string }
  /** A try of a cmd step begins; tries of a run's step are numbered from 1. */
  | { readonly kind: 'try-started'; readonly step: StepId; readonly number: number }
  /** A try of a step that may have several is over; `isRetried`: another one follows it. */
  | {
      readonly kind: 'try-ended';
      readonly step: StepId;
      readonly number: number;
      readonly outcome: Outcome;
      readonly isRetried: boolean;
    }
  /** `takenFrom`: it was done in that run, which this run goes on from. */
  | { readonly kind: 'step-ended'; readonly step: StepId; readonly outcome: Outcome; readonly takenFrom?: RunId }
  /** `takenFrom`: as for the end of the step. */
  | {
      readonly kind: 'image-pushed';
      readonly step: StepId;
      readonly image: OutputImage;
      readonly takenFrom?: RunId;
    }
  /** What the images that a build step made stand on: one entry for each name, one without a name when it has none. */
  | { readonly kind: 'dependencies-found'; readonly step: StepId; readonly dependencies: readonly ImageDependencies[] }
  | { readonly kind: 'run-ended'; readonly status: FinalStatus; readonly message?: string };

/** An event with its place in the run's stream (1, 2, 3 … without gaps) and its time (ISO 8601, UTC). */
export type SequencedEvent = RunEvent & { readonly seq: number; readonly at: string };

/** The request of a client that made something happen in the registry. */
export interface RegistryRequest {
  readonly id: string;
  /** The registry, as the client has named it (`Host`). */
  readonly host: string;
  readonly method: string;
  readonly userAgent?: string;
  /** Where the client has called from. */
  readonly address?: string;
}

interface RegistryEventBase {
  /** Unique, and the same when the event is raised again: use it to do things once. */
  readonly id: string;
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest. */
  readonly size: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Name of the account that did it; undefined: anonymous. */
  readonly by?: string;
  /** Absent for what the registry has done by itself. */
  readonly request?: RegistryRequest;
  /** Media type of the configuration that the manifest names, which tells a Helm chart from an image. */
  readonly configMediaType?: string;
  /** What the chart's own metadata say, where the registry has read them. */
  readonly chart?: { readonly name: string; readonly version: string };
}

/** A manifest was put; one event for each tag, or one without a tag when it was put by digest. */
export interface PushEvent extends RegistryEventBase {
  readonly kind: 'push';
  readonly tag?: Tag;
  /** What the tag stood for before, if anything. */
  readonly previousDigest?: Digest;
  /** Set for signatures, attestations and the like: what they are about. */
  readonly subject?: Digest;
}

/** A manifest was deleted, and all its tags with it. */
export interface DeleteEvent extends RegistryEventBase {
  readonly kind: 'delete';
  /** The tags that have gone with it. */
  readonly tags?: readonly Tag[];
}

/** A tag was deleted; the manifest stays. */
export interface UntagEvent extends RegistryEventBase {
  readonly kind: 'untag';
  readonly tag: Tag;
}

/** A manifest was put that nobody may pull before it has been looked at; a {@link PushEvent} follows when it may be. */
export interface QuarantineEvent extends RegistryEventBase {
  readonly kind: 'quarantine';
  readonly tag?: Tag;
  /** As of a push. */
  readonly subject?: Digest;
}

/** What the registry tells the rest of the product. */
export type RegistryEvent = PushEvent | DeleteEvent | UntagEvent | QuarantineEvent;
