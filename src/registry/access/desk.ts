import type { AccessDesk } from '../../domain/registry-access.ts';
import type { DeskParts } from './desk-parts.ts';
import { createPasswordDesk } from './desk-passwords.ts';
import { createScopeMapDesk } from './desk-scope-maps.ts';
import { createServicePrincipalDesk } from './desk-service-principals.ts';
import { createTokenDesk } from './desk-tokens.ts';

/** Makes the desk where scope maps, tokens and service principals are looked after. */
export function createAccessDesk(parts: DeskParts): AccessDesk {
  const passwords = createPasswordDesk(parts);
  return {
    scopeMaps: createScopeMapDesk(parts),
    tokens: {
      ...createTokenDesk(parts),
      generate: (name, order, who) => passwords.generate('token', name, { ...order, who }),
    },
    servicePrincipals: {
      ...createServicePrincipalDesk(parts),
      generate: (name, order, who) => passwords.generate('service-principal', name, { ...order, who }),
    },
  };
}
