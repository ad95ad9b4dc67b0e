import type { TagReturn } from '../domain/campaign.ts';
import type { ImageIdentity } from '../domain/dependencies.ts';
import type { Digest } from '../domain/digest.ts';
import { openOwnRegistry, type AskOwnRegistry, type OwnRegistry } from './own-registry.ts';
import type { TagKeeper } from './ports.ts';

export interface TagKeeperOptions extends OwnRegistry {
  /** What a tag of another registry stands for; undefined when that cannot be learned. */
  readonly askForeign: (image: ImageIdentity) => Promise<Digest | undefined>;
}

async function askOwn(ask: AskOwnRegistry, repository: string, tag: string): Promise<Digest | undefined> {
  const asked = await ask((client) => client.resolve(repository, tag));
  return asked.kind === 'done' ? asked.value : undefined;
}

async function pointBack(ask: AskOwnRegistry, { image, from }: TagReturn): Promise<boolean> {
  const { repository, tag, digest } = image;
  if (tag === undefined || (await askOwn(ask, repository, tag)) !== from) return false;
  const asked = await ask(async (client) => {
    const old = await client.manifest(repository, digest);
    if (old === undefined) return false;
    await client.putManifest(repository, tag, old);
    return true;
  });
  return asked.kind === 'done' && asked.value;
}

/**
 * Tags as registries have them. Ours is asked with a credential of the installation's own; between the look at a tag and its return lies a
 * moment in which somebody else's push would be undone. Rejects with `storage-unavailable` when our registry is away.
 */
export function createTagKeeper(options: TagKeeperOptions): TagKeeper {
  const ask = openOwnRegistry(options);
  const isOurs = ({ registry }: ImageIdentity): boolean => registry === options.registryHost.toLowerCase();
  return {
    async digestOf(image) {
      if (image.digest !== undefined && image.tag === undefined) return image.digest;
      if (image.tag === undefined) return undefined;
      return isOurs(image) ? askOwn(ask, image.repository, image.tag) : options.askForeign(image);
    },
    async pointBack(wanted) {
      return isOurs(wanted.image) && pointBack(ask, wanted);
    },
  };
}
