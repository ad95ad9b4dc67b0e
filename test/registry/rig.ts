import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import type { BlobStore } from '../../src/blob/ports.ts';
import type { RegistryEvent } from '../../src/domain/event.ts';
import type { Principal, Registry, RegistryOptions } from '../../src/registry/options.ts';
import { createRegistry } from '../../src/registry/registry.ts';
import { configureServer, registryServerOptions } from '../../src/registry/server.ts';

/** A registry behind a real server, with what a test may look at. */
export interface RunningRegistry {
  readonly registry: Registry;
  readonly server: Server;
  readonly storage: BlobStore;
  readonly events: RegistryEvent[];
  /** What the registry logged as an error. */
  readonly errors: string[];
  /** The clock's time; a test may move it. */
  readonly clock: { time: number; now(): number };
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** A request as `admin`; `path` begins after the host. */
  send(method: string, path: string, more?: RequestInit): Promise<Response>;
  /** Pushes a blob in one request; its digest. */
  pushBlob(repository: string, text: string | Buffer): Promise<string>;
  /** Pushes an image of one layer; its digest and bytes. */
  pushImage(repository: string, reference: string, more?: object): Promise<{ digest: string; bytes: string }>;
  stop(): Promise<void>;
}

export const imageType = 'application/vnd.oci.image.manifest.v1+json';
export const indexType = 'application/vnd.oci.image.index.v1+json';

export const admin: Principal = { name: 'admin', may: () => true };
/** Reads and writes below `team/`, and reads nothing else. */
const member: Principal = {
  name: 'member',
  may: (repository, action) => repository.startsWith('team/') && action !== 'delete' && action !== 'catalog',
};

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

export function sha(bytes: string | Buffer, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Starts a registry on a port of its own; `storage` of an earlier one makes it a restart. */
export async function startRegistry(options: Partial<RegistryOptions> = {}): Promise<RunningRegistry> {
  const clock = { time: Date.UTC(2026, 0, 1), now: () => clock.time };
  const storage = options.storage ?? createMemoryBlobStore(() => clock.time);
  const events: RegistryEvent[] = [];
  const errors: string[] = [];
  const registry = await createRegistry({
    authenticate: (username, password) =>
      password === 'secret' ? [admin, member].find(({ name }) => name === username) : undefined,
    anonymousPull: false,
    onEvent: (event) => void events.push(event),
    logger: {
      warn: () => undefined,
      error: (details, message) => void errors.push(`${message} ${inspectError(details)}`),
    },
    clock,
    ...options,
    // Tests look into the store.
    limits: { placeAfterMs: 0, ...options.limits },
    storage,
  });
  const server = createServer(registryServerOptions, (req, res) => {
    if (!registry.handle(req, res)) res.writeHead(418).end('not the registry');
  });
  configureServer(server, registry);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const running = { registry, server, storage, events, errors, clock, url };
  return { ...running, ...clientOf(url), stop: () => stop(running) };
}

function clientOf(url: string): Pick<RunningRegistry, 'send' | 'pushBlob' | 'pushImage'> {
  const send: RunningRegistry['send'] = (method, path, more = {}) => {
    const headers = {
      authorization: basic('admin', 'secret'),
      ...(more.headers as Record<string, string> | undefined),
    };
    return fetch(url + path, { method, redirect: 'manual', ...more, headers });
  };
  const pushBlob: RunningRegistry['pushBlob'] = async (repository, text) => {
    const digest = sha(text);
    const answer = await send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: text as string });
    if (answer.status !== 201) throw new Error(`pushing a blob: ${String(answer.status)} ${await answer.text()}`);
    return digest;
  };
  const pushImage: RunningRegistry['pushImage'] = async (repository, reference, more = {}) => {
    const [config, layer] = ['{}', `layer of ${reference}`];
    const bytes = JSON.stringify({
      schemaVersion: 2,
      mediaType: imageType,
      config: descriptor('application/vnd.oci.image.config.v1+json', config, await pushBlob(repository, config)),
      layers: [descriptor('application/vnd.oci.image.layer.v1.tar', layer, await pushBlob(repository, layer))],
      ...more,
    });
    const digest = sha(bytes);
    const at = reference === 'by digest' ? digest : reference;
    const headers = { 'content-type': imageType };
    const answer = await send('PUT', `/v2/${repository}/manifests/${at}`, { body: bytes, headers });
    if (answer.status !== 201) throw new Error(`pushing an image: ${String(answer.status)} ${await answer.text()}`);
    return { digest, bytes };
  };
  return { send, pushBlob, pushImage };
}

export function descriptor(mediaType: string, bytes: string | Buffer, digest = sha(bytes)): object {
  return { mediaType, digest, size: Buffer.byteLength(bytes) };
}

/** The codes of an OCI error document; throws when the answer is none. */
export async function codesOf(answer: Response): Promise<string[]> {
  const { errors } = (await answer.json()) as { errors: { code: string; message: string }[] };
  return errors.map(({ code, message }) => {
    if (typeof message !== 'string' || message === '') throw new Error('an error without a message');
    return code;
  });
}

/** Waits until `check` holds, at most five seconds. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await check()) return;
    await new Promise((next) => setTimeout(next, 10));
  }
  throw new Error('it did not come to pass within five seconds');
}

async function stop({ server, registry }: Pick<RunningRegistry, 'server' | 'registry'>): Promise<void> {
  await registry.close();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}

function inspectError(details: object): string {
  return 'err' in details
    ? details.err instanceof Error
      ? (details.err.stack ?? '')
      : 'no error'
    : JSON.stringify(details);
}
