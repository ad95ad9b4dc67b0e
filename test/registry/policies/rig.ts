import type { RegistryPolicies } from '../../../src/domain/registry-care.ts';
import type { Principal, RegistryOptions } from '../../../src/registry/options.ts';
import { admin, basic, indexType, sha, startRegistry, type RunningRegistry } from '../rig.ts';

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** Pushes and pulls, and sees nothing of what is in quarantine. */
const pusher: Principal = { name: 'pusher', may: (_repository, action) => !action.startsWith('quarantine') };
const puller: Principal = { name: 'puller', may: (_repository, action) => action === 'pull' };

export interface CareRig extends RunningRegistry {
  /** Sends as somebody else. */
  as(name: 'pusher' | 'puller', method: string, path: string): Promise<Response>;
  /** Pushes an index of these manifests; its digest. */
  pushIndex(repository: string, reference: string, children: readonly string[]): Promise<string>;
  /** Pushes something about a manifest; its digest. */
  attach(repository: string, subject: string, text: string): Promise<string>;
  set(change: {
    readonly [Name in keyof RegistryPolicies]?: Partial<RegistryPolicies[Name]>;
  }): Promise<RegistryPolicies>;
  /** The kinds of events since the last call, with what they are about. */
  told(): string[];
}

/** A registry whose policies are applied only when the test says so. */
export async function startCare(options: Partial<RegistryOptions> = {}): Promise<CareRig> {
  const running = await startRegistry({
    collection: { intervalMs: 0 },
    authenticate: (username, password) =>
      password === 'secret' ? [admin, pusher, puller].find(({ name }) => name === username) : undefined,
    ...options,
    care: { intervalMs: 0, ...options.care },
  });
  let told = 0;
  const push = async (repository: string, reference: string, document: object): Promise<string> => {
    const bytes = JSON.stringify(document);
    const at = reference === 'by digest' ? sha(bytes) : reference;
    const headers = { 'content-type': String((document as { mediaType?: string }).mediaType) };
    const answer = await running.send('PUT', `/v2/${repository}/manifests/${at}`, { body: bytes, headers });
    if (answer.status !== 201) throw new Error(`pushing: ${String(answer.status)} ${await answer.text()}`);
    return sha(bytes);
  };
  return {
    ...running,
    as: (name, method, path) =>
      fetch(running.url + path, { method, headers: { authorization: basic(name, 'secret') } }),
    pushIndex: (repository, reference, children) =>
      push(repository, reference, {
        schemaVersion: 2,
        mediaType: indexType,
        manifests: children.map((digest) => ({ mediaType: imageManifest, digest, size: 1 })),
      }),
    attach: async (repository, subject, text) => {
      const [empty, layer] = [await running.pushBlob(repository, '{}'), await running.pushBlob(repository, text)];
      return push(repository, 'by digest', {
        schemaVersion: 2,
        mediaType: imageManifest,
        artifactType: 'application/vnd.example.report',
        config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: empty, size: 2 },
        layers: [{ mediaType: 'text/plain', digest: layer, size: text.length }],
        subject: { mediaType: imageManifest, digest: subject, size: 1 },
      });
    },
    set: (change) => running.registry.care.update(change, 'admin'),
    told: () => {
      const fresh = running.events.slice(told);
      told = running.events.length;
      return fresh.map((event) => `${event.kind} ${event.repository}:${'tag' in event ? (event.tag ?? '') : ''}`);
    },
  };
}

const imageManifest = 'application/vnd.oci.image.manifest.v1+json';
