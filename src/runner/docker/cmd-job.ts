import { setImmediate as turn } from 'node:timers/promises';
import type { Outcome } from '../../domain/outcome.ts';
import type { CmdStep } from '../../domain/step.ts';
import type { StepIo } from '../../engine/ports.ts';
import { removeContainer } from './container.ts';
import type { RunNetworks } from './network.ts';
import { nameOf, type RunScope } from './scope.ts';
import type { Startups } from './startups.ts';
import type { RunVolumes } from './volumes.ts';

/** One try of a cmd step. */
export interface CmdJob {
  readonly scope: RunScope;
  readonly networks: RunNetworks;
  readonly volumes: RunVolumes;
  /** Of the whole run. */
  readonly startups: Startups;
  readonly step: CmdStep;
  readonly io: StepIo;
  readonly signal: AbortSignal;
  /** From 1. */
  readonly attempt: number;
  /** Takes over a container that outlives its step; it ends with the run. */
  readonly keep: (kept: KeptContainer) => void;
  /** False for an engine that cannot give containers a first process that reaps others and hands signals on. */
  readonly hasInit?: boolean;
}

/** A container that is there until the end of the run. */
export interface KeptContainer {
  readonly id: string;
  /** Resolves when its output is over. */
  readonly ended: Promise<void>;
  /** Nothing is written to the log any more after this. */
  readonly silence: () => void;
}

/** The name of a try's container on the engine; no other try has it. */
export function containerName({ scope, step, attempt }: CmdJob): string {
  return nameOf(scope, step.id, attempt);
}

/**
 * Removes a container that is done with; behind the step's back, and not before what the step came to is kept for good. Those that are about
 * to start go first: they are waited for.
 */
export function discard({ scope, startups }: CmdJob, id: string): Promise<void> {
  return scope.inBackground('removing a container', async () => {
    await turn(); // the outcome is on its way by now
    await scope.setup.recorded?.();
    await startups.over();
    await removeContainer(scope.engine, id);
  });
}

/** A step that failed with a message for people, and its exit code where it has one. */
export const failed = (message: string, exitCode?: number): Outcome => ({
  kind: 'failed',
  message,
  ...(exitCode !== undefined && { exitCode }),
});
