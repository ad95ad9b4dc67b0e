import type { Digest } from '../../domain/digest.ts';
import type { BaseReference, FileDependencies } from '../../dockerfile/dependencies.ts';
import type { StepBuild } from './build-job.ts';
import type { ContextState } from './build-source.ts';
import type { RebaseMeans } from './rebase-means.ts';
import type { MadeImage } from './rebase-known.ts';
import type { PushedName } from './rebase-plan.ts';
import type { RegistryClient } from '../../registry-client/client.ts';

/** What is built from: the Dockerfile's text, and the state of its context. */
export interface RebaseSource {
  readonly text: string;
  readonly context: ContextState;
}

/** What a rebase is about, as far as it is known before the registry is asked. */
export interface Known {
  readonly build: StepBuild;
  readonly source: RebaseSource;
  readonly names: readonly PushedName[];
  readonly client: RegistryClient;
  readonly means: RebaseMeans;
  readonly made: MadeImage;
  readonly base: BaseReference;
  /** All that the Dockerfile reads. */
  readonly dependencies: FileDependencies;
}

/** The same once the new base is known. */
export interface Job extends Known {
  readonly newDigest: Digest;
}
