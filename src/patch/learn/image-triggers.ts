import type { ImageIdentity } from '../../domain/dependencies.ts';
import { isDigest, type Digest } from '../../domain/digest.ts';
import { fail } from '../../domain/failure.ts';
import type { RegistryClient } from '../../registry-client/client.ts';
import { parseFields } from '../../registry-client/documents.ts';
import { openOwnRegistry, type AskOwnRegistry, type OwnRegistry } from '../own-registry.ts';
import type { LearnMeans } from './means.ts';

type Members = Readonly<Record<string, unknown>>;

function asMembers(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Reads a JSON object of our registry; undefined when it is not there. Rejects with `storage-unavailable` for any other answer. */
async function readObject(
  ask: AskOwnRegistry,
  read: (client: RegistryClient) => Promise<Buffer | undefined>,
): Promise<Members | undefined> {
  const asked = await ask(read);
  if (asked.kind === 'done') return asked.value && (parseFields(asked.value) ?? {});
  if (asked.status === 404) return undefined;
  throw fail('storage-unavailable', `the registry answers ${String(asked.status)}`);
}

function digestIn(descriptor: unknown): Digest | undefined {
  const { digest } = asMembers(descriptor);
  return typeof digest === 'string' && isDigest(digest) ? digest : undefined;
}

/** The manifest of an index that is for a platform. */
function pickManifest(index: Members, platform: string): Digest | undefined {
  const [os, architecture, variant] = platform.split('/');
  const fit = asList(index['manifests']).find((one) => {
    const found = asMembers(asMembers(one)['platform']);
    const isKind = found['os'] === os && found['architecture'] === architecture;
    return isKind && (variant === undefined || found['variant'] === variant);
  });
  return digestIn(fit);
}

/**
 * Makes the reader of the `ONBUILD` triggers that images of our registry hold in their configuration. Images of other registries, and those
 * that are not there, have none as far as is known. Rejects when the registry does not answer.
 */
export function createTriggerReader(options: OwnRegistry): LearnMeans['triggersOf'] {
  const own = options.registryHost.toLowerCase();
  const ask = openOwnRegistry(options);
  const readManifest = (repository: string, reference: string): Promise<Members | undefined> =>
    readObject(ask, async (client) => (await client.manifest(repository, reference))?.bytes);
  return async ({ registry, repository, tag, digest }: ImageIdentity, platform: string) => {
    if (registry !== own) return [];
    let manifest = await readManifest(repository, digest ?? tag ?? 'latest');
    if (manifest !== undefined && 'manifests' in manifest) {
      const chosen = pickManifest(manifest, platform);
      manifest = chosen === undefined ? undefined : await readManifest(repository, chosen);
    }
    const config = digestIn(manifest?.['config']);
    if (config === undefined) return [];
    const image = asMembers(await readObject(ask, (client) => client.smallBlob(repository, config)));
    return asList(asMembers(image['config'])['OnBuild']).filter((one) => typeof one === 'string');
  };
}
