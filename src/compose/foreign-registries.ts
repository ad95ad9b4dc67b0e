import type { SecretSource } from '../domain/step.ts';
import type { Egress } from '../egress/ports.ts';
import type { Installation } from '../installation.ts';
import { createForeignTriggers } from '../patch/learn/foreign-triggers.ts';
import type { LearnMeans } from '../patch/learn/means.ts';
import { createForeignRegistries, type ForeignRegistries } from '../patch/poll/foreign-registries.ts';
import { createOperatorAsk } from '../patch/poll/operator-credentials.ts';
import { createTaskCredentials, type TaskCredentialsOptions } from '../patch/poll/task-credentials.ts';
import type { AskRegistry } from '../registry-client/ports.ts';
import { createSender } from '../registry-client/sender.ts';
import { createRegistrySession } from '../registry-client/session.ts';
import { openRegistryCredential } from '../secret/registry-credential.ts';
import { openTaskSecrets } from '../trigger/sealed-secrets.ts';
import { openSecretSources } from '../worker/secret-sources.ts';

/** What of an installation foreign registries are asked with. */
export interface ForeignOptions extends Pick<Installation, 'clock' | 'key' | 'logger' | 'store'> {
  readonly config: Pick<Installation['config'], 'vaults' | 'egressAllow'>;
}

/** How long a vault may take to give a credential, milliseconds. */
const vaultMs = 15_000;

/** Opens the credentials that tasks bring themselves, without those in vaults if `resolve` is left out. */
function openTaskCredentials(
  { key, logger, store }: ForeignOptions,
  resolve?: TaskCredentialsOptions['resolve'],
): ReturnType<typeof createTaskCredentials> {
  return createTaskCredentials({
    tasks: store.tasks,
    openSecrets: (sealed) => openTaskSecrets(key, sealed),
    ...(resolve && { resolve }),
    onUnusable: (task, registry, error) => {
      logger.warn({ err: error, task, registry }, 'the credential of this task for a registry cannot be used');
    },
  });
}

/** Opens the sessions with foreign registries, with what the operator has set for them besides what requests bring. */
function openAsk({ clock, key, logger, store }: ForeignOptions, egress: Egress): AskRegistry {
  const sender = createSender({ egress, field: 'image' });
  return createOperatorAsk({
    sealedFor: (registry) => store.registryCredentials.get(registry),
    open: (registry, sealed) => openRegistryCredential(key, registry, sealed),
    openSession: () => createRegistrySession({ sender, clock }),
    onUnusable: (registry, error) => {
      logger.warn({ err: error, registry }, 'the credential that is set for this registry cannot be opened');
    },
    onRefused: (registry, status) => {
      logger.warn(
        { registry, status },
        'a registry refuses the credentials that are known for it: it is asked without',
      );
    },
  });
}

/** What is asked of foreign registries. */
export interface Foreign {
  readonly registries: ForeignRegistries;
  /** What their images have in store for builds on them. */
  readonly triggersOf: LearnMeans['triggersOf'];
}

/**
 * Opens foreign registries: they are asked with what the tasks concerned have for them, and with what is set for all. What is asked so that tasks
 * are only read asks no vault.
 */
export function openForeign(options: ForeignOptions, egress: Egress): Foreign {
  const { clock, config, key, store } = options;
  const ask = openAsk(options, egress);
  const secrets = openSecretSources({ ...config, key, store: store.secrets });
  const resolve = (source: SecretSource): Promise<string> => secrets.resolve(source, AbortSignal.timeout(vaultMs));
  return {
    registries: createForeignRegistries({ ask, clock, credentialsFor: openTaskCredentials(options, resolve) }),
    triggersOf: createForeignTriggers({
      ...{ ask, clock, credentialsFor: openTaskCredentials(options) },
      hasCredential: async (registry) => (await store.registryCredentials.get(registry)) !== undefined,
    }),
  };
}
