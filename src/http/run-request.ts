import { fail } from '../domain/failure.ts';
import type {
  Argument,
  DockerBuildRequest,
  Platform,
  RunCredentials,
  RunRequest,
  RunRequestBase,
} from '../domain/run-request.ts';
import { findNearest } from './nearest.ts';
import { createBodyCheck } from './schema.ts';

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

/** The body of scheduleRun as `schemas/api/docker-build-request.schema.json` has it. */
interface DockerBuildBody extends Partial<
  Pick<
    DockerBuildRequest,
    'imageNames' | 'isPushEnabled' | 'noCache' | 'target' | 'isArchiveEnabled' | 'agentPoolName' | 'timeout'
  >
> {
  readonly type: 'DockerBuildRequest';
  readonly dockerFilePath: string;
  readonly sourceLocation: string;
  readonly platform?: Partial<Platform>;
  readonly agentConfiguration?: { readonly cpu?: number };
  readonly arguments?: readonly { readonly name: string; readonly value?: string; readonly isSecret?: boolean }[];
  readonly credentials?: CredentialsBody;
}

const takenTypes = ['DockerBuildRequest'];
const foreignTypes = ['FileTaskRunRequest', 'EncodedTaskRunRequest', 'TaskRunRequest'];

/** The discriminator is looked at before the rest, so that the message is about it and not about the fields of another type. */
function checkType(body: unknown): void {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw fail('invalid-request', 'the request body must be a JSON object', {
      hint: 'send {"type":"DockerBuildRequest", …} with Content-Type: application/json',
    });
  }
  const type = (body as Readonly<Record<string, unknown>>)['type'];
  const hint = `this server takes ${takenTypes.join(', ')}`;
  if (typeof type !== 'string')
    throw fail('invalid-request', 'type must name the kind of run request', { field: 'type', hint });
  const isSame = (one: string): boolean => one.toLowerCase() === type.toLowerCase();
  if (takenTypes.some(isSame)) return;
  if (foreignTypes.some(isSame)) {
    throw fail('invalid-request', `run requests of type ${type} are not supported by this server yet`, {
      field: 'type',
      hint,
    });
  }
  const nearest = findNearest(type, takenTypes);
  const meant = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  throw fail('invalid-request', `"${type.slice(0, 100)}" is no type of run request${meant}`, { field: 'type', hint });
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
    throw fail('invalid-request', 'platform.os: this server builds Linux images only', { field: 'platform.os' });
  }
  return { ...body, os: 'linux' };
}

function readArguments(body: DockerBuildBody['arguments'] = []): readonly Argument[] {
  return body.map(({ name, value = '', isSecret = false }) => ({ name, value, isSecret }));
}

function fillInBuild(body: DockerBuildBody): Omit<DockerBuildRequest, keyof RunRequestBase> {
  const imageNames = body.imageNames ?? [];
  return {
    type: body.type,
    imageNames,
    isPushEnabled: imageNames.length > 0 && (body.isPushEnabled ?? true),
    noCache: body.noCache ?? false,
    dockerFilePath: body.dockerFilePath,
    ...(body.target !== undefined && { target: body.target }),
    arguments: readArguments(body.arguments),
  };
}

function fillIn(body: DockerBuildBody): DockerBuildRequest {
  return {
    ...fillInBuild(body),
    isArchiveEnabled: body.isArchiveEnabled ?? false,
    ...(body.agentPoolName !== undefined && { agentPoolName: body.agentPoolName }),
    timeout: body.timeout ?? 3600,
    platform: readPlatform(body.platform),
    agentConfiguration: { cpu: body.agentConfiguration?.cpu ?? 2 },
    sourceLocation: body.sourceLocation,
    credentials: readCredentials(body.credentials),
  };
}

/**
 * Makes the parser of scheduleRun bodies (azure-api.md §6.2): a request with all defaults filled in, its secrets still in the clear.
 * It throws `invalid-request` naming the field.
 */
export function createRunRequestParser(): (body: unknown) => RunRequest {
  const check = createBodyCheck('api/docker-build-request');
  return (body) => {
    checkType(body);
    return fillIn(check(body) as DockerBuildBody);
  };
}
