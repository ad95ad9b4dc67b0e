import type { Logger } from 'pino';
import type { Clock } from '../domain/clock.ts';
import type { RequestSecrets } from '../domain/request-secrets.ts';
import type { RunEvent, SequencedEvent } from '../domain/event.ts';
import type { Run, RunId } from '../domain/run.ts';
import type { RegistryCredential, RunRequest } from '../domain/run-request.ts';
import type { Plan, SecretSource } from '../domain/step.ts';
import type { Timer } from '../engine/policy/timeout.ts';
import type { StepRunner } from '../engine/ports.ts';
import type { Masker } from '../secret/mask.ts';
import type { Context, ContextWish } from '../source/ports.ts';
import type { BaseImageStore, Store, WorkerBeat } from '../store/ports.ts';
import type { PlanKeeper } from './plan-keeper.ts';
import type { Line } from './admit.ts';
import { planRun } from './plan-run.ts';
import type { KeepScan } from './scan-end.ts';
import type { TakeUp } from './take-up.ts';
import { fillInCredentials } from './vault-credentials.ts';

/** What a worker needs to do runs. */
export interface WorkRunOptions {
  readonly name: string;
  readonly store: Pick<Store, 'runs' | 'events'>;
  /** What is known of the images of tasks; not given: runs for changed bases always build. */
  readonly baseImages?: Pick<BaseImageStore, 'get'>;
  /** Keeps what scans report; not given: reports are not kept. */
  readonly keepScan?: KeepScan;
  readonly runner: StepRunner;
  readonly registryHost: string;
  /** Looks at the engine (`amd64`, `arm64`, …); rejects `engine-unavailable` when it does not answer. */
  readonly readEngine: () => Promise<{ readonly version: string; readonly architecture: string }>;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly logger: Logger;
  /** Opens what a run's `sealedSecrets` hold. */
  readonly openSecrets: (sealed: string) => RequestSecrets;
  /** The value of a secret, wherever it is; rejects with a failure that names it. */
  readonly resolveSecret: (source: SecretSource, signal: AbortSignal) => Promise<string>;
  /** A name and password for the embedded registry that are good for this run alone. */
  readonly issueCredential: (run: Run) => RegistryCredential;
  readonly openContext: (location: string, how: ContextWish) => Promise<Context>;
  /** Numbers n, 0 ≤ n < 1. */
  readonly random: () => number;
  /** The installation's own images for names of one word in tasks. */
  readonly images?: Readonly<Record<string, string>>;
  /** Fetches a small text that a task names by its URL. */
  readonly fetchText: (url: string, signal: AbortSignal) => Promise<string>;
  /** Told of each attempt as it begins; must not throw. */
  readonly onStarted?: (run: Run) => void;
  /** Keeps the finished run's events for good. */
  readonly archive: (id: RunId) => Promise<void>;
  readonly plans: PlanKeeper;
  /** How long what another run can go on from is kept of a run that failed, milliseconds; 0: not at all. */
  readonly keepFailedMs: number;
  /** The events of a run that ended a while ago; undefined when they are gone. */
  readonly loadArchived: (id: RunId) => Promise<readonly SequencedEvent[] | undefined>;
  readonly listWorkers: () => Promise<readonly WorkerBeat[]>;
  /** Runs whose containers are on an engine that is out of reach, since when (milliseconds since the epoch). */
  readonly waitingSince: Map<RunId, number>;
  /** The runs of this worker that wait for a place of the installation. */
  readonly line: Line;
  /** How many steps of a run go on at the same time; undefined: any number. */
  readonly maxParallel?: number | undefined;
  /** How many runs of the whole installation may be at work at the same time; undefined: any number. */
  readonly maxRuns?: number | undefined;
  /** How often a run is taken up at most; 5 when not given. */
  readonly maxAttempts?: number;
  /** Told when the engine failed under a run; resolves when no further one is taken until it is back. */
  readonly onEngineLost: () => Promise<void>;
}

/** A run that this worker has taken up. */
export interface Work {
  readonly run: Run;
  readonly takeUp: Exclude<TakeUp, { kind: 'wait' }>;
  readonly recorded: () => Promise<void>;
  readonly request: RunRequest;
  readonly secrets: RequestSecrets;
  readonly mask: Masker;
  readonly stopper: AbortController;
  readonly emit: (event: RunEvent) => void;
}

/** The credentials of a run by registry host: those that came with it, from vaults where they lie there, and its own for our registry. */
export async function registryCredentials(
  work: Work,
  options: WorkRunOptions,
): Promise<Record<string, RegistryCredential>> {
  const { sourceRegistry, customRegistries } = work.request.credentials;
  const custom = await fillInCredentials(customRegistries, async (source) => {
    const value = await options.resolveSecret(source, work.stopper.signal);
    work.mask.learn([value]);
    return value;
  });
  const own = sourceRegistry.loginMode === 'None' ? {} : { [options.registryHost]: options.issueCredential(work.run) };
  return { ...custom, ...own };
}

/** What the run may log in to a registry with, for a context that lies in one. */
export function credentialsOf(work: Work, options: WorkRunOptions): NonNullable<ContextWish['credentialFor']> {
  return async (host) => (await registryCredentials(work, options))[host];
}

/**
 * Opens what the run reads, and says in its log what that is; undefined for a run that reads nothing. `commit`: this one (of a registry: this
 * digest), whatever a branch or tag stands for now.
 */
export async function openContext(work: Work, options: WorkRunOptions, commit?: string): Promise<Context | undefined> {
  const { request, secrets, stopper } = work;
  if (request.sourceLocation === undefined) return undefined;
  const dockerfile = request.type === 'DockerBuildRequest' ? request.dockerFilePath : undefined;
  const credentialFor = credentialsOf(work, options);
  const wish = { secret: secrets.source, dockerfile, commit, credentialFor, signal: stopper.signal };
  const context = await options.openContext(request.sourceLocation, wish);
  work.emit({ kind: 'output', stream: 'system', text: `context: ${context.description}` });
  return context;
}

/** Plans a run. Rejects as `planRun` does. */
export async function makePlan(work: Work, context: Context | undefined, options: WorkRunOptions): Promise<Plan> {
  return planRun(work.request, {
    run: work.run,
    registryHost: options.registryHost,
    startedAt: new Date(work.run.startTime ?? options.clock.now()),
    architecture: (await options.readEngine()).architecture,
    context,
    ...{ random: options.random, images: options.images },
    say: (text) => {
      work.emit({ kind: 'output', stream: 'system', text });
    },
    fetchText: (url) => options.fetchText(url, work.stopper.signal),
    resolveSecret: (source) => options.resolveSecret(source, work.stopper.signal),
    onSecrets: (values) => {
      work.mask.learn(values);
    },
  });
}
