import type { Argument } from './run-request.ts';

/** A step's name inside its run: `build`, `push`, `acb_step_0`; also the name of its container. */
export type StepId = string & { readonly __brand: 'StepId' };

interface StepBase {
  readonly id: StepId;
  /** The steps that must have succeeded before this one starts. */
  readonly needs: readonly StepId[];
  readonly timeoutSeconds: number;
}

/** Builds one Dockerfile out of the run's context and tags the result on the engine. */
export interface BuildStep extends StepBase {
  readonly kind: 'build';
  /** Path of the Dockerfile inside the context. */
  readonly dockerfile: string;
  /** Full image references (registry host included). */
  readonly tags: readonly string[];
  readonly target?: string;
  /** `os/architecture[/variant]`; undefined: the engine's own. */
  readonly platform?: string;
  readonly arguments: readonly Argument[];
  readonly noCache: boolean;
}

/** Pushes images that earlier steps tagged. */
export interface PushStep extends StepBase {
  readonly kind: 'push';
  readonly images: readonly string[];
}

export type Step = BuildStep | PushStep;

/** A task made ready to run: plain data, a graph of steps. Nothing after it sees YAML. */
export interface Plan {
  readonly version: string;
  readonly steps: readonly Step[];
}
