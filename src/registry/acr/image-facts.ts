import { LRUCache } from 'lru-cache';
import type { Digest } from '../../domain/digest.ts';
import { contentKey } from '../layout.ts';
import type { ManifestRecord, ManifestReference } from '../records.ts';
import type { RepositoryContents } from '../repository-contents.ts';
import type { RegistryState } from '../state.ts';

/** What an image runs on, as its configuration says. */
export interface Platform {
  readonly architecture?: string;
  readonly os?: string;
}

/** What is shown of a manifest besides its record. */
export interface ImageFacts extends Platform {
  /** Bytes of the configuration and the layers, compressed as they are stored; of an index: of all its images together. */
  readonly imageSize: number;
}

const imageConfigTypes: readonly (string | undefined)[] = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
];
/** A configuration that is larger is not read. */
const mostConfigBytes = 1024 * 1024;
const keptPlatforms = 20_000;
const mostText = 64;

/** Reads what images run on from their configurations, once for each. */
export class ImageFactReader {
  readonly #state: Pick<RegistryState, 'storage' | 'manifestBytes'>;
  readonly #platforms = new LRUCache<string, Platform>({ max: keptPlatforms });

  constructor(state: Pick<RegistryState, 'storage' | 'manifestBytes'>) {
    this.#state = state;
  }

  /** Rejects with `storage-unavailable`; what cannot be read of a configuration is left out. */
  async read(contents: RepositoryContents, record: ManifestRecord): Promise<ImageFacts> {
    return { imageSize: imageSizeOf(contents, record), ...(await this.#platformOf(record)) };
  }

  async #platformOf({ references }: ManifestRecord): Promise<Platform> {
    const config = references.find(({ kind }) => kind === 'config');
    if (config === undefined) return commonPlatform(references);
    if (!imageConfigTypes.includes(config.mediaType) || (config.size ?? 0) > mostConfigBytes) return {};
    const known = this.#platforms.get(config.digest);
    if (known !== undefined) return known;
    const bytes = await this.#readConfig(config.digest);
    if (bytes === undefined) return {};
    const platform = parsePlatform(bytes);
    this.#platforms.set(config.digest, platform);
    return platform;
  }

  async #readConfig(digest: Digest): Promise<Buffer | undefined> {
    const { storage, manifestBytes } = this.#state;
    const unplaced = manifestBytes.unplaced(digest);
    if (unplaced !== undefined) return unplaced;
    // What the manifest says of the size need not be true.
    const found = await storage.stat(contentKey(digest));
    return found === undefined || found.size > mostConfigBytes ? undefined : storage.readSmall(contentKey(digest));
  }
}

/** What all children of an index run on, where they agree. */
function commonPlatform(references: readonly ManifestReference[]): Platform {
  const children = references.filter(({ kind }) => kind === 'manifest');
  const one = <Field extends keyof Platform>(field: Field): Partial<Record<Field, string>> => {
    const values = new Set(children.map(({ platform }) => platform?.[field]));
    const [value] = values;
    return values.size === 1 && value !== undefined ? ({ [field]: value } as Record<Field, string>) : {};
  };
  return { ...one('architecture'), ...one('os') };
}

function parsePlatform(bytes: Buffer): Platform {
  let config: unknown;
  try {
    config = JSON.parse(bytes.toString('utf8'));
  } catch {
    return {};
  }
  const { architecture, os } = (config ?? {}) as Readonly<Record<string, unknown>>;
  return { ...textAs('architecture', architecture), ...textAs('os', os) };
}

function textAs(field: keyof Platform, value: unknown): Platform {
  return typeof value === 'string' && value !== '' && value.length <= mostText ? { [field]: value } : {};
}

/** Each content once, however many images of an index share it. */
function imageSizeOf(contents: RepositoryContents, record: ManifestRecord): number {
  const seen = new Set<string>([record.digest]);
  const add = ({ references }: ManifestRecord): number => {
    let sum = 0;
    for (const { digest, kind, size = 0 } of references) {
      if (seen.has(digest)) continue;
      seen.add(digest);
      const child = kind === 'manifest' ? contents.manifests.get(digest) : undefined;
      if (kind !== 'manifest') sum += size;
      else if (child !== undefined) sum += add(child);
    }
    return sum;
  };
  return add(record);
}
