import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../domain/clock.ts';
import type { AccessDesk } from '../../domain/registry-access.ts';
import type { InstallationKey } from '../../secret/key-ring.ts';
import { createAccess, type Access } from './access.ts';
import type { Audit } from './audit.ts';
import { createAccessDesk } from './desk.ts';
import { createTokenMint } from './jwt.ts';
import { createLogins } from './logins.ts';
import type { PrincipalSource } from './principal.ts';
import { createAnonymous, createRecordSources } from './record-sources.ts';
import type { AccessRecords } from './records-port.ts';
import { createTokenService, type TokenService, type TokenServiceOptions } from './token-service.ts';

/** What the access of a registry is made of. */
export interface RegistryAccessOptions extends Pick<TokenServiceOptions, 'publicUrl' | 'findApiToken'> {
  readonly records: AccessRecords;
  readonly clock: Clock;
  /** Those who may log in besides the ones who have records: the admin, runs. */
  readonly sources: readonly PrincipalSource[];
  /** Signs tokens; all processes of an installation have the same. Left out: random, and tokens end with the process. */
  readonly key?: InstallationKey | undefined;
  /** Lets everybody pull without credentials. */
  readonly anonymousPull: boolean;
  readonly audit?: Audit | undefined;
  /** Where a request comes from; the other end of its connection when left out. */
  readonly addressOf?: ((request: IncomingMessage) => string | undefined) | undefined;
}

/** Everything about who may do what. */
export interface RegistryAccess {
  readonly access: Access;
  readonly tokens: TokenService;
  readonly desk: AccessDesk;
}

function peerOf({ socket }: IncomingMessage): string | undefined {
  return socket.remoteAddress;
}

/** Puts together who may use a registry, how they prove it, and where that is looked after. */
export function createRegistryAccess(options: RegistryAccessOptions): RegistryAccess {
  const { records, clock, key = randomBytes(32), audit = () => undefined, addressOf = peerOf, publicUrl } = options;
  const mint = createTokenMint({ key, clock });
  const anonymous = createAnonymous(records, options.anonymousPull);
  const sources = [...options.sources, ...createRecordSources(records, clock)];
  const logins = createLogins({ sources, mint, clock, audit, addressOf: ({ req }) => addressOf(req) ?? '' });
  const parts = { logins, mint, anonymousMay: anonymous.may, hasAnonymous: anonymous.exists, publicUrl };
  const isTaken = (name: string): boolean => sources.some((source) => source.owns?.(name) === true);
  return {
    access: createAccess(parts),
    tokens: createTokenService({ ...parts, clock, findApiToken: options.findApiToken }),
    desk: createAccessDesk({ records, clock, audit, isTaken }),
  };
}
