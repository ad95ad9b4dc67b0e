import type { ImageIdentity } from '../../domain/dependencies.ts';
import { isDigest, type Digest } from '../../domain/digest.ts';
import { normalizeIfPossible } from '../../dockerfile/platform.ts';
import type { RegistryClient } from '../../registry-client/client.ts';
import { fieldsOf, parseFields, type RegistryDocument } from '../../registry-client/documents.ts';
import { pickManifest } from '../platforms/pick-manifest.ts';

type ImageReader = Pick<RegistryClient, 'manifest' | 'smallBlob'>;

function configOf(manifest: RegistryDocument | undefined): Digest | undefined {
  const { digest } = fieldsOf(manifest && parseFields(manifest.bytes)?.['config']);
  return typeof digest === 'string' && isDigest(digest) ? digest : undefined;
}

/** The configuration of the image that a build for a platform begins with. */
async function findConfig(
  client: ImageReader,
  { repository, tag, digest }: ImageIdentity,
  platform: string,
): Promise<Digest | undefined> {
  const named = await client.manifest(repository, digest ?? tag ?? 'latest');
  const chosen = named && pickManifest(named, normalizeIfPossible(platform));
  if (chosen === undefined) return undefined;
  return configOf(chosen === named?.digest ? named : await client.manifest(repository, chosen));
}

/**
 * Reads the `ONBUILD` triggers that an image holds in its configuration, for a platform; none where there is no such image. Rejects with a
 * RegistryRefusal.
 */
export async function readTriggers(
  client: ImageReader,
  image: ImageIdentity,
  platform: string,
): Promise<readonly string[]> {
  const config = await findConfig(client, image, platform);
  if (config === undefined) return [];
  const fields = parseFields(await client.smallBlob(image.repository, config));
  const triggers = fieldsOf(fields?.['config'])['OnBuild'];
  return Array.isArray(triggers) ? triggers.filter((one) => typeof one === 'string') : [];
}
