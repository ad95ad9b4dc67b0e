import type { ContainerLimits } from '../limits/applied.ts';
import type { MountWorld } from './mounts.ts';

/** A network that a container may be on. */
export interface NetworkEnd {
  /** `bridge`, `none`, or the engine's name of a network of the run. */
  readonly mode: string;
  /** True where containers find each other by name. */
  readonly hasNames: boolean;
}

/** What a step's containers may refer to; lookups throw `not-found` for what is not the run's. */
export interface ContainerWorld extends MountWorld {
  readonly labels: Readonly<Record<string, string>>;
  /** What each container may have. */
  readonly limits: ContainerLimits;
  /** The id of a container of the run. */
  container(name: string): string;
  /** A network of the run, by whatever name or id; the run's own one for `default`. */
  network(name: string): NetworkEnd;
}
