import { status, type ServiceDefinition, type UntypedServiceImplementation, type sendUnaryData } from '@grpc/grpc-js';
import type { RegistryCredential } from '../../domain/run-request.ts';
import { readFields, textOf, writeFields } from './protobuf.ts';

/** What a build may ask of us while it runs. */
export interface SessionOffer {
  /** By registry host. */
  readonly credentials: Readonly<Record<string, RegistryCredential>>;
  /** By the id of `RUN --mount=type=secret,id=…`. */
  readonly secrets: ReadonlyMap<string, string>;
}

/** One service of the session: its definition and what answers it. */
export interface SessionService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

type Answer = (request: Uint8Array) => Buffer | undefined;

/** A service with one unary method; `answer` works on the encoded messages, undefined means "not found". */
function unaryService(path: string, answer: Answer): SessionService {
  const method = path.slice(path.lastIndexOf('/') + 1);
  const same = (bytes: Buffer): Buffer => bytes;
  const definition = {
    [method]: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  };
  const handle = ({ request }: { request: Buffer }, callback: sendUnaryData<Buffer>): void => {
    try {
      const said = answer(request);
      if (said) callback(null, said);
      else callback({ code: status.NOT_FOUND, details: 'there is no such thing in this session' });
    } catch {
      callback({ code: status.INVALID_ARGUMENT, details: 'the request could not be read' });
    }
  };
  return { definition, implementation: { [method]: handle } };
}

/** The text of a request's first field. */
function firstText(request: Uint8Array): string {
  const field = readFields(request).find(({ number }) => number === 1);
  return field ? textOf(field) : '';
}

/** Docker Hub has three names: in image references, in docker's configuration, and on the wire. */
const hubNames = ['registry-1.docker.io', 'index.docker.io', 'docker.io', 'https://index.docker.io/v1/'];

/** The credential for a host, whichever of its names was given. */
export function findCredential(
  credentials: Readonly<Record<string, RegistryCredential>>,
  host: string,
): RegistryCredential | undefined {
  const names = hubNames.includes(host) ? hubNames : [host];
  const known = names.find((name) => Object.hasOwn(credentials, name));
  return known === undefined ? undefined : credentials[known];
}

/** `moby.filesync.v1.Auth`: CredentialsRequest{Host=1} → CredentialsResponse{Username=1, Secret=2}; empty where we know none. */
function authService({ credentials }: SessionOffer): SessionService {
  return unaryService('/moby.filesync.v1.Auth/Credentials', (request) => {
    const credential = findCredential(credentials, firstText(request));
    return writeFields(
      credential
        ? [
            [1, credential.userName],
            [2, credential.password],
          ]
        : [],
    );
  });
}

/** `moby.buildkit.secrets.v1.Secrets`: GetSecretRequest{ID=1} → GetSecretResponse{data=1}. */
function secretsService({ secrets }: SessionOffer): SessionService {
  return unaryService('/moby.buildkit.secrets.v1.Secrets/GetSecret', (request) => {
    const value = secrets.get(firstText(request));
    return value === undefined ? undefined : writeFields([[1, value]]);
  });
}

/** `grpc.health.v1.Health`: BuildKit drops a session that does not say SERVING (1). */
function healthService(): SessionService {
  return unaryService('/grpc.health.v1.Health/Check', () => writeFields([[1, 1]]));
}

/** The services that a session offers to BuildKit. */
export function sessionServices(offer: SessionOffer): readonly SessionService[] {
  return [authService(offer), secretsService(offer), healthService()];
}

/** The full names of the services' methods, for the session's opening. */
export function methodNames(services: readonly SessionService[]): readonly string[] {
  return services.flatMap(({ definition }) => Object.values(definition).map(({ path }) => path));
}
