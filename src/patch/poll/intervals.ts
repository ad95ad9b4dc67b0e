import type { PatchingSettings } from '../../config/patching.ts';
import { identifyImage, type RepositoryName } from '../../domain/image-reference.ts';

/** The registry that a host means, as images name it: in lower case, and Docker Hub, which has many names, as `docker.io`. */
export function registryOf(host: string): string {
  return identifyImage({ registry: host, repository: 'any' as RepositoryName }).registry;
}

/** How often a registry is asked, in milliseconds, by the installation's settings; undefined: never. */
export function createIntervalOf({
  pollMs,
  pollMsOf,
}: Pick<PatchingSettings, 'pollMs' | 'pollMsOf'>): (registry: string) => number | undefined {
  const own = new Map(Object.entries(pollMsOf).map(([host, ms]) => [registryOf(host), ms]));
  return (registry) => (own.has(registry) ? own.get(registry) : pollMs);
}
