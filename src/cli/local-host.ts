import type { Config } from '../config.ts';
import type { CheckMessage, CheckOrder } from '../domain/registry-upkeep.ts';
import type { RegistryCredential } from '../domain/run-request.ts';
import type { Finding } from '../host/inspect.ts';
import type { Account } from '../secret/account.ts';
import type { SealReport } from '../secret/rotation.ts';
import type { RunBody, RunReader } from './api-types.ts';
import type { Context } from './context.ts';

/** Hears of progress: one line without its end. */
export type Say = (line: string) => void;

/** What an installation on this machine runs on. */
export interface Foundation {
  /** `redis://…`, `rediss://…` or `unix:///path`, as REDIS_URL takes it. */
  readonly redisUrl: string;
  readonly isRedisPrivate: boolean;
  /** `unix:///path` or `tcp://host:port`, as DOCKER_HOST takes it. */
  readonly engineHost: string;
  readonly engineVersion: string;
  readonly isEnginePrivate: boolean;
  /** How long installing Debian packages took on the way; 0 when none was missing. */
  readonly packageSeconds: number;
}

/** One of Slipway's own processes. */
export interface LocalProcess {
  readonly role: string;
  readonly pid: number;
  readonly logFile: string;
  /** True when this call started it. */
  readonly isNew: boolean;
}

/** What was stopped and removed. */
export interface StopReport {
  /** Roles and services that ran. */
  readonly stopped: readonly string[];
  /** What was removed, in words. */
  readonly removed: readonly string[];
}

/** What the quickstart shows beyond the API: a base image for the example, and the example's image running. */
export interface Showcase {
  /**
   * An image that has Node.js: `node:20-alpine` where the engine has it or can pull it, else one made of this machine's own programs
   * and pushed to our registry. Gives its reference, and how it was come by.
   */
  ensureBase(account: Account, say: Say): Promise<{ readonly image: string; readonly how: string }>;
  /** Removes the engine's own copy, pulls the image from the registry, runs it and gives what it answers on its port 8080. */
  runFromRegistry(image: string, account: Account): Promise<{ readonly answer: string; readonly pullSeconds: number }>;
  close(): void;
}

/** A task that is to be run here, by this process. */
export interface LocalRunWish {
  /** As it would be sent to a server; its `sourceLocation` counts for a remote context alone. */
  readonly body: RunBody;
  readonly context: Context | undefined;
  /** What the log calls a context of this machine. */
  readonly description: string;
  readonly registryHost: string;
  /** By registry host. */
  readonly credentials: Readonly<Record<string, RegistryCredential>>;
  /** Secrets that the task asks for, by their ids; they go before vaults. */
  readonly secrets: ReadonlyMap<string, Buffer>;
  /** Steps at the same time, at least 1; undefined: any number. */
  readonly maxParallel: number | undefined;
}

/** A run that goes on in this process, on the engine at hand. */
export interface LocalRun {
  readonly id: string;
  /** Its record and events, as the API of a server would give them. */
  readonly reader: RunReader;
  /** Stops it; its end comes as an event, like any other. */
  cancel(): void;
  /** Resolves when it has ended and nothing of it is left; never rejects. */
  readonly gone: Promise<void>;
}

/** The keys of an installation, and what is sealed with them. */
export interface KeyState {
  /** Where the keys come from. */
  readonly source: 'file' | 'SLIPWAY_KEY';
  /** Short names of the keys; the first one seals. */
  readonly keys: readonly string[];
  readonly sealed: SealReport;
}

export interface RotationWish {
  /** Go on although there are texts that no key opens; they stay as they are. */
  readonly leaveDamaged: boolean;
  /** Drop older keys although there are runs at work that use what these have signed. */
  readonly force: boolean;
}

/** Changes the key of the installation on this machine. Every method rejects with what a person can act on, and may be called again after it. */
export interface KeyDesk {
  inspect(): Promise<KeyState>;
  /** Makes a new key unless there are several already, and seals everything anew with the first; the older ones are kept and open still. */
  rotate(wish: RotationWish, say: Say): Promise<KeyState>;
  /** Seals anew what is left, and drops the older keys. */
  finish(wish: RotationWish, say: Say): Promise<KeyState>;
  close(): Promise<void>;
}

/** What the machine that the CLI runs on can do; the composition root wires it, tests script it. */
export interface LocalHost {
  /** Finds or starts Redis and a container engine. Throws what says exactly what is missing. */
  prepare(config: Config, say: Say): Promise<Foundation>;
  /** Starts those of Slipway's processes that do not run. */
  startProcesses(config: Config, foundation: Foundation): Promise<readonly LocalProcess[]>;
  /** Those of Slipway's processes that run. */
  listProcesses(config: Config): readonly LocalProcess[];
  /** What an earlier start wrote down; undefined when nothing was started under this data directory. */
  recall(config: Config): { readonly url: string } | undefined;
  /** Stops all that was started under the data directory; with `purge`, removes what it left anywhere. */
  stop(config: Config, purge: boolean, say: Say): Promise<StopReport>;
  /** Looks at everything that Slipway needs of this machine and changes nothing. */
  inspect(config: Config): Promise<readonly Finding[]>;
  /** Starts a run without a server. Rejects with `engine-unavailable` when no container engine answers, `invalid-request` for a bad wish. */
  startRun(config: Config, wish: LocalRunWish): Promise<LocalRun>;
  /** Rejects with `not-found` when there is no installation here, `redis-unavailable` when its Redis does not answer. */
  openKeys(config: Config): Promise<KeyDesk>;
  /** Checks the registry in the data directory. Rejects with `conflict` when a server has it. */
  checkRegistry(config: Config, order: CheckOrder): AsyncIterable<CheckMessage>;
  openShowcase(config: Config, foundation: Foundation): Showcase;
}
