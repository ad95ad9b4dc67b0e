import { isDigest, type Digest } from '../domain/digest.ts';
import { fail } from '../domain/failure.ts';

/** A layer of an artifact. */
export interface ArtifactLayer {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** The name of the file that it is; undefined: it is a tar archive of a folder, compressed or not. */
  readonly file?: string;
}

const maxLayers = 100;

interface Descriptor {
  readonly mediaType?: unknown;
  readonly digest?: unknown;
  readonly size?: unknown;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

function bad(why: string): Error {
  return fail('invalid-context', `the artifact cannot be a context: ${why}`, {
    hint: 'push a folder, for example with "oras push registry/repository:tag ." in it',
  });
}

/** ORAS marks folders, which it packs; a file it sends as it is, under its name (oras.land, "Artifact and folder"). */
function fileOf({ mediaType, annotations = {} }: Descriptor): string | undefined {
  const title = annotations['org.opencontainers.image.title'];
  const isPacked = annotations['io.deis.oras.content.unpack'] === 'true' || /[.+]gzip$/.test(String(mediaType));
  return typeof title !== 'string' || isPacked || /\.(?:tar|tgz|tar\.gz)$/.test(title) ? undefined : title;
}

function readLayer(descriptor: Descriptor): ArtifactLayer {
  const { mediaType, digest, size } = descriptor;
  if (
    typeof digest !== 'string' ||
    !isDigest(digest) ||
    typeof size !== 'number' ||
    !Number.isSafeInteger(size) ||
    size < 0
  )
    throw bad('a layer has no digest or size');
  if (!digest.startsWith('sha256:')) throw bad('a layer has a digest other than sha256');
  if (/[.+]zstd$/.test(String(mediaType))) throw bad('a layer is compressed with zstd, and only gzip is read');
  const file = fileOf(descriptor);
  return { digest, size, ...(file !== undefined && { file }) };
}

/**
 * Reads the layers of an artifact out of its manifest (OCI image-spec, "Image Manifest").
 * @throws `invalid-context` for what has none, such as an index.
 */
export function readManifest(text: string): readonly ArtifactLayer[] {
  let document: { readonly layers?: unknown; readonly manifests?: unknown };
  try {
    document = (JSON.parse(text) ?? {}) as typeof document;
  } catch {
    throw bad('its manifest is no JSON');
  }
  if (Array.isArray(document.manifests)) throw bad('it is an index of several; name one of them by its digest');
  const { layers } = document;
  if (!Array.isArray(layers) || layers.length === 0) throw bad('it has no layers');
  if (layers.length > maxLayers) throw bad(`it has more than ${String(maxLayers)} layers`);
  return layers.map((layer: unknown) => readLayer((layer ?? {}) as Descriptor));
}
