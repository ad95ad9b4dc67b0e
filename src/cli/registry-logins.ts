import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { RegistryCredential } from '../domain/run-request.ts';
import { readAccount, type Account } from '../secret/account.ts';
import type { Cli } from './cli.ts';
import { readClientConfig } from './client-config.ts';
import { listCredentials } from './credentials.ts';

/** What this user may log in to registries with. */
export interface RegistryLogins {
  /** By host. */
  readonly credentials: Readonly<Record<string, RegistryCredential>>;
  /** Hosts whose passwords docker keeps in a credential helper, which is not asked. */
  readonly unread: readonly string[];
}

/** An entry of `auths` in docker's config.json. */
interface DockerAuth {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
}

interface DockerConfig {
  readonly auths?: Readonly<Record<string, DockerAuth | null>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** Docker Hub goes by its old address there; all others by their host, sometimes as a URL. */
function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === 'index.docker.io' ? 'docker.io' : host;
}

function toCredential({ auth, username, password }: DockerAuth): RegistryCredential | undefined {
  const text = auth === undefined ? `${username ?? ''}:${password ?? ''}` : Buffer.from(auth, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 1 || colon === text.length - 1
    ? undefined
    : { userName: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Takes what docker's config.json says in the clear. A file that makes no sense says nothing. */
export function readDockerConfig(text: string): RegistryLogins {
  let config: DockerConfig;
  try {
    config = (JSON.parse(text) ?? {}) as DockerConfig;
  } catch {
    return { credentials: {}, unread: [] };
  }
  const credentials: Record<string, RegistryCredential> = {};
  const unread = new Set(Object.keys(config.credHelpers ?? {}).map(hostOf));
  for (const [key, auth] of Object.entries(config.auths ?? {})) {
    const credential = toCredential(auth ?? {});
    if (credential === undefined) unread.add(hostOf(key));
    else credentials[hostOf(key)] = credential;
  }
  return { credentials, unread: [...unread].filter((host) => !Object.hasOwn(credentials, host)) };
}

async function readDockerLogins({ io }: Cli): Promise<RegistryLogins> {
  const directory = io.env['DOCKER_CONFIG'] ?? join(io.env['HOME'] ?? homedir(), '.docker');
  const text = await readFile(join(directory, 'config.json'), 'utf8').catch(() => '{}');
  return readDockerConfig(text);
}

function ofAccount({ username, password }: Account): RegistryCredential {
  return { userName: username, password };
}

/** The accounts that Slipway knows, by the host of each server's registry. */
async function readOwnLogins(cli: Cli): Promise<Readonly<Record<string, RegistryCredential>>> {
  const { dataDir, registryHost } = cli.config();
  const { server, username, password } = readClientConfig(cli.io.env);
  const own = await readAccount(dataDir).catch(() => undefined);
  const stored = await listCredentials(dataDir);
  const given =
    username === undefined || password === undefined
      ? {}
      : { [server === undefined ? registryHost : new URL(server).host]: { userName: username, password } };
  return {
    ...(own && { [registryHost]: ofAccount(own) }),
    ...Object.fromEntries(stored.map((account) => [account.registry, ofAccount(account)])),
    ...given,
  };
}

/**
 * All logins of this user: those of `docker login` that its config.json holds in the clear, and over them those of `slipway login`, of this
 * machine's installation and of the environment.
 */
export async function findRegistryLogins(cli: Cli): Promise<RegistryLogins> {
  const docker = await readDockerLogins(cli);
  const credentials = { ...docker.credentials, ...(await readOwnLogins(cli)) };
  return { credentials, unread: docker.unread.filter((host) => !Object.hasOwn(credentials, host)) };
}
