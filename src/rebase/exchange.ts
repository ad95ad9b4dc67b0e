import type { Digest } from '../domain/digest.ts';
import { manifestTypes, textIn, type Descriptor, type Fields } from './documents.ts';
import type { Rebase } from './judge.ts';
import { nextSettings } from './settings.ts';

/** What the new image is given besides what it has of its base and of the old image. */
export interface ExchangeOptions {
  /** Over those of the Dockerfile. */
  readonly labels: Readonly<Record<string, string>>;
  /** ISO 8601, UTC. */
  readonly created: string;
  /** The sha256 digest of bytes. */
  readonly digestOf: (bytes: Buffer) => Digest;
}

/** A document as it is put into a registry, byte for byte. */
export interface NewDocument {
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly mediaType: string;
}

/** The new image. */
export interface Exchanged {
  readonly config: NewDocument;
  readonly manifest: NewDocument;
  /** Layers of the new base, as its manifest names them. */
  readonly baseLayers: readonly Descriptor[];
  /** Layers of the old image that are kept. */
  readonly ownLayers: readonly Descriptor[];
}

function document(value: object, mediaType: string, { digestOf }: ExchangeOptions): NewDocument {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, digest: digestOf(bytes), mediaType };
}

/** Labels that were given to the classic builder stand in the history, each in an entry of its own, with their values. */
function withLabel(entry: Fields, labels: ExchangeOptions['labels']): Fields {
  const [, before, name = ''] = /^(.* LABEL ([^=\s]+)=)/s.exec(textIn(entry, 'created_by') ?? '') ?? [];
  const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
  return before === undefined || value === undefined ? entry : { ...entry, created_by: `${before}${value}` };
}

function historyOf({ oldBase, newBase, image, effects }: Rebase, { labels }: ExchangeOptions): readonly Fields[] {
  const own = image.history.slice(oldBase.history.length);
  const given = own.slice(effects.done.length).map((entry) => withLabel(entry, labels));
  return [...newBase.history, ...own.slice(0, effects.done.length), ...given];
}

function configOf(rebase: Rebase, options: ExchangeOptions): Fields {
  const { oldBase, newBase, image, effects } = rebase;
  const { labels, created } = options;
  const settings = nextSettings(effects, newBase, image);
  const allLabels = { ...(settings['Labels'] as Fields | undefined), ...labels };
  const author = effects.author ?? textIn(newBase.document, 'author');
  const variant = textIn(image.document, 'variant');
  return {
    architecture: image.document['architecture'],
    os: image.document['os'],
    ...(variant !== undefined && { variant }),
    ...(author !== undefined && { author }),
    created,
    config: { ...settings, ...(Object.keys(allLabels).length > 0 && { Labels: allLabels }) },
    history: historyOf(rebase, options),
    rootfs: {
      type: 'layers',
      diff_ids: [...newBase.diffIds, ...image.diffIds.slice(oldBase.diffIds.length)],
    },
  };
}

/** Makes the documents of the image that stands on the new base, in the media types of the old image. Pure: nothing is put anywhere. */
export function exchange(rebase: Rebase, options: ExchangeOptions): Exchanged {
  const { oldBase, newBase, image } = rebase;
  const types = manifestTypes[image.mediaType];
  const config = document(configOf(rebase, options), types.config, options);
  const isPlain = ({ mediaType }: Descriptor): boolean => mediaType.endsWith('tar');
  const layers = [...newBase.layers, ...image.layers.slice(oldBase.layers.length)];
  const manifest = {
    schemaVersion: 2,
    mediaType: image.mediaType,
    config: { mediaType: types.config, size: config.bytes.length, digest: config.digest },
    layers: layers.map((layer) => ({
      mediaType: isPlain(layer) ? types.plainLayer : types.layer,
      size: layer.size,
      digest: layer.digest,
    })),
  };
  return {
    config,
    manifest: document(manifest, image.mediaType, options),
    baseLayers: newBase.layers,
    ownLayers: image.layers.slice(oldBase.layers.length),
  };
}
