import type { RegistryCredential } from '../../../domain/run-request.ts';
import { encodeHeader } from '../auth-header.ts';
import { findCredential } from '../session-services.ts';
import { isEmpty, isObject, type Fields } from './fields.ts';
import { wrong } from './refusal.ts';

type Credentials = Readonly<Record<string, RegistryCredential>>;

const hub = 'https://index.docker.io/v1/';

function decode(header: string): Fields {
  try {
    const value: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw wrong('the credentials in the header cannot be read');
}

function authOf({ userName, password }: RegistryCredential, host: string): Fields {
  return { username: userName, password, serveraddress: host === 'docker.io' ? hub : host };
}

const kinds = ['username', 'auth', 'identitytoken', 'registrytoken'];

/**
 * `X-Registry-Auth` for a registry: what the client sent, or, where it knows nobody there, the run's own credential.
 * @throws `invalid-request` for a header that cannot be read.
 */
export function registryAuth(header: string | undefined, host: string, credentials: Credentials): string {
  const given = header === undefined || header === '' ? {} : decode(header);
  if (kinds.some((kind) => !isEmpty(given[kind]))) return encodeHeader(given);
  const known = findCredential(credentials, host);
  return encodeHeader(known ? authOf(known, host) : {});
}

/**
 * `X-Registry-Config` for a build: what the client sent, and the run's own credentials for hosts that it does not name.
 * @throws `invalid-request` for a header that cannot be read.
 */
export function registryConfig(header: string | undefined, credentials: Credentials): string {
  const own = Object.entries(credentials).map(
    ([host, credential]) => [host === 'docker.io' ? hub : host, authOf(credential, host)] as const,
  );
  const given = header === undefined || header === '' ? {} : decode(header);
  return encodeHeader({ ...Object.fromEntries(own), ...given });
}
