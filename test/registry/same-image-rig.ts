import { gzipSync } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import { pack, type Header } from 'tar-stream';
import { descriptor, imageType, sha, type RunningRegistry } from './rig.ts';

/** An entry of a layer; what is not said is as usual. */
export type Entry = Partial<Omit<Header, 'pax'>> & {
  readonly name: string;
  readonly text?: string;
  readonly pax?: Readonly<Record<string, string>>;
};

/** A layer with these entries, its files from `seconds` after 1970. */
export async function tarOf(entries: readonly Entry[], seconds = 1_700_000_000): Promise<Buffer> {
  const archive = pack();
  for (const { text = '', pax, ...entry } of entries) {
    const header = { mtime: new Date(seconds * 1000), ...entry, ...(pax && { pax: { ...pax } }) };
    if (entry.type === undefined || entry.type === 'file') archive.entry(header, text);
    else archive.entry(header);
  }
  archive.finalize();
  return buffer(archive);
}

export interface ImageParts {
  readonly layers: readonly Buffer[];
  /** Default: gzip. */
  readonly layerType?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly manifest?: Readonly<Record<string, unknown>>;
}

export const layerTypes = {
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  plain: 'application/vnd.oci.image.layer.v1.tar',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
} as const;

const configType = 'application/vnd.oci.image.config.v1+json';

/** A configuration as builders write it, made at `time`. */
export function configOf(time: string, change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    architecture: 'amd64',
    os: 'linux',
    created: time,
    config: { Env: ['PATH=/bin'], Cmd: ['/app'] },
    history: [{ created: time, created_by: 'COPY app /app # buildkit' }],
    ...change,
  };
}

/** Pushes an image's blobs and manifest; `headers` say who does. Gives the answer and the manifest's digest. */
export async function pushParts(
  running: RunningRegistry,
  { layers, layerType = layerTypes.gzip, config = configOf('2026-01-01T00:00:00Z'), manifest = {} }: ImageParts,
  { tag = 'v1', headers = {} }: { readonly tag?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly status: number; readonly digest: string; readonly answered: string | null }> {
  const text = JSON.stringify(config);
  const blobs = layers.map((layer) => (layerType === layerTypes.gzip ? gzipSync(layer) : layer));
  for (const blob of [text, ...blobs]) await running.pushBlob('team/app', blob);
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: imageType,
    config: descriptor(configType, text),
    layers: blobs.map((blob) => descriptor(layerType, blob)),
    ...manifest,
  });
  const path = `/v2/team/app/manifests/${tag}`;
  const answer = await running.send('PUT', path, { body, headers: { 'content-type': imageType, ...headers } });
  await answer.text();
  return { status: answer.status, digest: sha(body), answered: answer.headers.get('docker-content-digest') };
}
