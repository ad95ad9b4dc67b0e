import type { Readable } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import { fail } from '../domain/failure.ts';
import type { RegistryCredential } from '../domain/run-request.ts';
import type { Egress, EgressResponse } from '../egress/ports.ts';
import { FinalAnswer } from './download.ts';

/** A registry, and who asks. */
export interface RegistryAccess {
  /** What may reach it. */
  readonly egress: Egress;
  /** `https://ghcr.io`, without a slash at its end. */
  readonly origin: string;
  /** As it stands in the location, for messages. */
  readonly host: string;
  readonly credential: RegistryCredential | undefined;
  /** For the whole of a request, milliseconds. */
  readonly timeoutMs: number;
}

/** What is read of one repository. */
export interface RepositoryReader {
  /**
   * The body of `manifests/…` or `blobs/…`, to be read once or destroyed.
   * @throws `source-unavailable`, final where the registry says no; what `Egress.fetch` throws.
   */
  get(path: string, request: RepositoryRequest): Promise<Readable>;
}

export interface RepositoryRequest {
  readonly accept?: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/;

/** Where a registry's API is: with TLS but on the machine itself, as container engines have it. */
export function originOf(host: string): string {
  if (host === 'docker.io') return 'https://registry-1.docker.io';
  return `${loopback.test(host) ? 'http' : 'https'}://${host}`;
}

function basicOf({ userName, password }: RegistryCredential): string {
  return `Basic ${Buffer.from(`${userName}:${password}`).toString('base64')}`;
}

/** Where a token is given out (Distribution, "Token Authentication"); undefined where none is wanted. */
function tokenUrlOf(header: string, repository: string): URL | undefined {
  const [, bearer] = /(?:^|[\s,])Bearer +(.*)$/is.exec(header) ?? [];
  const values = new Map(
    [...(bearer ?? '').matchAll(/([a-z_]+)="([^"]*)"/gi)].map(([, name = '', value = '']) => [
      name.toLowerCase(),
      value,
    ]),
  );
  const realm = values.get('realm') ?? '';
  if (!URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  const service = values.get('service');
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', `repository:${repository}:pull`);
  return url;
}

function tokenIn(text: string): string | undefined {
  try {
    const { token, access_token: other } = (JSON.parse(text) ?? {}) as Readonly<Record<string, unknown>>;
    return [token, other].find((one) => typeof one === 'string');
  } catch {
    return undefined;
  }
}

/** Why a registry did not give something. A status of the registry's own trouble may pass, all others will not. */
function refusal({ host, credential }: RegistryAccess, status: number, what: string): Error {
  const message = `the registry ${host} answered with status ${String(status)} for ${what}`;
  if (status >= 500 || status === 429) return fail('source-unavailable', message);
  const isLogin = status === 401 || status === 403;
  const hint =
    credential === undefined ? 'it may need a login: credentials.customRegistries' : 'the login may not read it';
  return new FinalAnswer({ reason: 'source-unavailable', message, ...(isLogin && { hint }) });
}

/** Asks for the token that a registry wants, or gives what is sent without one. */
async function logIn(
  { host, origin, credential, egress, timeoutMs }: RegistryAccess,
  header: string,
  { repository, signal }: { readonly repository: string; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const basic = credential && basicOf(credential);
  const url = tokenUrlOf(header, repository);
  if (url === undefined) return basic;
  // A password does not go to a server of tokens in the clear, unless its registry is asked that way too.
  if (url.protocol !== 'https:' && origin.startsWith('https:')) return undefined;
  const headers = { accept: 'application/json', ...(basic !== undefined && { authorization: basic }) };
  const answer = await egress.fetch(url.href, { headers, signal, timeoutMs, maxBytes: 1024 * 1024 });
  if (answer.status !== 200) {
    answer.body.destroy();
    throw refusal({ host, origin, credential, egress, timeoutMs }, answer.status, 'a token');
  }
  const token = tokenIn(await readText(answer.body));
  return token === undefined ? undefined : `Bearer ${token}`;
}

/** Reads one repository of a registry, logged in as it asks for it. `isTrusted`: the password is sent unasked. */
export function createRepositoryReader(
  access: RegistryAccess,
  repository: string,
  isTrusted: boolean,
): RepositoryReader {
  const { egress, origin, credential, timeoutMs } = access;
  let authorization = isTrusted && credential !== undefined ? basicOf(credential) : undefined;
  const send = (path: string, { accept, maxBytes, signal }: RepositoryRequest): Promise<EgressResponse> =>
    egress.fetch(`${origin}/v2/${repository}/${path}`, {
      headers: { ...(accept !== undefined && { accept }), ...(authorization !== undefined && { authorization }) },
      ...{ maxBytes, signal, timeoutMs },
    });
  return {
    async get(path, request) {
      let answer = await send(path, request);
      const header = answer.headers['www-authenticate'];
      if (answer.status === 401 && typeof header === 'string') {
        answer.body.destroy();
        authorization = await logIn(access, header, { repository, signal: request.signal });
        answer = await send(path, request);
      }
      if (answer.status === 200) return answer.body;
      answer.body.destroy();
      throw refusal(access, answer.status, `${repository}/${path}`);
    },
  };
}
