import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import type { RegistryOptions } from '../../../src/registry/options.ts';
import { descriptor, imageType, indexType, sha, startRegistry, type RunningRegistry } from '../rig.ts';

/** What came back, read to its end. */
export interface Answer {
  readonly status: number;
  readonly bytes: Buffer;
  /** The value of a header; undefined when it was not sent. */
  header(name: string): string | undefined;
  /** The codes of the OCI error document that the body is; throws when it is none. */
  codes(): string[];
}

export interface Ask {
  (method: string, path: string, more?: RequestInit): Promise<Answer>;
  /** The registry that is asked; before the first test it is not there. */
  running(): RunningRegistry;
}

/** Every kind of digest that the specification names. */
export const algorithms = ['sha256', 'sha512'] as const;
/** The config of an artifact that needs none, and its bytes (image-spec, "Guidance for an Empty Descriptor"). */
export const emptyType = 'application/vnd.oci.empty.v1+json';
export const layerType = 'application/vnd.oci.image.layer.v1.tar';
export const configType = 'application/vnd.oci.image.config.v1+json';

/** One registry for the tests of a file, asked as its administrator. */
export function useRegistry(options: Partial<RegistryOptions> = {}): Ask {
  let running: RunningRegistry;
  beforeAll(async () => {
    running = await startRegistry(options);
  });
  afterAll(async () => {
    await running.stop();
    expect(running.errors).toEqual([]);
  });
  const ask = async (method: string, path: string, more?: RequestInit): Promise<Answer> =>
    readAnswer(await running.send(method, path, more));
  return Object.assign(ask, { running: () => running });
}

/** Reads an answer to its end. */
export async function readAnswer(answer: Response): Promise<Answer> {
  const bytes = Buffer.from(await answer.arrayBuffer());
  return {
    status: answer.status,
    bytes,
    header: (name) => answer.headers.get(name) ?? undefined,
    codes: () => {
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      const { errors } = JSON.parse(bytes.toString()) as { errors: { code: string; message: unknown }[] };
      for (const { message } of errors) expect(message).toEqual(expect.any(String));
      return errors.map(({ code }) => code);
    },
  };
}

/** Bytes that no other test pushes. */
export function fresh(length = 512): Buffer {
  return randomBytes(length);
}

/** Begins an upload; its location. */
export async function begin(ask: Ask, repository: string, query = ''): Promise<string> {
  const answer = await ask('POST', `/v2/${repository}/blobs/uploads/${query}`);
  expect(answer.status).toBe(202);
  return answer.header('location') ?? '';
}

/** The location with `digest` in its query, whatever is there already. */
export function closing(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
}

export const binary = { 'content-type': 'application/octet-stream' };

/** Pushes a blob; its descriptor. */
export async function pushBlob(
  ask: Ask,
  repository: string,
  bytes: Buffer | string,
  type = layerType,
): Promise<object> {
  const digest = sha(bytes);
  const answer = await ask('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: bytes as string });
  expect(answer.status).toBe(201);
  return descriptor(type, bytes, digest);
}

/** Puts a document as a manifest. */
export function putManifest(
  ask: Ask,
  at: { readonly repository: string; readonly reference: string; readonly type?: string },
  document: object | string,
): Promise<Answer> {
  const body = typeof document === 'string' ? document : JSON.stringify(document);
  const headers = { 'content-type': at.type ?? (body.includes('"manifests"') ? indexType : imageType) };
  return ask('PUT', `/v2/${at.repository}/manifests/${at.reference}`, { body, headers });
}

/** Pushes the blobs of an image and gives its manifest, which nobody has pushed yet. */
export async function prepareImage(ask: Ask, repository: string, more: object = {}): Promise<string> {
  const config = await pushBlob(ask, repository, JSON.stringify({ n: fresh(8).toString('hex') }), configType);
  const layers = [await pushBlob(ask, repository, fresh()), await pushBlob(ask, repository, fresh())];
  return JSON.stringify({ schemaVersion: 2, mediaType: imageType, config, layers, ...more });
}

/** Pushes an image of fresh blobs. */
export async function pushImage(
  ask: Ask,
  repository: string,
  more: { readonly reference?: string; readonly fields?: object } = {},
): Promise<{ readonly digest: string; readonly bytes: string }> {
  const bytes = await prepareImage(ask, repository, more.fields);
  const digest = sha(bytes);
  const answer = await putManifest(ask, { repository, reference: more.reference ?? digest, type: imageType }, bytes);
  expect(answer.status).toBe(201);
  return { digest, bytes };
}
