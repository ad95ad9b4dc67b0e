import { LRUCache } from 'lru-cache';
import type { ImageAtDigest } from '../../domain/base-image.ts';
import type { Clock } from '../../domain/clock.ts';
import type { PlatformManifest } from '../../domain/dependencies.ts';
import { FailureError } from '../../domain/failure.ts';
import type { RegistryDocument } from '../../registry-client/documents.ts';
import { openOwnRegistry, type OwnRegistry } from '../own-registry.ts';
import type { PlatformReader } from '../ports.ts';
import { pickManifest } from './pick-manifest.ts';

export interface PlatformReaderOptions extends OwnRegistry {
  /**
   * The manifest or index of another registry behind an image's digest; undefined when there is none for us. Rejects with a failure when the
   * registry does not answer.
   */
  readonly readForeign: (image: ImageAtDigest) => Promise<RegistryDocument | undefined>;
  readonly clock: Clock;
}

/** Answers that are remembered: what a digest stands for never changes. */
const remembered = 2000;
/** A registry that does not answer is left alone for so long: the ends of runs would wait for it one after the other. */
const pauseMs = 60_000;

/** Leaves a registry alone for a while when it has not answered. */
function createPatience({ clock, readForeign }: PlatformReaderOptions): PlatformReaderOptions['readForeign'] {
  const awayUntil = new Map<string, number>();
  return async (image) => {
    if ((awayUntil.get(image.registry) ?? 0) > clock.now()) return undefined;
    awayUntil.delete(image.registry);
    try {
      return await readForeign(image);
    } catch (error) {
      awayUntil.set(image.registry, clock.now() + pauseMs);
      throw error;
    }
  };
}

function createRead(options: PlatformReaderOptions): PlatformReaderOptions['readForeign'] {
  const ask = openOwnRegistry(options);
  const readForeign = createPatience(options);
  const readOwn = async ({ repository, digest }: ImageAtDigest): Promise<RegistryDocument | undefined> => {
    const asked = await ask((client) => client.manifest(repository, digest));
    return asked.kind === 'done' ? asked.value : undefined;
  };
  return async (image) => {
    try {
      return await (image.registry === options.registryHost.toLowerCase() ? readOwn(image) : readForeign(image));
    } catch (error) {
      if (error instanceof FailureError) return undefined;
      throw error;
    }
  };
}

/** Makes the reader of what images have for platforms; an index is read once for each choice of platforms, while it is remembered. */
export function createPlatformReader(options: PlatformReaderOptions): PlatformReader {
  const read = createRead(options);
  const answers = new LRUCache<string, readonly PlatformManifest[]>({ max: remembered });
  return async (image, platforms) => {
    if (platforms.length === 0) return [];
    const key = [image.registry, image.repository, image.digest, ...platforms].join(' ');
    const known = answers.get(key);
    if (known !== undefined) return known;
    const document = await read(image);
    const manifests = platforms.map((platform): PlatformManifest => {
      const digest = document && pickManifest(document, platform);
      return { platform, ...(digest !== undefined && { digest }) };
    });
    if (manifests.every(({ digest }) => digest !== undefined)) answers.set(key, manifests);
    return manifests;
  };
}
