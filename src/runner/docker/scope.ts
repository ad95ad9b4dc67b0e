import type { Readable } from 'node:stream';
import type { Plan } from '../../domain/step.ts';
import type { RunSetup } from '../../engine/ports.ts';
import type { RunLimits } from '../../domain/run-limits.ts';
import type { ModemOptions } from './host.ts';
import type { AppliedLimits } from './limits/applied.ts';
import type { CpuSharing } from './limits/cpus.ts';
import type { RebasedImage } from './rebased-image.ts';
import type { EngineCalls } from './request.ts';

/** The labels of everything that a run makes on an engine, but for the images it builds: those stay free of our marks. */
export const labels = {
  installation: 'slipway.installation',
  run: 'slipway.run',
  step: 'slipway.step',
  attempt: 'slipway.attempt',
  /** The most that the container may use of a run's limited processors, in billionths. */
  cpus: 'slipway.cpus',
  /** `socket` on what a step made by the run's engine socket, `kept` on what holds the workspace of a run that failed. */
  origin: 'slipway.origin',
} as const;

/** What an operator decides about containers of steps. */
export interface ContainerSettings {
  /** Host of our registry as image names have it. Not given: a pull fails at once while it is away. */
  readonly registryHost?: string;
  /** Steps may have what reaches into the host: `privileged`, host namespaces, added rights. Off when not given. */
  readonly allowPrivileged?: boolean;
  /**
   * Directory for the engine sockets of runs, under the same path on the engine's machine. Not given: steps that drive the engine are
   * refused.
   */
  readonly socketDirectory?: string;
  /** What a run may have of the engine; the usual when not given. */
  readonly limits?: RunLimits;
  /** Real images for the bare names under which the original's machines have theirs (`docker`, `bash`); others are used as written. */
  readonly images?: Readonly<Record<string, string>>;
  /**
   * Leaves out of a tar archive what its own `.dockerignore` says. Asked for contexts that are a part of something larger (a folder, the
   * workspace) or that a build step fetches itself; when not given they are sent whole.
   */
  readonly packIgnored?: (tar: Readable, dockerfile: string | undefined) => Promise<Readable>;
  /** Images say by labels what they stand on. Off when not given. */
  readonly labelsBases?: boolean;
}

/** What a step that drives the engine is given: the run's own socket, or why there is none. */
export type EngineAccess =
  | { readonly kind: 'socket'; /** On the engine's machine. */ readonly path: string }
  | { readonly kind: 'refused'; readonly why: string };

/** The workspace of a run that failed, and what else its steps shared, held by a container that never runs. */
export interface KeptWorkspace {
  readonly container: string;
  /** The id of its image. */
  readonly image: string;
  /** The parts of the names of its volumes that are the same for every run, and where the container has them. */
  readonly volumes: readonly { readonly name: string; readonly path: string }[];
}

/** What the steps of one run have in common. */
export interface RunScope {
  readonly engine: EngineCalls;
  /** Where the engine is, for what needs a connection of its own to it. */
  readonly address?: ModemOptions;
  /** For steps that drive the engine. */
  readonly engineAccess?: EngineAccess;
  readonly setup: RunSetup;
  readonly plan: Plan;
  /** The installation's id. */
  readonly installation: string;
  /** For a run that is taken up again: an image that it has used; its workspace is filled. */
  readonly heldImage?: string;
  /** What the run's volumes begin with: those of an earlier run. */
  readonly kept?: KeptWorkspace;
  readonly settings: ContainerSettings;
  /** What the run's containers may have. */
  readonly limits: AppliedLimits;
  readonly cpus: CpuSharing;
  /** The images that the run has made in our registry and that are not pushed yet, by their names with registry and tag. */
  readonly rebased?: Map<string, RebasedImage>;
  /** Milliseconds, for the pace of progress lines. */
  readonly now: () => number;
  /** Starts work that the run need not wait for; `what` names it when it goes wrong. */
  readonly inBackground: (what: string, work: () => Promise<void>) => Promise<void>;
}

function clean(part: string | number): string {
  return String(part).replace(/[^a-zA-Z0-9_.-]/g, '_');
}

/** What names on an engine are made of. */
export interface NamedRun {
  readonly installation: string;
  readonly setup: Pick<RunSetup, 'runId' | 'attempt'>;
}

/** A name on the engine that no other run, and no other attempt at this run, uses. */
export function nameOf({ installation, setup }: NamedRun, ...parts: readonly (string | number)[]): string {
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
