import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Digest } from '../../src/domain/digest.ts';
import type { CopyEnd } from '../../src/registry-client/copy/ports.ts';
import { mediaTypes, readDescriptor, sha256Of, type RegistryDocument } from '../../src/registry-client/documents.ts';

export const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip';
const configType = 'application/vnd.oci.image.config.v1+json';

/** What a test may look at and change of a repository in memory. */
export interface MemoryEnd extends CopyEnd {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, RegistryDocument>;
  readonly tags: Map<string, Digest>;
  /** What was done with it: `write sha256:…`, `tag v1` … */
  readonly log: string[];
  /** How many blobs were being written at once, at most. */
  readonly most: { atOnce: number };
  addBlob(content: string | Buffer): { digest: Digest; size: number };
  addManifest(document: object, tag?: string): Descriptor;
  addImage(about: { platform?: string; layers?: readonly string[]; tag?: string; more?: object }): Descriptor;
  addIndex(children: readonly object[], tag?: string, more?: object): Descriptor;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** A repository in memory that refuses a manifest of which something is missing. */
export function createMemoryEnd(name: string): MemoryEnd {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, RegistryDocument>();
  const tags = new Map<string, Digest>();
  const log: string[] = [];
  const most = { atOnce: 0 };
  let atOnce = 0;
  const fieldsOf = ({ bytes }: RegistryDocument) =>
    JSON.parse(bytes.toString()) as Partial<Record<'manifests' | 'layers', { digest: string; mediaType: string }[]>> & {
      config?: { digest: string };
      subject?: { digest: string };
      artifactType?: string;
    };
  const missingIn = (document: RegistryDocument): string[] => {
    const { manifests: children = [], layers = [], config } = fieldsOf(document);
    const held = layers.filter(({ mediaType }) => !mediaType.includes('foreign'));
    const names = [...held, ...(config ? [config] : [])].map(({ digest }) => digest);
    return [
      ...names.filter((one) => !blobs.has(one)),
      ...children.map(({ digest }) => digest).filter((one) => !manifests.has(one)),
    ];
  };
  const addBlob: MemoryEnd['addBlob'] = (content) => {
    const bytes = Buffer.from(content);
    blobs.set(sha256Of(bytes), bytes);
    return { digest: sha256Of(bytes), size: bytes.length };
  };
  const addManifest: MemoryEnd['addManifest'] = (fields, tag) => {
    const bytes = Buffer.from(JSON.stringify(fields));
    const { mediaType = mediaTypes.image } = fields as { mediaType?: string };
    const digest = sha256Of(bytes);
    manifests.set(digest, { digest, mediaType, bytes });
    if (tag !== undefined) tags.set(tag, digest);
    return { mediaType, digest, size: bytes.length };
  };
  return {
    ...{ name, blobs, manifests, tags, log, most, addBlob, addManifest },
    addImage({ platform = 'linux/amd64', layers = ['layer'], tag, more }) {
      const [os, architecture, variant] = platform.split('/');
      const config = { mediaType: configType, ...addBlob(JSON.stringify({ os, architecture, variant })) };
      const described = layers.map((layer) => ({ mediaType: layerType, ...addBlob(layer) }));
      const about = { schemaVersion: 2, mediaType: mediaTypes.image, config, layers: described, ...more };
      return { ...addManifest(about, tag), platform: { os, architecture, ...(variant && { variant }) } };
    },
    addIndex: (children, tag, more) =>
      addManifest({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: children, ...more }, tag),
    readManifest: async (reference) => manifests.get(tags.get(reference) ?? reference),
    hasManifest: async (digest) => manifests.has(digest),
    hasBlob: async (digest) => blobs.has(digest),
    openBlob: async (digest) => {
      log.push(`open ${digest}`);
      return Readable.from([blobs.get(digest) ?? Buffer.alloc(0)], { objectMode: false });
    },
    async writeBlob({ digest, open }) {
      atOnce += 1;
      most.atOnce = Math.max(most.atOnce, atOnce);
      try {
        const bytes = await buffer(await open());
        blobs.set(digest, bytes);
        log.push(`blob ${digest}`);
      } finally {
        atOnce -= 1;
      }
    },
    async writeManifest(reference, manifest) {
      const missing = missingIn(manifest);
      if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`);
      manifests.set(manifest.digest, manifest);
      if (reference !== manifest.digest) tags.set(reference, manifest.digest);
      log.push(`${reference === manifest.digest ? 'manifest' : 'tag'} ${reference}`);
    },
    listReferrers: async (digest) =>
      [...manifests.values()].flatMap((one) => {
        const described = readDescriptor({ mediaType: one.mediaType, digest: one.digest, size: one.bytes.length });
        return fieldsOf(one).subject?.digest === digest && described ? [described] : [];
      }),
  };
}
