import { fail } from '../domain/failure.ts';
import type { Argument, Platform, RunCredentials, RunRequestBase } from '../domain/run-request.ts';

interface SecretBody {
  readonly value: string;
  readonly type?: 'Opaque' | 'Vaultsecret';
}

interface CredentialsBody {
  readonly sourceRegistry?: { readonly loginMode?: 'None' | 'Default' };
  readonly customRegistries?: Readonly<
    Record<string, { readonly userName: SecretBody; readonly password: SecretBody }>
  >;
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

function readSecret(secret: SecretBody, field: string): string {
  if (secret.type !== 'Vaultsecret') return secret.value;
  throw fail('invalid-request', `${field}.type: secrets from a vault are not supported by this server`, {
    field: `${field}.type`,
    hint: 'send the value itself, with the type Opaque; it is kept encrypted',
  });
}

function readCredentials(body: CredentialsBody = {}): RunCredentials {
  const custom = Object.entries(body.customRegistries ?? {}).map(([host, credential]) => {
    const field = `credentials.customRegistries.${host}`;
    const userName = readSecret(credential.userName, `${field}.userName`);
    return [host, { userName, password: readSecret(credential.password, `${field}.password`) }] as const;
  });
  return {
    sourceRegistry: { loginMode: body.sourceRegistry?.loginMode ?? 'Default' },
    customRegistries: Object.fromEntries(custom),
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
    agentConfiguration: { cpu: body.agentConfiguration?.cpu ?? 2 },
    ...(body.sourceLocation !== undefined && { sourceLocation: body.sourceLocation }),
    credentials: readCredentials(body.credentials),
  };
}
