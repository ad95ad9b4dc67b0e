import type { VaultSettings } from '../domain/vaults.ts';
import { createEgress } from '../egress/egress.ts';
import type { InstallationKey } from '../secret/key-ring.ts';
import { createOwnSecrets } from '../secret/own-secrets.ts';
import type { SecretResolver } from '../secret/ports.ts';
import { createSecretResolver, listVaultHosts } from '../secret/resolver.ts';
import type { SecretStore } from '../store/ports.ts';

interface SecretSourcesOptions {
  readonly store: SecretStore;
  /** The installation's key. */
  readonly key: InstallationKey;
  readonly vaults: VaultSettings;
  /** What outgoing requests may reach although it is private; the vaults that were set up are added. */
  readonly egressAllow: readonly string[];
}

/** Opens all that a worker's runs may have secrets from: the own store, and the vaults by a client that may reach them. */
export function openSecretSources({ store, key, vaults, egressAllow }: SecretSourcesOptions): SecretResolver {
  const egress = createEgress({ allow: [...egressAllow, ...listVaultHosts(vaults)] });
  const own = createOwnSecrets(key, store);
  return createSecretResolver({
    own: (name) => own.read(name),
    vaults,
    fetch: (url, request) => egress.fetch(url, request),
  });
}
