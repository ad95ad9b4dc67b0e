import { fail } from '../../domain/failure.ts';
import { openOwnRegistry, type OwnRegistry } from '../own-registry.ts';
import type { ReadBuildOptions } from './read-build.ts';
import { readTriggers } from './read-triggers.ts';

/**
 * Makes the reader of the `ONBUILD` triggers that images of our registry hold. Images of other registries, and those that are not there, have
 * none as far as is known. Rejects with `storage-unavailable` when the registry does not answer.
 */
export function createTriggerReader(options: OwnRegistry): ReadBuildOptions['triggersOf'] {
  const own = options.registryHost.toLowerCase();
  const ask = openOwnRegistry(options);
  return async (image, platform) => {
    if (image.registry !== own) return [];
    const asked = await ask((client) => readTriggers(client, image, platform));
    if (asked.kind === 'done') return asked.value;
    if (asked.status === 404) return [];
    throw fail('storage-unavailable', `the registry answers ${String(asked.status)}`);
  };
}
