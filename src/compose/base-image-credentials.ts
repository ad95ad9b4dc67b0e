import { fail } from '../domain/failure.ts';
import type { BaseImageCredentialDesk, BaseImageCredentialEntry } from '../http/options.ts';
import type { Installation } from '../installation.ts';
import { createAuditLog, type AuditAction } from '../registry/access/audit.ts';
import { sealRegistryCredential } from '../secret/registry-credential.ts';
import type { SecretEntry } from '../store/ports.ts';

type DeskOptions = Pick<Installation, 'clock' | 'key' | 'logger'> & {
  readonly config: Pick<Installation['config'], 'registryHost'>;
  readonly store: Pick<Installation['store'], 'registryCredentials'>;
};

function entryOf({ name, ...rest }: SecretEntry): BaseImageCredentialEntry {
  return { registry: name, ...rest };
}

/** Keeps what other registries are asked with, sealed; each change leaves a line of audit. */
export function createBaseImageCredentialDesk(options: DeskOptions): BaseImageCredentialDesk {
  const { clock, config, key, logger, store } = options;
  const audit = createAuditLog(logger);
  const note = (who: string, action: AuditAction, name: string): void => {
    audit({ time: new Date(clock.now()).toISOString(), who, action, name, result: 'done' });
  };
  return {
    list: async () => (await store.registryCredentials.list()).map(entryOf),
    set: async (registry, credential, who) => {
      if (registry === config.registryHost.toLowerCase())
        throw fail('invalid-request', `${registry} is the registry in the box, which tells of its pushes itself`, {
          field: 'registry',
          hint: 'a credential is for the registries of others',
        });
      const sealed = sealRegistryCredential(key, registry, credential);
      const entry = await store.registryCredentials.put(registry, sealed, who);
      note(who, 'write-registry-credential', registry);
      return entryOf(entry);
    },
    remove: async (registry, who) => {
      const isRemoved = await store.registryCredentials.delete(registry);
      if (isRemoved) note(who, 'delete-registry-credential', registry);
      return isRemoved;
    },
  };
}
