import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { fail } from './domain/failure.ts';
import type { GivenSecret, VaultSettings } from './domain/vaults.ts';

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
  };
  /** Containers of steps. */
  readonly steps: {
    /** Steps may have what reaches into the machine that runs the containers. */
    readonly allowPrivileged: boolean;
    /** Real images for the bare names of the original's machines. */
    readonly images: Readonly<Record<string, string>>;
    /** For the engine sockets of runs; must have the same path on the engine's machine. */
    readonly socketDirectory: string;
  };
  /** `secrets`: what deliveries to the shared webhook are signed with; several during a rotation, none: it is shut. */
  readonly webhook: { readonly secrets: readonly string[]; readonly maxBytes: number };
  /** How long runs and their logs are kept, but for archived ones; undefined: for ever. */
  readonly keepRunsMs: number | undefined;
  readonly logLevel: (typeof logLevels)[number];
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

type Environment = Readonly<Record<string, string | undefined>>;

const dayMs = 24 * 60 * 60 * 1000;
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

type Reader = ReturnType<typeof createReader>;

/** Joins a host and a port as they stand in a URL or an image name. */
function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function readAddresses(reader: Reader): Pick<Config, 'listen' | 'url' | 'registryHost'> {
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
  };
}

/** A credential in `name`, or in the file that `name_FILE` gives the path of. */
function readGiven(reader: Reader, name: string): GivenSecret | undefined {
  const [value, file] = [reader.text(name), reader.text(`${name}_FILE`)];
  if (value !== undefined && file !== undefined) reader.faults.push(`${name} and ${name}_FILE exclude each other`);
  if (value !== undefined) return { value };
  return file === undefined ? undefined : { file: resolve(file) };
}

/** Adds a fault unless `text` is the URL of a server, which may stand under a path where `path` says so. */
function checkServerUrl(reader: Reader, name: string, text: string, path: 'path' | 'no path'): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isServer =
    url !== undefined && /^https?:$/.test(url.protocol) && `${url.search}${url.hash}${url.username}` === '';
  if (!isServer || (path === 'no path' && url.pathname !== '/'))
    reader.faults.push(`${name} must be the http or https URL of a server`);
  return text.replace(/\/+$/, '');
}

type Azure = NonNullable<VaultSettings['azure']>;

function readAzureClient(reader: Reader): Azure['client'] {
  const tenantId = reader.text('SLIPWAY_AZURE_TENANT_ID');
  const clientId = reader.text('SLIPWAY_AZURE_CLIENT_ID');
  const secret = readGiven(reader, 'SLIPWAY_AZURE_CLIENT_SECRET');
  if (tenantId !== undefined && clientId !== undefined && secret !== undefined) return { tenantId, clientId, secret };
  if ((tenantId ?? clientId ?? secret) !== undefined)
    reader.faults.push('SLIPWAY_AZURE_TENANT_ID, SLIPWAY_AZURE_CLIENT_ID and SLIPWAY_AZURE_CLIENT_SECRET go together');
  return undefined;
}

function readAzure(reader: Reader): Azure | undefined {
  const client = readAzureClient(reader);
  const authority = reader.text('SLIPWAY_AZURE_AUTHORITY');
  const managedIdentity = reader.flag('SLIPWAY_AZURE_MANAGED_IDENTITY', false);
  const servers = reader.list('SLIPWAY_AZURE_VAULTS');
  const isSet = managedIdentity || servers.length > 0 || (client ?? authority) !== undefined;
  if (!isSet) return undefined;
  return {
    client,
    authority: authority && checkServerUrl(reader, 'SLIPWAY_AZURE_AUTHORITY', authority, 'path'),
    managedIdentity,
    servers: servers.map((server) => checkServerUrl(reader, 'SLIPWAY_AZURE_VAULTS', server, 'no path')),
  };
}

type Hashicorp = NonNullable<VaultSettings['hashicorp']>;

/** One of the two ways to log in; undefined for none, half of one, and both. */
function readVaultLogin(reader: Reader): Hashicorp['login'] | undefined {
  const token = readGiven(reader, 'SLIPWAY_VAULT_TOKEN');
  const roleId = reader.text('SLIPWAY_VAULT_ROLE_ID');
  const secretId = readGiven(reader, 'SLIPWAY_VAULT_SECRET_ID');
  if (token !== undefined) return (roleId ?? secretId) === undefined ? { kind: 'token', token } : undefined;
  return roleId !== undefined && secretId !== undefined ? { kind: 'approle', roleId, secretId } : undefined;
}

function readHashicorp(reader: Reader): Hashicorp | undefined {
  const address = reader.text('SLIPWAY_VAULT_ADDR');
  const login = readVaultLogin(reader);
  if (address === undefined) {
    if (login !== undefined) reader.faults.push('SLIPWAY_VAULT_ADDR is missing');
    return undefined;
  }
  if (login === undefined)
    reader.faults.push(
      'SLIPWAY_VAULT_ADDR needs SLIPWAY_VAULT_TOKEN, or SLIPWAY_VAULT_ROLE_ID and SLIPWAY_VAULT_SECRET_ID, and not both',
    );
  const checked = checkServerUrl(reader, 'SLIPWAY_VAULT_ADDR', address, 'path');
  return login && { address: checked, namespace: reader.text('SLIPWAY_VAULT_NAMESPACE'), login };
}

function readWebhook(reader: Reader): Config['webhook'] {
  const maxBytes = reader.size('SLIPWAY_WEBHOOK_LIMIT', 25 * mebibyte);
  return { secrets: reader.list('SLIPWAY_WEBHOOK_SECRET'), maxBytes };
}

/** `name=image` pairs over the defaults: the small image of the engine's client, and public `bash` under its own name. */
function readImages(reader: ReturnType<typeof createReader>): Readonly<Record<string, string>> {
  const images: Record<string, string> = { docker: 'docker:cli' };
  for (const pair of reader.list('SLIPWAY_IMAGES')) {
    const [, name, image] = /^([a-z0-9-]+)=(\S+)$/.exec(pair) ?? [];
    if (name === undefined || image === undefined)
      reader.faults.push(`SLIPWAY_IMAGES must be name=image, not "${pair}"`);
    else images[name] = image;
  }
  return images;
}

function readSteps(reader: ReturnType<typeof createReader>, dataDir: string): Config['steps'] {
  return {
    allowPrivileged: reader.flag('SLIPWAY_ALLOW_PRIVILEGED', false),
    images: readImages(reader),
    socketDirectory: resolve(reader.text('SLIPWAY_SOCKET_DIR') ?? join(dataDir, 'sockets')),
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
  const dataDir = resolve(reader.text('SLIPWAY_DATA') ?? join(homedir(), '.slipway'));
  const config: Config = {
    dataDir,
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
    vaults: { azure: readAzure(reader), hashicorp: readHashicorp(reader) },
    git: {
      sshKeyFile: reader.text('SLIPWAY_GIT_SSH_KEY'),
      knownHostsFile: reader.text('SLIPWAY_GIT_KNOWN_HOSTS'),
      caFile: reader.text('SLIPWAY_GIT_CA_FILE'),
      path: reader.text('PATH'),
    },
    worker: readWorker(reader),
    steps: readSteps(reader, dataDir),
    webhook: readWebhook(reader),
    // 0 stands for "for ever".
    keepRunsMs: reader.integer('SLIPWAY_KEEP_RUNS', 30, [0, 36_500]) * dayMs || undefined,
    logLevel: reader.choice('SLIPWAY_LOG_LEVEL', 'info', logLevels),
  };
  if (reader.faults.length === 0) return config;
  throw fail('invalid-request', `the configuration is wrong: ${reader.faults.join('; ')}`, {
    details: reader.faults.map((message) => ({ message })),
  });
}
