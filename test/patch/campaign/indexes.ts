import type { Digest } from '../../../src/domain/digest.ts';
import type { PlatformReader } from '../../../src/patch/ports.ts';

/** The indexes of a test's registry. What was not added is one image for all platforms. */
export class Indexes {
  readonly #manifests = new Map<Digest, ReadonlyMap<string, Digest>>();

  add(digest: Digest, manifests: ReadonlyMap<string, Digest>): void {
    this.#manifests.set(digest, manifests);
  }

  readonly platformsOf: PlatformReader = async ({ digest }, platforms) =>
    platforms.map((platform) => {
      const index = this.#manifests.get(digest);
      const found = index === undefined ? digest : index.get(platform);
      return { platform, ...(found !== undefined && { digest: found }) };
    });
}
