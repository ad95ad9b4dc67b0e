import type { Readable } from 'node:stream';
import type { Plan } from '../../domain/step.ts';
import type { RunSetup } from '../../engine/ports.ts';
import type { EngineCalls } from './request.ts';

/** The labels of everything that a run makes on an engine, but for the images it builds: those stay free of our marks. */
export const labels = {
  installation: 'slipway.installation',
  run: 'slipway.run',
  step: 'slipway.step',
  attempt: 'slipway.attempt',
} as const;

/** What an operator decides about containers of steps. */
export interface ContainerSettings {
  /** Steps may have what reaches into the host: `privileged`, host namespaces, added rights, the engine's socket. Off when not given. */
  readonly allowPrivileged?: boolean;
  /** Path of the engine's socket on the engine's machine, for steps that may have it; the usual one when not given. */
  readonly engineSocket?: string;
  /** Real images for the bare names under which the original's machines have theirs (`docker`, `bash`); others are used as written. */
  readonly images?: Readonly<Record<string, string>>;
  /**
   * Leaves out of a tar archive what its own `.dockerignore` says. Asked for contexts that are a part of something larger (a folder, the
   * workspace) or that a build step fetches itself; when not given they are sent whole.
   */
  readonly packIgnored?: (tar: Readable, dockerfile: string | undefined) => Promise<Readable>;
}

/** What the steps of one run have in common. */
export interface RunScope {
  readonly engine: EngineCalls;
  readonly setup: RunSetup;
  readonly plan: Plan;
  /** The installation's id. */
  readonly installation: string;
  readonly settings: ContainerSettings;
  /** Milliseconds, for the pace of progress lines. */
  readonly now: () => number;
  /** Starts work that the run need not wait for; `what` names it when it goes wrong. */
  readonly inBackground: (what: string, work: () => Promise<void>) => Promise<void>;
}

function clean(part: string | number): string {
  return String(part).replace(/[^a-zA-Z0-9_.-]/g, '_');
}

/** A name on the engine that no other run, and no other attempt at this run, uses. */
export function nameOf({ installation, setup }: RunScope, ...parts: readonly (string | number)[]): string {
  return ['slipway', installation, setup.runId, setup.attempt, ...parts].map(clean).join('-');
}

/** The labels of what belongs to a run, or to one try of one of its steps. */
export function labelsOf(
  { installation, setup }: RunScope,
  step?: { readonly id: string; readonly attempt: number },
): Record<string, string> {
  return {
    [labels.installation]: installation,
    [labels.run]: setup.runId,
    [labels.attempt]: String(setup.attempt),
    ...(step && { [labels.step]: step.id, [labels.attempt]: `${setup.attempt}.${step.attempt}` }),
  };
}
