import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { fail } from './domain/failure.ts';

/** Everything that can be set from outside, with its default filled in. Sizes in bytes, times in milliseconds unless named otherwise. */
export interface Config {
  /** Where Slipway keeps its own files. */
  readonly dataDir: string;
  /** The installation's name: the registry's name in the API and a label on all that is made on an engine. */
  readonly name: string;
  readonly listen: { readonly host: string; readonly port: number };
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
  readonly upload: { readonly maxBytes: number; readonly expiresMs: number };
  readonly context: {
    readonly maxUnpackedBytes: number;
    readonly maxEntries: number;
    readonly maxRatio: number;
    readonly timeoutMs: number;
  };
  /** Hosts, `host:port`s, `*.suffixes` and CIDR ranges that outgoing requests may reach although they are private. */
  readonly egressAllow: readonly string[];
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
    /** How long a stopping worker waits for its runs before it hands them back. */
    readonly stopGraceMs: number;
    /** How many of the newest images of our registry stay on the engine, to keep builds warm. */
    readonly keepImages: number;
  };
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
}

type Environment = Readonly<Record<string, string | undefined>>;

const mebibyte = 1024 * 1024;
const units: Readonly<Record<string, number>> = { '': 1, k: 1024, m: mebibyte, g: 1024 * mebibyte, t: 1024 ** 4 };

/** A reader of one environment that collects what is wrong with it. */
function createReader(env: Environment) {
  const faults: string[] = [];
  const text = (name: string): string | undefined => {
    const value = env[name]?.trim();
    return value === undefined || value === '' ? undefined : value;
  };
  const integer = (name: string, fallback: number, range: readonly [number, number]): number => {
    const value = text(name);
    if (value === undefined) return fallback;
    const number = Number(value);
    if (Number.isInteger(number) && number >= range[0] && number <= range[1]) return number;
    faults.push(`${name} must be a whole number from ${range[0]} to ${range[1]}, not "${value}"`);
    return fallback;
  };
  const size = (name: string, fallback: number): number => {
    const value = text(name);
    if (value === undefined) return fallback;
    const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(value);
    if (match) return Math.floor(Number(match[1]) * (units[match[2]?.toLowerCase() ?? ''] ?? 1));
    faults.push(`${name} must be a size like 500MiB or 2GiB, not "${value}"`);
    return fallback;
  };
  const flag = (name: string, fallback: boolean): boolean => {
    const value = text(name)?.toLowerCase();
    if (value === undefined) return fallback;
    if (['1', 'true', 'yes', 'on'].includes(value)) return true;
    if (['0', 'false', 'no', 'off'].includes(value)) return false;
    faults.push(`${name} must be true or false, not "${value}"`);
    return fallback;
  };
  const choice = <T extends string>(name: string, fallback: T, choices: readonly T[]): T => {
    const value = text(name);
    if (value === undefined) return fallback;
    const found = choices.find((one) => one === value.toLowerCase());
    if (found === undefined) faults.push(`${name} must be one of ${choices.join(', ')}, not "${value}"`);
    return found ?? fallback;
  };
  const list = (name: string): readonly string[] => (text(name) ?? '').split(/[\s,]+/).filter((one) => one !== '');
  return { faults, text, integer, size, flag, choice, list };
}

/** Joins a host and a port as they stand in a URL or an image name. */
function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function readAddresses(reader: ReturnType<typeof createReader>): Pick<Config, 'listen' | 'url' | 'registryHost'> {
  const listen = {
    host: reader.text('SLIPWAY_HOST') ?? '127.0.0.1',
    port: reader.integer('SLIPWAY_PORT', 5080, [0, 65535]),
  };
  const isWildcard = listen.host === '0.0.0.0' || listen.host === '::';
  const url =
    reader.text('SLIPWAY_URL') ?? `http://${hostAndPort(isWildcard ? '127.0.0.1' : listen.host, listen.port)}`;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    reader.faults.push(`SLIPWAY_URL must be an http or https URL, not "${url}"`);
    return { listen, url, registryHost: '' };
  }
  return { listen, url: url.replace(/\/+$/, ''), registryHost: reader.text('SLIPWAY_REGISTRY') ?? new URL(url).host };
}

function readWorker(reader: ReturnType<typeof createReader>): Config['worker'] {
  return {
    name: reader.text('SLIPWAY_WORKER_NAME') ?? hostname(),
    pool: reader.text('SLIPWAY_WORKER_POOL') ?? 'default',
    concurrency: reader.integer('SLIPWAY_CONCURRENCY', 2, [1, 256]),
    stopGraceMs: reader.integer('SLIPWAY_STOP_GRACE', 10, [0, 3600]) * 1000,
    keepImages: reader.integer('SLIPWAY_KEEP_IMAGES', 50, [0, 100_000]),
  };
}

/**
 * Reads the configuration out of environment variables (`SLIPWAY_*`, `REDIS_URL`, `DOCKER_HOST`).
 * @throws `invalid-request` that lists every variable that is wrong.
 */
export function readConfig(env: Environment = process.env): Config {
  const reader = createReader(env);
  const name = reader.text('SLIPWAY_NAME') ?? 'slipway';
  if (!/^[a-zA-Z0-9]{5,50}$/.test(name)) reader.faults.push('SLIPWAY_NAME must be 5 to 50 letters and digits');
  const config: Config = {
    dataDir: resolve(reader.text('SLIPWAY_DATA') ?? join(homedir(), '.slipway')),
    name,
    ...readAddresses(reader),
    redis: { url: reader.text('REDIS_URL'), prefix: reader.text('SLIPWAY_REDIS_PREFIX') ?? 'slipway' },
    engineHost: reader.text('DOCKER_HOST'),
    key: reader.text('SLIPWAY_KEY'),
    anonymousPull: reader.flag('SLIPWAY_ANONYMOUS_PULL', false),
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
    git: {
      sshKeyFile: reader.text('SLIPWAY_GIT_SSH_KEY'),
      knownHostsFile: reader.text('SLIPWAY_GIT_KNOWN_HOSTS'),
      caFile: reader.text('SLIPWAY_GIT_CA_FILE'),
      path: reader.text('PATH'),
    },
    worker: readWorker(reader),
    logLevel: reader.choice('SLIPWAY_LOG_LEVEL', 'info', [
      'fatal',
      'error',
      'warn',
      'info',
      'debug',
      'trace',
      'silent',
    ]),
  };
  if (reader.faults.length === 0) return config;
  throw fail('invalid-request', `the configuration is wrong: ${reader.faults.join('; ')}`, {
    details: reader.faults.map((message) => ({ message })),
  });
}
