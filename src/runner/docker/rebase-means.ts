import type { RunSetup } from '../../engine/ports.ts';
import { createLayerIndexes, type LayerIndexes } from './layer-index.ts';
import { createDocumentCache, type DocumentCache } from './rebase-images.ts';
import { createRegistryClient, type RegistryClient } from './registry-client.ts';
import { findCredential } from './session-services.ts';

/** What rebasing needs besides the build step itself. */
export interface RebaseMeans {
  /** A client of our registry, with that of a run's credentials which is for it. */
  readonly connect: (credentials: RunSetup['registryCredentials'], signal: AbortSignal) => RegistryClient;
  readonly layers: LayerIndexes;
  readonly documents: DocumentCache;
}

/** Where our registry is. */
export interface RegistryPlace {
  /** As image names have it. */
  readonly registryHost: string;
  /** How this process reaches it. */
  readonly registryUrl?: string;
}

/** Engines speak http to a registry on their own machine, and https to others; so do we. */
function originOf({ registryHost, registryUrl }: RegistryPlace): string {
  if (registryUrl !== undefined) return registryUrl;
  const isHere = /^(?:localhost|127(?:\.[0-9]+){3}|\[::1\])(?::[0-9]+)?$/i.test(registryHost);
  return `${isHere ? 'http' : 'https'}://${registryHost}`;
}

/** What images are rebased with; what was read of bases is kept for all runs. */
export function createRebaseMeans(place: RegistryPlace): RebaseMeans {
  return {
    connect: (credentials, signal) => {
      const credential = findCredential(credentials, place.registryHost);
      return createRegistryClient({ origin: originOf(place), credential, signal });
    },
    layers: createLayerIndexes(),
    documents: createDocumentCache(),
  };
}
