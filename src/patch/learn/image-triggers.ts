import type { ImageIdentity } from '../../domain/dependencies.ts';
import { fail } from '../../domain/failure.ts';
import { askOwnRegistry, manifestTypes, type OwnRegistry } from '../own-registry.ts';
import type { LearnMeans } from './means.ts';

const maxBytes = 4 * 1024 * 1024;

type Members = Readonly<Record<string, unknown>>;

function asMembers(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Reads a JSON object of our registry; undefined when it is not there. Rejects with `storage-unavailable` for any other answer. */
async function readObject(options: OwnRegistry, path: string): Promise<Members | undefined> {
  const answer = await askOwnRegistry(options, path, { method: 'GET', headers: { accept: manifestTypes } });
  const isSmall = Number(answer.headers.get('content-length') ?? maxBytes) < maxBytes;
  if (answer.ok && isSmall) return asMembers(await answer.json());
  await answer.body?.cancel();
  if (answer.status === 404) return undefined;
  throw fail('storage-unavailable', `the registry answers ${String(answer.status)}`);
}

function digestIn(descriptor: unknown): string | undefined {
  const { digest } = asMembers(descriptor);
  return typeof digest === 'string' && /^[a-z0-9]+:[a-f0-9]{32,}$/.test(digest) ? digest : undefined;
}

/** The manifest of an index that is for a platform. */
function pickManifest(index: Members, platform: string): string | undefined {
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
  return async ({ registry, repository, tag, digest }: ImageIdentity, platform: string) => {
    if (registry !== own) return [];
    const manifests = `${repository}/manifests`;
    let manifest = await readObject(options, `${manifests}/${digest ?? tag ?? 'latest'}`);
    if (manifest !== undefined && 'manifests' in manifest) {
      const chosen = pickManifest(manifest, platform);
      manifest = chosen === undefined ? undefined : await readObject(options, `${manifests}/${chosen}`);
    }
    const config = digestIn(manifest?.['config']);
    if (config === undefined) return [];
    const image = asMembers(await readObject(options, `${repository}/blobs/${config}`));
    return asList(asMembers(image['config'])['OnBuild']).filter((one) => typeof one === 'string');
  };
}
