import { createEgress } from '../egress/egress.ts';
import type { Installation } from '../installation.ts';
import type { OpenRemote } from '../registry/imports/ports.ts';
import { createRegistryClients } from '../registry-client/client.ts';
import { createRemoteEnd } from '../registry-client/copy/remote-end.ts';
import { createSender } from '../registry-client/sender.ts';

/** How images of other registries are reached: as the rules for connections allow, with the credential of the import alone. */
export function createRemoteSources({ config, clock }: Pick<Installation, 'config' | 'clock'>): OpenRemote {
  const egress = createEgress({ allow: config.egressAllow });
  const sender = createSender({ egress, field: 'source.registryUri' });
  return ({ registry, repository, credential }, signal) => {
    const credentials = credential === undefined ? [] : [credential];
    const clients = createRegistryClients({ sender, clock, credentials: () => Promise.resolve(credentials) });
    return createRemoteEnd(clients.at(registry, signal), repository);
  };
}
