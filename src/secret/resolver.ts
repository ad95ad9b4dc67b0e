import { systemClock, type Clock } from '../domain/clock.ts';
import { fail } from '../domain/failure.ts';
import type { SecretSource } from '../domain/step.ts';
import type { VaultSettings } from '../domain/vaults.ts';
import { createAsk } from './ask.ts';
import { azureMetadataUrl } from './azure-tokens.ts';
import { createAzureVault } from './azure-vault.ts';
import { createHashicorpVault } from './hashicorp-vault.ts';
import type { SecretProvider, SecretResolver, VaultFetch } from './ports.ts';
import { createTokenCache } from './token-cache.ts';

export interface SecretResolverOptions {
  /** A value of the installation's own store; undefined: no secret of that name. */
  readonly own: (name: string) => Promise<Buffer | undefined>;
  readonly vaults: VaultSettings;
  /** Must let through what {@link listVaultHosts} names. */
  readonly fetch: VaultFetch;
  readonly clock?: Clock;
  /** Milliseconds that one secret may take; 30 000 when not given. */
  readonly timeoutMs?: number;
  /** Milliseconds before each further try of a vault that is busy. */
  readonly backoffMs?: readonly number[];
  /** In place of Azure's metadata service, for tests. */
  readonly metadataUrl?: string;
}

/** `host:port` of a URL, with the port where it is the usual one as well. */
function hostOf(text: string): string {
  const { hostname, port, protocol } = new URL(text);
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}

/** What an operator allows to be reached by setting vaults up: entries for an egress's list. */
export function listVaultHosts({ azure, hashicorp }: VaultSettings): readonly string[] {
  const urls = [
    ...(azure?.servers ?? []),
    ...(azure?.authority === undefined ? [] : [azure.authority]),
    ...(azure?.managedIdentity === true ? [azureMetadataUrl] : []),
    ...(hashicorp === undefined ? [] : [hashicorp.address]),
  ];
  return urls.map(hostOf);
}

/** Text as it is, and what is no UTF-8 in base64: templates are made of text. */
function textOf(value: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return value.toString('base64');
  }
}

async function readOwn(own: SecretResolverOptions['own'], { id }: SecretSource): Promise<string> {
  const value = await own(id);
  if (value !== undefined) return textOf(value);
  throw fail('not-found', `there is no secret "${id}"`, {
    field: 'secrets',
    hint: `set it with "slipway secret set ${id}", or name the URL of its vault with keyvault`,
  });
}

function refuseUrl({ id }: SecretSource, url: URL | undefined): Error {
  const where = url === undefined ? 'its keyvault is no URL' : `${url.host} is no vault that this server asks`;
  return fail('invalid-request', `the secret "${id}": ${where}`, {
    field: 'secrets',
    hint: 'Azure Key Vaults are asked, and the vaults that SLIPWAY_VAULT_ADDR and SLIPWAY_AZURE_VAULTS name',
  });
}

/** Waits no longer than one secret may take, and not beyond an abort, whether or not `work` can be stopped. */
async function within<T>(work: Promise<T>, { id }: SecretSource, timer: AbortSignal, signal: AbortSignal): Promise<T> {
  const both = AbortSignal.any([signal, timer]);
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => {
      reject(new Error('stopped', { cause: both.reason }));
    };
    if (both.aborted) stop();
    both.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } catch (error) {
    signal.throwIfAborted();
    if (timer.aborted)
      throw fail('timed-out', `the secret "${id}" did not come in time`, { field: 'secrets', cause: error });
    throw error;
  } finally {
    both.removeEventListener('abort', stop);
  }
}

/** Makes the one that finds secrets: in the own store, in Azure Key Vaults, in a HashiCorp Vault. Tokens are kept while it lives. */
export function createSecretResolver(options: SecretResolverOptions): SecretResolver {
  const { own, vaults, metadataUrl, clock = systemClock, timeoutMs = 30_000 } = options;
  const ask = createAsk(options.fetch, options.backoffMs);
  const shared = { ask, cache: createTokenCache(clock), timeoutMs };
  const providers: readonly SecretProvider[] = [
    ...(vaults.hashicorp === undefined ? [] : [createHashicorpVault({ ...shared, settings: vaults.hashicorp })]),
    createAzureVault({ ...shared, settings: vaults.azure, metadataUrl }),
  ];
  const read = async (source: SecretSource, signal: AbortSignal): Promise<string> => {
    if (source.keyvault === undefined) return readOwn(own, source);
    const url = URL.canParse(source.keyvault) ? new URL(source.keyvault) : undefined;
    const provider = url && providers.find((one) => one.owns(url));
    if (url === undefined || provider === undefined) throw refuseUrl(source, url);
    return provider.read(url, source, signal);
  };
  return {
    resolve(source, signal) {
      const timer = AbortSignal.timeout(timeoutMs);
      return within(read(source, AbortSignal.any([signal, timer])), source, timer, signal);
    },
  };
}
