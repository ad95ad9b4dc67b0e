import { expect } from 'vitest';
import type { RegistryOptions } from '../../../src/registry/options.ts';
import { descriptor, imageType, indexType, sha, startRegistry, type RunningRegistry } from '../rig.ts';

export const configType = 'application/vnd.oci.image.config.v1+json';

/** Attributes that forbid nothing. */
export const unlocked = { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true };

/** A registry with what a client of `/acr/v1` does. */
export interface AcrRig extends RunningRegistry {
  /** The JSON of an answer to GET; fails for any status but 200. */
  get<T>(path: string): Promise<T>;
  /** PATCH with JSON. */
  patch(path: string, body: object | string): Promise<Response>;
  /** Sets attributes, and fails where that is refused. */
  lock(path: string, attributes: object): Promise<void>;
  status(method: string, path: string, body?: string): Promise<number>;
  /** Pushes an image whose configuration says what it runs on; its digest. */
  pushFor(repository: string, reference: string, platform: object): Promise<{ digest: string; imageSize: number }>;
  pushIndex(repository: string, reference: string, children: readonly object[]): Promise<string>;
}

export async function startAcrRig(options: Partial<RegistryOptions> = {}): Promise<AcrRig> {
  const running = await startRegistry(options);
  const { send } = running;
  const patch: AcrRig['patch'] = (path, body) =>
    send('PATCH', path, {
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  return {
    ...running,
    patch,
    get: async <T>(path: string) => {
      const answer = await send('GET', path);
      expect(`${String(answer.status)} ${path}`).toBe(`200 ${path}`);
      return (await answer.json()) as T;
    },
    lock: async (path, attributes) => {
      const answer = await patch(path, attributes);
      expect([answer.status, await answer.json()]).toMatchObject([200, {}]);
    },
    status: async (method, path, body) => {
      const headers = { 'content-type': imageType };
      const answer = await send(method, path, body === undefined ? {} : { body, headers });
      await answer.arrayBuffer();
      return answer.status;
    },
    pushFor: async (repository, reference, platform) => {
      const [config, layer] = [JSON.stringify(platform), `layer of ${reference}`];
      const bytes = JSON.stringify({
        schemaVersion: 2,
        mediaType: imageType,
        config: descriptor(configType, config, await running.pushBlob(repository, config)),
        layers: [
          descriptor('application/vnd.oci.image.layer.v1.tar', layer, await running.pushBlob(repository, layer)),
        ],
      });
      await put(running, `/v2/${repository}/manifests/${reference}`, bytes, imageType);
      return { digest: sha(bytes), imageSize: config.length + layer.length };
    },
    pushIndex: async (repository, reference, children) => {
      const bytes = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: children });
      await put(running, `/v2/${repository}/manifests/${reference}`, bytes, indexType);
      return sha(bytes);
    },
  };
}

async function put({ send }: RunningRegistry, path: string, body: string, type: string): Promise<void> {
  const answer = await send('PUT', path, { body, headers: { 'content-type': type } });
  expect([answer.status, await answer.text()]).toEqual([201, '']);
}
