import type { TagReturn } from '../domain/campaign.ts';
import type { ImageIdentity } from '../domain/dependencies.ts';
import { isDigest, type Digest } from '../domain/digest.ts';
import { askOwnRegistry, manifestTypes, type OwnRegistry } from './own-registry.ts';
import type { TagKeeper } from './ports.ts';

export interface TagKeeperOptions extends OwnRegistry {
  /** What a tag of another registry stands for; undefined when that cannot be learned. */
  readonly askForeign: (image: ImageIdentity) => Promise<Digest | undefined>;
}

const manifestOf = (repository: string, reference: string): string => `${repository}/manifests/${reference}`;

async function askOwn(options: TagKeeperOptions, repository: string, tag: string): Promise<Digest | undefined> {
  const answer = await askOwnRegistry(options, manifestOf(repository, tag), {
    method: 'HEAD',
    headers: { accept: manifestTypes },
  });
  const digest = answer.headers.get('docker-content-digest');
  return answer.ok && digest !== null && isDigest(digest) ? digest : undefined;
}

async function pointBack(options: TagKeeperOptions, { image, from }: TagReturn): Promise<boolean> {
  const { repository, tag, digest } = image;
  if (tag === undefined || (await askOwn(options, repository, tag)) !== from) return false;
  const old = await askOwnRegistry(options, manifestOf(repository, digest), {
    method: 'GET',
    headers: { accept: manifestTypes },
  });
  const body = new Uint8Array(await old.arrayBuffer());
  if (!old.ok) return false;
  const headers = { 'content-type': old.headers.get('content-type') ?? '' };
  const put = await askOwnRegistry(options, manifestOf(repository, tag), { method: 'PUT', headers, body });
  await put.body?.cancel();
  return put.ok;
}

/**
 * Tags as registries have them. Ours is asked with a credential of the installation's own; between the look at a tag and its return lies a
 * moment in which somebody else's push would be undone. Rejects with `storage-unavailable` when our registry is away.
 */
export function createTagKeeper(options: TagKeeperOptions): TagKeeper {
  const isOurs = ({ registry }: ImageIdentity): boolean => registry === options.registryHost.toLowerCase();
  return {
    async digestOf(image) {
      if (image.digest !== undefined && image.tag === undefined) return image.digest;
      if (image.tag === undefined) return undefined;
      return isOurs(image) ? askOwn(options, image.repository, image.tag) : options.askForeign(image);
    },
    async pointBack(wanted) {
      return isOurs(wanted.image) && pointBack(options, wanted);
    },
  };
}
