import {
  passwordNames,
  type AccessStatus,
  type KeptPassword,
  type PasswordName,
  type RegistryToken,
  type RoleAssignment,
  type ScopeMap,
  type ServicePrincipal,
  type ServicePrincipalBody,
  type TokenBody,
} from '../domain/registry-access.ts';
import { resourceId } from './documents.ts';
import type { AppConfig } from './options.ts';

type Config = Pick<AppConfig, 'name'>;
type Kind = 'scopeMaps' | 'tokens' | 'servicePrincipals';

function wrap(config: Config, kind: Kind, { name, ...properties }: { readonly name: string }): object {
  return {
    id: resourceId(config.name, kind, name),
    name,
    type: `Microsoft.ContainerRegistry/registries/${kind}`,
    properties: { ...properties, provisioningState: 'Succeeded' },
  };
}

/** What is shown of passwords: when they were made and when they end. */
function describePasswords(passwords: readonly KeptPassword[]): object {
  const shown = passwords.map(({ name, creationTime, expiry }) => {
    return { name, creationTime, ...(expiry !== undefined && { expiry }) };
  });
  return { passwords: shown, certificates: [] };
}

/** A scope map's document. */
export function scopeMapDocument(config: Config, map: ScopeMap): object {
  return wrap(config, 'scopeMaps', map);
}

/** A token's document, without its passwords' hashes. */
export function tokenDocument(config: Config, { passwords, scopeMap, ...rest }: RegistryToken): object {
  const scopeMapId = resourceId(config.name, 'scopeMaps', scopeMap);
  return wrap(config, 'tokens', { ...rest, scopeMapId, credentials: describePasswords(passwords) } as { name: string });
}

/** A service principal's document, without its passwords' hashes. */
export function servicePrincipalDocument(config: Config, { passwords, ...rest }: ServicePrincipal): object {
  const document = { ...rest, credentials: describePasswords(passwords) };
  return wrap(config, 'servicePrincipals', document);
}

/** The last part of a resource id (`…/scopeMaps/pull`); a bare name is one already. */
export function nameOfId(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

interface Credentials {
  readonly passwords?: readonly { readonly name: PasswordName }[];
}

/** `properties` of a token as a client writes it (`schemas/api/registry-token`). */
export interface TokenProperties {
  readonly scopeMapId?: string;
  readonly status?: AccessStatus;
  readonly credentials?: Credentials;
}

/** `properties` of a service principal as a client writes it (`schemas/api/service-principal`). */
export interface ServicePrincipalProperties {
  readonly displayName?: string;
  readonly status?: AccessStatus;
  readonly roleAssignments?: readonly RoleAssignment[];
  readonly secret?: string;
  readonly credentials?: Credentials;
}

function readKept(credentials: Credentials | undefined): Pick<TokenBody, 'passwords'> {
  const given = credentials?.passwords;
  if (given === undefined) return {};
  return { passwords: passwordNames.filter((name) => given.some((one) => one.name === name)) };
}

/** What a client writes of a token. Passwords that it leaves out of its list end. */
export function readTokenBody({ scopeMapId, status, credentials }: TokenProperties): TokenBody {
  return {
    ...(scopeMapId !== undefined && { scopeMap: nameOfId(scopeMapId) }),
    ...(status !== undefined && { status }),
    ...readKept(credentials),
  };
}

/** What a client writes of a service principal. */
export function readServicePrincipalBody({ credentials, ...rest }: ServicePrincipalProperties): ServicePrincipalBody {
  return { ...rest, ...readKept(credentials) };
}
