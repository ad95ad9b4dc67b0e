import { createHash } from 'node:crypto';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { isDigest, splitDigest, type Digest } from '../../domain/digest.ts';
import type { RegistryCredential } from '../../domain/run-request.ts';

/** What a registry did not do. `message` has the words that a push by the engine has for the same. */
export class RegistryRefusal extends Error {
  override readonly name = 'RegistryRefusal';
  readonly status: number | undefined;

  constructor(message: string, status?: number, cause?: unknown) {
    super(message, { cause });
    this.status = status;
  }
}

/** A document in a registry. */
export interface FoundDocument {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** What is sent: bytes, and what they are. */
export type SentDocument = Pick<FoundDocument, 'digest' | 'mediaType' | 'bytes'>;

/** One registry, by one account. Every method rejects with a {@link RegistryRefusal} when the registry says no or is out of reach. */
export interface RegistryClient {
  /** What a tag or digest stands for; undefined when there is none. */
  resolve(repository: string, reference: string): Promise<Digest | undefined>;
  /** The manifest or index itself, at most 4 MiB. */
  manifest(repository: string, reference: string): Promise<FoundDocument | undefined>;
  /** A small blob, at most 4 MiB, its digest checked. */
  smallBlob(repository: string, digest: Digest): Promise<Buffer>;
  /** A blob as it comes. */
  openBlob(repository: string, digest: Digest): Promise<Readable>;
  /** Makes a blob of another repository one of this; false when the registry does not. */
  mount(repository: string, digest: Digest, from: string): Promise<boolean>;
  putBlob(repository: string, blob: SentDocument): Promise<void>;
  /** Puts a manifest under a tag, or under its digest alone; returns the digest that it has there. */
  putManifest(repository: string, reference: string, manifest: SentDocument): Promise<Digest>;
}

/** Where a registry is and who asks. */
export interface RegistryAccess {
  /** `http://127.0.0.1:5080`, without a slash at its end. */
  readonly origin: string;
  readonly credential: RegistryCredential | undefined;
  readonly signal: AbortSignal;
}

const maxSmallBytes = 4 * 1024 * 1024;
const idleMs = 30_000;

const manifestTypes = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.index.v1+json',
].join(', ');

/** Connections are kept between requests; a process that ends does not wait for them. */
const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };

interface Call {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Behind the origin, or a whole URL of the same origin. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** `sha256:…` of bytes. */
export function sha256Of(bytes: Buffer): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

function hasDigest(bytes: Buffer, digest: Digest): boolean {
  const { algorithm, hex } = splitDigest(digest);
  return createHash(algorithm).update(bytes).digest('hex') === hex;
}

function headersOf({ credential }: RegistryAccess, { headers, body }: Call): Record<string, string> {
  const { userName, password } = credential ?? {};
  const basic = `Basic ${Buffer.from(`${userName ?? ''}:${password ?? ''}`).toString('base64')}`;
  return {
    ...headers,
    ...(credential && { authorization: basic }),
    ...(body && { 'content-length': String(body.length) }),
  };
}

/** Sends a request and resolves with the answer's head, whatever its status. */
function send(access: RegistryAccess, call: Call): Promise<IncomingMessage> {
  const url = new URL(call.path, access.origin);
  const isHttps = url.protocol === 'https:';
  const options = {
    ...{ method: call.method, signal: access.signal, headers: headersOf(access, call) },
    agent: isHttps ? agents.https : agents.http,
  };
  return new Promise((resolve, reject) => {
    if (url.origin !== new URL(access.origin).origin) {
      reject(new RegistryRefusal('the registry points to another host'));
      return;
    }
    const outgoing = isHttps ? httpsRequest(url, options, resolve) : httpRequest(url, options, resolve);
    outgoing.setTimeout(idleMs, () => outgoing.destroy(new Error('timeout')));
    outgoing.on('error', (error) => {
      const code = 'code' in error && error.code === 'ECONNREFUSED' ? 'connection refused' : error.message;
      reject(new RegistryRefusal(`the registry ${access.origin} cannot be reached: ${code}`, undefined, error));
    });
    outgoing.end(call.body);
  });
}

async function readSmall(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > maxSmallBytes) throw new RegistryRefusal('the registry sends a document that is too large');
      parts.push(part);
    }
  } catch (error) {
    answer.destroy();
    throw error instanceof RegistryRefusal ? error : new RegistryRefusal('the registry broke off', undefined, error);
  }
  return Buffer.concat(parts);
}

/** Sends a request whose answer is small, and makes every status but those expected a refusal. */
async function ask(access: RegistryAccess, call: Call, expected: readonly number[]) {
  const answer = await send(access, call);
  const body = await readSmall(answer);
  const { statusCode: status = 0, headers } = answer;
  if (expected.includes(status)) return { status, headers, body };
  const what = status === 401 || status === 403 ? 'denied' : `HTTP status: ${status}`;
  throw new RegistryRefusal(`${call.method} ${call.path.split('?', 1)[0] ?? ''}: ${what}`, status);
}

function digestOf(header: string | string[] | undefined, bytes: Buffer): Digest {
  return typeof header === 'string' && isDigest(header) ? header : sha256Of(bytes);
}

async function getManifest(access: RegistryAccess, path: string, reference: string) {
  const call = { method: 'GET', path, headers: { accept: manifestTypes } } as const;
  const { status, headers, body } = await ask(access, call, [200, 404]);
  if (status === 404) return undefined;
  const digest = isDigest(reference) ? reference : digestOf(headers['docker-content-digest'], body);
  if (!hasDigest(body, digest)) throw new RegistryRefusal('the registry sends another manifest than it was asked for');
  const mediaType = (headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '';
  return { digest, mediaType, bytes: body };
}

/** Sends a blob in one request, or in two where the registry wants that (distribution-spec, "Pushing a blob monolithically"). */
async function putBlob(access: RegistryAccess, uploads: string, { digest, bytes }: SentDocument): Promise<void> {
  const headers = { 'content-type': 'application/octet-stream' };
  const path = `${uploads}?digest=${encodeURIComponent(digest)}`;
  const begun = await ask(access, { method: 'POST', path, headers, body: bytes }, [201, 202]);
  if (begun.status === 201) return;
  const session = new URL(begun.headers.location ?? '', access.origin);
  session.searchParams.set('digest', digest);
  await ask(access, { method: 'PUT', path: session.href, headers, body: bytes }, [201]);
}

async function mount(access: RegistryAccess, uploads: string, digest: Digest, from: string): Promise<boolean> {
  const query = new URLSearchParams({ mount: digest, from }).toString();
  const { status, headers } = await ask(access, { method: 'POST', path: `${uploads}?${query}` }, [201, 202]);
  if (status === 202 && headers.location !== undefined) {
    await ask(access, { method: 'DELETE', path: headers.location }, [202, 204, 404]).catch(() => undefined);
  }
  return status === 201;
}

/** A client of a registry that takes a name and password with every request. */
export function createRegistryClient(access: RegistryAccess): RegistryClient {
  const at = (repository: string, ...rest: readonly string[]): string => ['/v2', repository, ...rest].join('/');
  return {
    resolve: async (repository, reference) => {
      const path = at(repository, 'manifests', reference);
      const call = { method: 'HEAD', path, headers: { accept: manifestTypes } } as const;
      const { status, headers } = await ask(access, call, [200, 404]);
      const digest = headers['docker-content-digest'];
      if (status === 404) return undefined;
      if (typeof digest === 'string' && isDigest(digest)) return digest;
      return (await getManifest(access, path, reference))?.digest;
    },
    manifest: (repository, reference) => getManifest(access, at(repository, 'manifests', reference), reference),
    smallBlob: async (repository, digest) => {
      const { body } = await ask(access, { method: 'GET', path: at(repository, 'blobs', digest) }, [200]);
      if (!hasDigest(body, digest)) throw new RegistryRefusal('the registry sends another blob than it was asked for');
      return body;
    },
    openBlob: async (repository, digest) => {
      const answer = await send(access, { method: 'GET', path: at(repository, 'blobs', digest) });
      if (answer.statusCode === 200) return answer;
      answer.resume();
      throw new RegistryRefusal(`a layer could not be read, HTTP status: ${answer.statusCode ?? 0}`, answer.statusCode);
    },
    mount: (repository, digest, from) => mount(access, at(repository, 'blobs', 'uploads', ''), digest, from),
    putBlob: (repository, blob) => putBlob(access, at(repository, 'blobs', 'uploads', ''), blob),
    putManifest: async (repository, reference, { bytes, mediaType }) => {
      const headers = { 'content-type': mediaType };
      const path = at(repository, 'manifests', reference);
      const answer = await ask(access, { method: 'PUT', path, headers, body: bytes }, [201]);
      return digestOf(answer.headers['docker-content-digest'], bytes);
    },
  };
}
