import type { Clock } from '../../domain/clock.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { RegistryCredential } from '../../domain/run-request.ts';
import type { TaskName } from '../../domain/task.ts';
import { createClientsOver } from '../../registry-client/client.ts';
import type { AskRegistry } from '../../registry-client/ports.ts';
import { readTriggers } from './read-triggers.ts';

export interface ForeignTriggersOptions {
  readonly ask: AskRegistry;
  /** What tasks bring themselves for a registry. */
  readonly credentialsFor: (registry: string, tasks: readonly TaskName[]) => Promise<readonly RegistryCredential[]>;
  /** Whether the operator has set a credential for a registry. */
  readonly hasCredential: (registry: string) => Promise<boolean>;
  readonly clock: Clock;
}

/** A registry that does not answer soon must not hold up the reading of a task. */
const patience = { tries: 1, limits: { timeoutMs: 10_000 } };

/**
 * Makes the reader of the `ONBUILD` triggers that images of other registries hold. A registry that nobody has a credential for is not asked:
 * reading a manifest counts as a pull, of which strangers have few. Rejects when a registry says no or does not answer.
 */
export function createForeignTriggers({ ask, credentialsFor, hasCredential, clock }: ForeignTriggersOptions) {
  return async (image: ImageIdentity, platform: string, task: TaskName): Promise<readonly string[]> => {
    const { registry } = image;
    const own = await credentialsFor(registry, [task]);
    if (own.length === 0 && !(await hasCredential(registry))) return [];
    const askAs: AskRegistry = (request) => ask({ ...request, credentials: () => Promise.resolve(own) });
    return readTriggers(createClientsOver(askAs, { clock, ...patience }).at(registry), image, platform);
  };
}
