import type { RunSetup } from '../../engine/ports.ts';
import { createLayerIndexes, type LayerIndexes } from './layer-index.ts';
import { createDocumentCache, type DocumentCache } from './rebase-images.ts';
import { connectRegistry, type RegistryClient } from '../../registry-client/client.ts';
import { originOf } from '../../registry-client/place.ts';
import { patientTries } from '../../registry-client/retry.ts';
import { createSender } from '../../registry-client/sender.ts';
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

/** What images are rebased with; what was read of bases is kept for all runs. */
export function createRebaseMeans({ registryHost, registryUrl }: RegistryPlace): RebaseMeans {
  const sender = createSender();
  // Engines speak http to a registry on their own machine, and https to others; so do we.
  const origin = registryUrl ?? originOf(registryHost);
  // Where it is only guessed, it may never be: images are built then, and nobody is to wait.
  const tries = registryUrl === undefined ? 1 : patientTries;
  return {
    connect: (credentials, signal) => {
      const credential = findCredential(credentials, registryHost);
      return connectRegistry({ origin, credential, signal, sender, tries });
    },
    layers: createLayerIndexes(),
    documents: createDocumentCache(),
  };
}
