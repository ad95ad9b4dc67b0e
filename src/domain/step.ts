import type { OutputReference } from './output-reference.ts';
import type { Argument } from './run-request.ts';

/** A step's name inside its run: `build`, `push`, `acb_step_0`; also its name on the run's network. */
export type StepId = string & { readonly __brand: 'StepId' };

/**
 * When a step runs, once the steps that it needs are over. `success`: all of them succeeded (or had `ignoreErrors`). `failure`: one of them
 * failed, timed out, or was skipped because of a failure. `always`: in any case. Only `success` exists in the original language.
 */
export type RunOn = 'success' | 'failure' | 'always';

/** A variable of a step's environment. */
export interface EnvVariable {
  readonly name: string;
  readonly value: string;
}

/** How often a step is tried. All times are seconds. */
export interface AttemptPolicy {
  /** Tries after the first one. */
  readonly retries: number;
  readonly retryDelaySeconds: number;
  /** Try again only when the output contains one of these texts; empty: after any failure. */
  readonly retryOnErrors: readonly string[];
  /** Runs after the first one, each with retries of its own; all must succeed, and all are made. */
  readonly repeat: number;
}

/** A declared volume mounted into a step. */
export interface VolumeMount {
  readonly volume: string;
  /** Path in the container. */
  readonly path: string;
}

interface StepBase {
  readonly id: StepId;
  /** Its place among the steps of the file, from 0. */
  readonly index: number;
  /** Its first line in the task file. */
  readonly line: number;
  /** The steps that must be over before this one starts; all of them stand above it. */
  readonly needs: readonly StepId[];
  readonly runOn: RunOn;
  /**
   * Run only if every needed step ended with one of these exit codes; the needed steps' success is then not asked for. The original reads
   * and ignores this key.
   */
  readonly exitedWith?: readonly number[];
  /** Run only if no needed step ended with one of these exit codes; the needed steps' success is then not asked for. */
  readonly exitedWithout?: readonly number[];
  /** One deadline over all repeats and retries with their delays; the start delay does not count. */
  readonly timeoutSeconds: number;
  readonly startDelaySeconds: number;
  /** A failure counts as success, after all retries. */
  readonly ignoreErrors: boolean;
  /** The network's name as the task has it: a declared one, the default one, `host`, `none`. Undefined: the engine's default network. */
  readonly network?: string;
  /** Names of the step's outputs that steps below read; absent: nobody reads any, and none need be collected. */
  readonly outputs?: readonly string[];
  /** The outputs of steps above that stand, as placeholders, in this step's texts; absent: none. */
  readonly reads?: readonly OutputReference[];
}

/** Where a build reads from. */
export type BuildContext =
  | {
      readonly kind: 'local';
      /** Path relative to the step's working directory, or absolute. */
      readonly path: string;
    }
  | {
      readonly kind: 'git' | 'tarball' | 'oci';
      readonly url: string;
    };

/** A flag of `docker build` or `docker run` that has no field of its own, by its long name without dashes. */
export interface PassedOption {
  readonly name: string;
  /** Undefined for a switch. */
  readonly value?: string;
}

/** Builds a Dockerfile. */
export interface BuildStep extends StepBase {
  readonly kind: 'build';
  /** What the file says, after rendering. */
  readonly build: string;
  readonly context: BuildContext;
  /**
   * Path of the Dockerfile: with a local context relative to the step's working directory, with a remote one relative to the context.
   * Undefined: `Dockerfile` in the context.
   */
  readonly dockerfile?: string;
  /** As written; no registry is added. */
  readonly tags: readonly string[];
  readonly arguments: readonly Argument[];
  readonly labels: readonly EnvVariable[];
  readonly target?: string;
  readonly platform?: string;
  readonly noCache: boolean;
  /** Base images are looked for in their registry even when the engine has them. */
  readonly pull: boolean;
  /** `cache: enabled`: layers are kept in, and taken from, the registry. */
  readonly cache: boolean;
  /** Further flags, in order. */
  readonly options: readonly PassedOption[];
  /** Absolute path in the step's container: `/workspace/…`. */
  readonly workingDirectory: string;
  readonly env: readonly EnvVariable[];
  readonly attempts: AttemptPolicy;
  /** The step counts as succeeded as soon as it has started. */
  readonly detach: boolean;
  readonly volumeMounts: readonly VolumeMount[];
  readonly cpus?: string;
  readonly memory?: string;
}

/** Pushes images. */
export interface PushStep extends StepBase {
  readonly kind: 'push';
  /** References with their tags, each once. */
  readonly images: readonly string[];
}

/**
 * What a shell in the step's container runs in place of the image's own command. The original hands it to a shell of its host.
 */
export interface ShellScript {
  /** Source for `/bin/sh -c`: what stands after the image in `cmd`. */
  readonly script: string;
  /** True when the script begins with the arguments of the image's entry point, whose words must then be put in front of it. */
  readonly startsWithEntryPoint: boolean;
}

/** Runs a container. */
export interface CmdStep extends StepBase {
  readonly kind: 'cmd';
  /** What the file says, after rendering and before aliases of images. */
  readonly cmd: string;
  readonly image: string;
  /** Arguments of the image's entry point; those of the first command when there is a {@link shell}. */
  readonly arguments: readonly string[];
  readonly shell?: ShellScript;
  /** The bare name under which the original's machines have this image (`docker`, `bash`): the engine room maps it to a real one. */
  readonly agentImage?: string;
  /** True when the step drives the container engine, and so needs the run's own engine socket. */
  readonly usesEngine: boolean;
  /** Replaces the image's entry point. */
  readonly entryPoint?: string;
  readonly env: readonly EnvVariable[];
  /** Absolute path; undefined: the image's own. */
  readonly workingDirectory?: string;
  readonly user?: string;
  /** Published ports, as `docker run -p` takes them. */
  readonly ports: readonly string[];
  readonly expose: readonly string[];
  readonly privileged: boolean;
  readonly isolation?: string;
  readonly cpus?: string;
  readonly memory?: string;
  /** The step counts as succeeded as soon as its container has started. */
  readonly detach: boolean;
  /** The container is kept until the end of the run. */
  readonly keep: boolean;
  /** The image is looked for in its registry even when the engine has it. */
  readonly pull: boolean;
  readonly pullRetries: number;
  readonly pullRetryDelaySeconds: number;
  readonly attempts: AttemptPolicy;
  readonly volumeMounts: readonly VolumeMount[];
  /** Further flags of `docker run` from the beginning of `cmd`, in order. */
  readonly options: readonly PassedOption[];
  /** The words that `docker run` would be given, for people and for comparison (DESIGN.md §6). */
  readonly container: readonly string[];
}

export type Step = BuildStep | PushStep | CmdStep;

/** A network of a run. */
export interface Network {
  readonly name: string;
  readonly driver?: string;
  readonly ipv6: boolean;
  /** It exists already, and is left alone afterwards. */
  readonly skipCreation: boolean;
  readonly isDefault: boolean;
}

/** A volume filled with secret files. */
export interface Volume {
  readonly name: string;
  readonly files: readonly { readonly name: string; readonly contentBase64: string }[];
}

/** A secret that the task asks for. */
export interface SecretSource {
  readonly id: string;
  /** URL of the secret in a key vault; undefined: the installation's own store, under `id`. */
  readonly keyvault?: string;
  /** The identity to ask with, a UUID. */
  readonly clientId?: string;
}

/** A task made ready to run: plain, serialisable data, a graph of steps. Whoever runs it needs no look at the task file. */
export interface Plan {
  /** As the file has it. */
  readonly version: string;
  readonly steps: readonly Step[];
  /** With the default network, when the file declares none. */
  readonly networks: readonly Network[];
  readonly volumes: readonly Volume[];
  readonly secrets: readonly SecretSource[];
}
