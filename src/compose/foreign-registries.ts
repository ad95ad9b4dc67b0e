import type { Egress } from '../egress/ports.ts';
import type { Installation } from '../installation.ts';
import { createForeignRegistries, type ForeignRegistries } from '../patch/poll/foreign-registries.ts';
import { createTaskCredentials } from '../patch/poll/task-credentials.ts';
import { createSender } from '../registry-client/sender.ts';
import { createRegistrySession } from '../registry-client/session.ts';
import { openTaskSecrets } from '../trigger/sealed-secrets.ts';
import { openSecretSources } from '../worker/secret-sources.ts';

/** How long a vault may take to give a credential, milliseconds. */
const vaultMs = 15_000;

/** Opens the client of foreign registries: it asks with what the tasks concerned have for them. */
export function openForeignRegistries(installation: Installation, egress: Egress): ForeignRegistries {
  const { clock, config, key, logger, store } = installation;
  const secrets = openSecretSources({ ...config, key, store: store.secrets });
  const credentialsFor = createTaskCredentials({
    tasks: store.tasks,
    openSecrets: (sealed) => openTaskSecrets(key, sealed),
    resolve: (source) => secrets.resolve(source, AbortSignal.timeout(vaultMs)),
    onUnusable: (task, registry, error) => {
      logger.warn({ err: error, task, registry }, 'the credential of this task for a registry cannot be used');
    },
  });
  const ask = createRegistrySession({ sender: createSender({ egress, field: 'image' }), clock });
  return createForeignRegistries({ ask, credentialsFor, clock });
}
