import { fail } from '../domain/failure.ts';
import type { Argument, CustomCredential, Platform, RunCredentials, RunRequestBase } from '../domain/run-request.ts';

interface SecretBody {
  readonly value: string;
  readonly type?: 'Opaque' | 'Vaultsecret';
}

interface CustomCredentialBody {
  readonly userName: SecretBody;
  readonly password: SecretBody;
  /** `system`, or the client id of the identity that reads the secrets. */
  readonly identity?: string;
}

interface CredentialsBody {
  readonly sourceRegistry?: { readonly loginMode?: 'None' | 'Default' };
  readonly customRegistries?: Readonly<Record<string, CustomCredentialBody>>;
}

/** Build arguments or task values as a body has them. */
export type ArgumentsBody = readonly {
  readonly name: string;
  readonly value?: string;
  readonly isSecret?: boolean;
}[];

/** What the bodies of all kinds of run request share (`schemas/api/run-request-parts.schema.json`). */
export interface RequestBody extends Partial<
  Pick<RunRequestBase, 'isArchiveEnabled' | 'agentPoolName' | 'timeout' | 'sourceLocation'>
> {
  readonly platform?: Partial<Platform>;
  readonly agentConfiguration?: { readonly cpu?: number };
  readonly credentials?: CredentialsBody;
}

function isVaulted({ type }: SecretBody): boolean {
  return type === 'Vaultsecret';
}

/** A value, or the URL of the secret that it is: whether a vault has it, and lets us read it, is seen when the run is at work. */
function readSecret(secret: SecretBody, field: string): string {
  if (!isVaulted(secret) || /^https?:\/\/[^\s/]+\/\S+$/.test(secret.value)) return secret.value;
  throw fail('invalid-request', `${field}.value must be the URL of a secret in a vault`, {
    field: `${field}.value`,
    hint: 'for example https://myvault.vault.azure.net/secrets/name; a value itself has the type Opaque',
  });
}

function readCustomCredential(host: string, body: CustomCredentialBody): CustomCredential {
  const field = `credentials.customRegistries.${host}`;
  const vaulted = (['userName', 'password'] as const).filter((part) => isVaulted(body[part]));
  const clientId = body.identity === 'system' ? undefined : body.identity;
  return {
    userName: readSecret(body.userName, `${field}.userName`),
    password: readSecret(body.password, `${field}.password`),
    ...(vaulted.length > 0 && { vaulted }),
    ...(vaulted.length > 0 && clientId !== undefined && { clientId }),
  };
}

function readCredentials(body: CredentialsBody = {}): RunCredentials {
  const custom = Object.entries(body.customRegistries ?? {});
  return {
    sourceRegistry: { loginMode: body.sourceRegistry?.loginMode ?? 'Default' },
    customRegistries: Object.fromEntries(custom.map(([host, one]) => [host, readCustomCredential(host, one)])),
  };
}

function readPlatform(body: Partial<Platform> = {}): Platform {
  if (body.os === 'windows') {
    throw fail('invalid-request', 'platform.os: this server runs Linux containers only', { field: 'platform.os' });
  }
  return { ...body, os: 'linux' };
}

/** Arguments or values with their defaults: an empty text, and not secret. */
export function readArguments(body: ArgumentsBody = []): readonly Argument[] {
  return body.map(({ name, value = '', isSecret = false }) => ({ name, value, isSecret }));
}

/** The part of a request that all kinds share, with its defaults. Throws `invalid-request` naming the field. */
export function readBase(body: RequestBody): RunRequestBase {
  return {
    isArchiveEnabled: body.isArchiveEnabled ?? false,
    ...(body.agentPoolName !== undefined && { agentPoolName: body.agentPoolName }),
    timeout: body.timeout ?? 3600,
    platform: readPlatform(body.platform),
    agentConfiguration: body.agentConfiguration ?? {},
    ...(body.sourceLocation !== undefined && { sourceLocation: body.sourceLocation }),
    credentials: readCredentials(body.credentials),
  };
}
