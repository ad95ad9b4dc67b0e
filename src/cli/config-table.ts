import type { Config } from '../config.ts';
import type { GivenSecret } from '../domain/vaults.ts';

/** One setting as `slipway doctor` shows it. */
export interface Setting {
  readonly name: string;
  /** The value that holds, a secret masked; undefined: none. */
  readonly value: string | undefined;
  /** True when the environment says so, false for the default. */
  readonly isSet: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const mask = '********';

function hidePassword(url: string | undefined): string | undefined {
  return url?.replace(/\/\/([^@/:]*):[^@/]*@/, `//$1:${mask}@`);
}

/** The two variables of a credential: itself, masked, or the file that holds it. */
function listGiven(name: string, given: GivenSecret | undefined): Readonly<Record<string, string | undefined>> {
  return {
    [name]: given !== undefined && 'value' in given ? mask : undefined,
    [`${name}_FILE`]: given !== undefined && 'file' in given ? given.file : undefined,
  };
}

type Values = Readonly<Record<string, string | number | boolean | undefined>>;

function listAzure(azure: Config['vaults']['azure']): Values {
  const client = azure?.client;
  return {
    SLIPWAY_AZURE_TENANT_ID: client?.tenantId,
    SLIPWAY_AZURE_CLIENT_ID: client?.clientId,
    ...listGiven('SLIPWAY_AZURE_CLIENT_SECRET', client?.secret),
    SLIPWAY_AZURE_AUTHORITY: azure?.authority,
    SLIPWAY_AZURE_MANAGED_IDENTITY: azure?.managedIdentity === true,
    SLIPWAY_AZURE_VAULTS: azure?.servers.join(' ') || undefined,
  };
}

function listHashicorp(vault: Config['vaults']['hashicorp']): Values {
  const login = vault?.login;
  const role = login?.kind === 'approle' ? login : undefined;
  return {
    SLIPWAY_VAULT_ADDR: vault?.address,
    SLIPWAY_VAULT_NAMESPACE: vault?.namespace,
    ...listGiven('SLIPWAY_VAULT_TOKEN', login?.kind === 'token' ? login.token : undefined),
    SLIPWAY_VAULT_ROLE_ID: role?.roleId,
    ...listGiven('SLIPWAY_VAULT_SECRET_ID', role?.secretId),
  };
}

/** Milliseconds as the setting takes them: in seconds; 0 for never. */
function pauseOf(ms: number | undefined): number {
  return (ms ?? 0) / 1000;
}

function listPatching({ patching }: Config): Values {
  const { campaign, hookSecrets, pollMs, pollMsOf } = patching;
  return {
    SLIPWAY_CAMPAIGN_CONCURRENCY: campaign.concurrency,
    SLIPWAY_CAMPAIGN_RETRIES: campaign.retries,
    SLIPWAY_CAMPAIGN_RETRY_BUDGET: campaign.retryBudget,
    SLIPWAY_CAMPAIGN_BREAKER: campaign.breakerAfter,
    SLIPWAY_REGISTRY_HOOK_SECRET: hookSecrets.length > 0 ? mask : undefined,
    SLIPWAY_POLL_INTERVAL: pauseOf(pollMs),
    SLIPWAY_POLL_INTERVALS:
      Object.entries(pollMsOf)
        .map(([host, ms]) => `${host}=${String(pauseOf(ms))}`)
        .join(' ') || undefined,
    SLIPWAY_BASE_LABELS: patching.labelsBases,
    SLIPWAY_REGISTRY_URL: patching.registryUrl,
  };
}

function listTls({ tls, trust, network }: Config): Values {
  return {
    SLIPWAY_TLS: tls === undefined ? 'off' : tls.isOwn ? 'auto' : 'on',
    SLIPWAY_TLS_CERT: tls?.certFile,
    SLIPWAY_TLS_KEY: tls?.keyFile,
    SLIPWAY_TLS_NAMES: tls?.names.join(' ') || undefined,
    SLIPWAY_CA_FILE: trust.caFile,
    SLIPWAY_ALLOW_IPS: network.allow.join(' ') || undefined,
    SLIPWAY_TRUSTED_PROXIES: network.trustedProxies.join(' ') || undefined,
  };
}

function listRegistryCollection({ intervalMs, graceMs, delayMs }: Config['registryCollection']): Values {
  const hourMs = 3_600_000;
  return {
    SLIPWAY_REGISTRY_GC_INTERVAL: intervalMs / 60_000,
    SLIPWAY_REGISTRY_GC_GRACE: graceMs / hourMs,
    SLIPWAY_REGISTRY_GC_DELAY: delayMs / hourMs,
  };
}

function listRegistryStorage({ isShared, s3 }: Config['registryStorage']): Values {
  return {
    SLIPWAY_REGISTRY_SHARED: isShared,
    SLIPWAY_REGISTRY_S3_BUCKET: s3?.bucket,
    SLIPWAY_REGISTRY_S3_ENDPOINT: s3?.endpoint,
    SLIPWAY_REGISTRY_S3_REGION: s3?.region,
    SLIPWAY_REGISTRY_S3_PREFIX: s3?.prefix,
    SLIPWAY_REGISTRY_S3_ACCESS_KEY_ID: s3?.credentials?.accessKeyId,
    ...listGiven('SLIPWAY_REGISTRY_S3_SECRET_ACCESS_KEY', s3?.credentials?.secretAccessKey),
    SLIPWAY_REGISTRY_S3_PATH_STYLE: s3?.forcePathStyle,
  };
}

function listRegistryCare({ registryCare }: Config): Values {
  return {
    SLIPWAY_REGISTRY_TIER: registryCare.tier,
    SLIPWAY_REGISTRY_MAX_BYTES: registryCare.maxBytes,
    SLIPWAY_REGISTRY_MIN_FREE_BYTES: registryCare.minFreeBytes,
    SLIPWAY_REGISTRY_RATE_LIMITS: registryCare.limitsRates,
  };
}

/** Every variable of {@link Config} with its value; written by hand, and complete: a test sets each and looks. */
function listValues(config: Config): Values {
  const { context, git, upload, worker } = config;
  return {
    SLIPWAY_DATA: config.dataDir,
    SLIPWAY_NAME: config.name,
    SLIPWAY_HOST: config.listen.host,
    SLIPWAY_PORT: config.listen.port,
    ...listTls(config),
    SLIPWAY_URL: config.url,
    SLIPWAY_REGISTRY: config.registryHost,
    REDIS_URL: hidePassword(config.redis.url),
    SLIPWAY_REDIS_PREFIX: config.redis.prefix,
    DOCKER_HOST: config.engineHost,
    SLIPWAY_KEY: config.key === undefined ? undefined : mask,
    ...listRegistry(config),
    SLIPWAY_UPLOAD_LIMIT: upload.maxBytes,
    SLIPWAY_UPLOAD_EXPIRES: upload.expiresMs / 1000,
    SLIPWAY_CONTEXT_LIMIT: context.maxUnpackedBytes,
    SLIPWAY_CONTEXT_ENTRIES: context.maxEntries,
    SLIPWAY_CONTEXT_RATIO: context.maxRatio,
    SLIPWAY_CONTEXT_TIMEOUT: context.timeoutMs / 1000,
    SLIPWAY_EGRESS_ALLOW: config.egressAllow.join(' ') || undefined,
    ...listAzure(config.vaults.azure),
    ...listHashicorp(config.vaults.hashicorp),
    SLIPWAY_GIT_SSH_KEY: git.sshKeyFile,
    SLIPWAY_GIT_KNOWN_HOSTS: git.knownHostsFile,
    SLIPWAY_GIT_CA_FILE: git.caFile,
    SLIPWAY_WORKER_NAME: worker.name,
    SLIPWAY_WORKER_POOL: worker.pool,
    SLIPWAY_CONCURRENCY: worker.concurrency,
    SLIPWAY_MAX_PARALLEL: worker.maxParallel,
    SLIPWAY_MAX_RUNS: worker.maxRuns,
    SLIPWAY_STOP_GRACE: worker.stopGraceMs / 1000,
    SLIPWAY_KEEP_IMAGES: worker.keepImages,
    SLIPWAY_KEEP_FAILED: worker.keepFailedMs / 3_600_000,
    ...listLimits(config),
    SLIPWAY_ALLOW_PRIVILEGED: config.steps.allowPrivileged,
    SLIPWAY_IMAGES: Object.entries(config.steps.images)
      .map(([bare, image]) => `${bare}=${image}`)
      .join(' '),
    SLIPWAY_SOCKET_DIR: config.steps.socketDirectory,
    SLIPWAY_WEBHOOK_SECRET: config.webhook.secrets.length > 0 ? mask : undefined,
    SLIPWAY_WEBHOOK_LIMIT: config.webhook.maxBytes,
    ...listPatching(config),
    SLIPWAY_KEEP_RUNS: (config.keepRunsMs ?? 0) / 86_400_000,
    SLIPWAY_LOG_LEVEL: config.logLevel,
  };
}

function listRegistry(config: Config): Values {
  return {
    SLIPWAY_ANONYMOUS_PULL: config.anonymousPull,
    SLIPWAY_REGISTRY_ADMIN: config.registryAdmin,
    ...listRegistryCare(config),
    ...listRegistryStorage(config.registryStorage),
    ...listRegistryCollection(config.registryCollection),
  };
}

/** What a run may have; no memory stands for nine tenths of the engine's. */
function listLimits({ steps: { limits }, runLogBytes }: Config): Values {
  return {
    SLIPWAY_RUN_CPUS: limits.cpus,
    SLIPWAY_RUN_MEMORY: limits.memoryBytes === 'none' ? 0 : limits.memoryBytes,
    SLIPWAY_RUN_PIDS: limits.pids,
    SLIPWAY_RUN_LOG: runLogBytes,
  };
}

/** What the client alone reads. */
function listClientValues(env: Environment): Readonly<Record<string, string | undefined>> {
  const password = env['SLIPWAY_PASSWORD'];
  return {
    SLIPWAY_SERVER: env['SLIPWAY_SERVER'],
    SLIPWAY_USERNAME: env['SLIPWAY_USERNAME'],
    SLIPWAY_PASSWORD: password === undefined || password === '' ? undefined : mask,
  };
}

/** The whole configuration, with secrets masked. */
export function listSettings(config: Config, env: Environment): readonly Setting[] {
  return Object.entries({ ...listValues(config), ...listClientValues(env) }).map(([name, value]) => ({
    name,
    value: value === undefined ? undefined : String(value),
    isSet: (env[name] ?? '').trim() !== '',
  }));
}
