import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { fail } from './domain/failure.ts';
import type { VaultSettings } from './domain/vaults.ts';
import { readLogBytes } from './config/limits.ts';
import { readNetworkRules } from './config/network.ts';
import { readPatching, type PatchingSettings } from './config/patching.ts';
import { readRegistryCare, type RegistryCareSettings } from './config/registry-care.ts';
import { createReader, mebibyte, type Environment, type Reader } from './config/reader.ts';
import { readRegistryCollection, type RegistryCollectionSettings } from './config/registry-collection.ts';
import { readRegistryStorage, type RegistryStorageSettings } from './config/registry-storage.ts';
import { readSteps, type StepSettings } from './config/steps.ts';
import { readTls, readTrust, type TlsSettings, type TrustSettings } from './config/tls.ts';
import { readVaults } from './config/vaults.ts';
import type { NetworkSettings } from './network/gate.ts';

/** Everything that can be set from outside, with its default filled in. Sizes in bytes, times in milliseconds unless named otherwise. */
export interface Config {
  /** Where Slipway keeps its own files. */
  readonly dataDir: string;
  /** The installation's name: the registry's name in the API and a label on all that is made on an engine. */
  readonly name: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** What the listener shows; undefined: it speaks plain HTTP. */
  readonly tls: TlsSettings | undefined;
  /** Whom our own processes trust. */
  readonly trust: TrustSettings;
  /** Who may connect. */
  readonly network: NetworkSettings;
  /** How clients and workers reach the API, without a slash at the end. */
  readonly url: string;
  /** The registry's host as it stands in image names; the container engine must reach it under this name. */
  readonly registryHost: string;
  readonly redis: { readonly url: string | undefined; readonly prefix: string };
  /** `unix:///…`, `tcp://…`; undefined: look in the usual places. */
  readonly engineHost: string | undefined;
  /** 32 bytes in base64 or hexadecimal; undefined: the file `key` in the data directory, made at first start. */
  readonly key: string | undefined;
  readonly anonymousPull: boolean;
  /** Whether the admin account may use the registry; the API it always may. */
  readonly registryAdmin: boolean;
  readonly upload: { readonly maxBytes: number; readonly expiresMs: number };
  readonly context: {
    readonly maxUnpackedBytes: number;
    readonly maxEntries: number;
    readonly maxRatio: number;
    readonly timeoutMs: number;
  };
  /** Hosts, `host:port`s, `*.suffixes` and CIDR ranges that outgoing requests may reach although they are private. */
  readonly egressAllow: readonly string[];
  /** Where secrets of tasks may come from besides the own store. */
  readonly vaults: VaultSettings;
  readonly git: {
    readonly sshKeyFile: string | undefined;
    readonly knownHostsFile: string | undefined;
    /** Certificates of in-house authorities, PEM. */
    readonly caFile: string | undefined;
    /** Where `git` and `ssh` are found. */
    readonly path: string | undefined;
  };
  readonly worker: {
    readonly name: string;
    readonly pool: string;
    readonly concurrency: number;
    /** How many steps of one run go on at the same time; undefined: any number. */
    readonly maxParallel: number | undefined;
    /** How many runs of the whole installation may be at work at the same time; undefined: any number. The same for all workers. */
    readonly maxRuns: number | undefined;
    /** How long a stopping worker waits for its runs before it hands them back. */
    readonly stopGraceMs: number;
    /** How many of the newest images of our registry stay on the engine, to keep builds warm. */
    readonly keepImages: number;
    /** How long what another run can go on from is kept of a run that failed; 0: not at all. */
    readonly keepFailedMs: number;
  };
  /** Containers of steps. */
  readonly steps: StepSettings;
  /** `secrets`: what deliveries to the shared webhook are signed with; several during a rotation, none: it is shut. */
  readonly webhook: { readonly secrets: readonly string[]; readonly maxBytes: number };
  readonly patching: PatchingSettings;
  readonly registryStorage: RegistryStorageSettings;
  readonly registryCollection: RegistryCollectionSettings;
  readonly registryCare: RegistryCareSettings;
  /** How long runs and their logs are kept, but for archived ones; undefined: for ever. */
  readonly keepRunsMs: number | undefined;
  /** How much output of a run is kept. */
  readonly runLogBytes: number;
  readonly logLevel: (typeof logLevels)[number];
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const dayMs = 24 * 60 * 60 * 1000;

/** Joins a host and a port as they stand in a URL or an image name. */
function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Whether a URL can be used at all; a fault is kept for what is wrong with it. */
function checkUrl(reader: Reader, url: string, isTls: boolean): boolean {
  const protocol = URL.canParse(url) ? new URL(url).protocol : undefined;
  if (protocol === 'http:' && isTls)
    reader.faults.push(`SLIPWAY_URL must be an https URL, because SLIPWAY_TLS is on, not "${url}"`);
  if (protocol === 'http:' || protocol === 'https:') return true;
  reader.faults.push(`SLIPWAY_URL must be an http or https URL, not "${url}"`);
  return false;
}

function readAddresses(
  reader: Reader,
  dataDir: string,
): Pick<Config, 'listen' | 'tls' | 'trust' | 'url' | 'registryHost'> {
  const trust = readTrust(reader, dataDir);
  const tls = readTls(reader, trust.tlsDirectory);
  const listen = {
    host: reader.text('SLIPWAY_HOST') ?? '127.0.0.1',
    port: reader.integer('SLIPWAY_PORT', 5080, [0, 65535]),
  };
  const isWildcard = listen.host === '0.0.0.0' || listen.host === '::';
  const place = hostAndPort(isWildcard ? '127.0.0.1' : listen.host, listen.port);
  const url = reader.text('SLIPWAY_URL') ?? `${tls === undefined ? 'http' : 'https'}://${place}`;
  if (!checkUrl(reader, url, tls !== undefined)) return { listen, tls, trust, url, registryHost: '' };
  const registryHost = reader.text('SLIPWAY_REGISTRY') ?? new URL(url).host;
  return { listen, tls, trust, url: url.replace(/\/+$/, ''), registryHost };
}

function readWorker(reader: Reader): Config['worker'] {
  return {
    name: reader.text('SLIPWAY_WORKER_NAME') ?? hostname(),
    pool: reader.text('SLIPWAY_WORKER_POOL') ?? 'default',
    concurrency: reader.integer('SLIPWAY_CONCURRENCY', 2, [1, 256]),
    // 0, which nobody can set, stands for "not set".
    maxParallel: reader.integer('SLIPWAY_MAX_PARALLEL', 0, [1, 1000]) || undefined,
    maxRuns: reader.integer('SLIPWAY_MAX_RUNS', 0, [1, 100_000]) || undefined,
    stopGraceMs: reader.integer('SLIPWAY_STOP_GRACE', 10, [0, 3600]) * 1000,
    keepImages: reader.integer('SLIPWAY_KEEP_IMAGES', 50, [0, 100_000]),
    keepFailedMs: (reader.integer('SLIPWAY_KEEP_FAILED', 24, [0, 720]) * dayMs) / 24,
  };
}

function readWebhook(reader: Reader): Config['webhook'] {
  const maxBytes = reader.size('SLIPWAY_WEBHOOK_LIMIT', 25 * mebibyte);
  return { secrets: reader.list('SLIPWAY_WEBHOOK_SECRET'), maxBytes };
}

/** Where the environment says that Slipway keeps its files; an absolute path. */
export function readDataDir(env: Environment): string {
  return resolve(createReader(env).text('SLIPWAY_DATA') ?? join(homedir(), '.slipway'));
}

/** Whom the environment says to trust, whatever else it says. */
export function readTrustOf(env: Environment): TrustSettings {
  return readTrust(createReader(env), readDataDir(env));
}

/**
 * Reads the configuration out of environment variables (`SLIPWAY_*`, `REDIS_URL`, `DOCKER_HOST`).
 * @throws `invalid-request` that lists every variable that is wrong.
 */
export function readConfig(env: Environment = process.env): Config {
  const reader = createReader(env);
  const name = reader.text('SLIPWAY_NAME') ?? 'slipway';
  if (!/^[a-zA-Z0-9]{5,50}$/.test(name)) reader.faults.push('SLIPWAY_NAME must be 5 to 50 letters and digits');
  const dataDir = readDataDir(env);
  const config: Config = {
    dataDir,
    name,
    ...readAddresses(reader, dataDir),
    network: readNetworkRules(reader),
    redis: { url: reader.text('REDIS_URL'), prefix: reader.text('SLIPWAY_REDIS_PREFIX') ?? 'slipway' },
    engineHost: reader.text('DOCKER_HOST'),
    key: reader.text('SLIPWAY_KEY'),
    anonymousPull: reader.flag('SLIPWAY_ANONYMOUS_PULL', false),
    registryAdmin: reader.flag('SLIPWAY_REGISTRY_ADMIN', true),
    upload: {
      maxBytes: reader.size('SLIPWAY_UPLOAD_LIMIT', 2048 * mebibyte),
      expiresMs: reader.integer('SLIPWAY_UPLOAD_EXPIRES', 3600, [10, 86_400]) * 1000,
    },
    context: {
      maxUnpackedBytes: reader.size('SLIPWAY_CONTEXT_LIMIT', 10_240 * mebibyte),
      maxEntries: reader.integer('SLIPWAY_CONTEXT_ENTRIES', 500_000, [1, 10_000_000]),
      maxRatio: reader.integer('SLIPWAY_CONTEXT_RATIO', 100, [2, 10_000]),
      timeoutMs: reader.integer('SLIPWAY_CONTEXT_TIMEOUT', 600, [1, 7200]) * 1000,
    },
    egressAllow: reader.list('SLIPWAY_EGRESS_ALLOW'),
    vaults: readVaults(reader),
    git: {
      sshKeyFile: reader.text('SLIPWAY_GIT_SSH_KEY'),
      knownHostsFile: reader.text('SLIPWAY_GIT_KNOWN_HOSTS'),
      caFile: reader.text('SLIPWAY_GIT_CA_FILE'),
      path: reader.text('PATH'),
    },
    worker: readWorker(reader),
    steps: readSteps(reader, dataDir),
    webhook: readWebhook(reader),
    patching: readPatching(reader),
    registryStorage: readRegistryStorage(reader),
    registryCollection: readRegistryCollection(reader),
    registryCare: readRegistryCare(reader),
    // 0 stands for "for ever".
    keepRunsMs: reader.integer('SLIPWAY_KEEP_RUNS', 30, [0, 36_500]) * dayMs || undefined,
    runLogBytes: readLogBytes(reader),
    logLevel: reader.choice('SLIPWAY_LOG_LEVEL', 'info', logLevels),
  };
  if (reader.faults.length === 0) return config;
  throw fail('invalid-request', `the configuration is wrong: ${reader.faults.join('; ')}`, {
    details: reader.faults.map((message) => ({ message })),
  });
}
