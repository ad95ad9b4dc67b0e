import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { buffer } from 'node:stream/consumers';
import type { Place } from './case.ts';

/** A registry that has an image of every name, for every platform, and keeps in mind what it was asked for. */
export interface RecordingRegistry {
  readonly host: string;
  /** A folder of its own, whose images have these `ONBUILD` triggers, by `name:tag`. */
  open(folder: string, triggersOf?: (name: string) => readonly string[]): Place;
  /** What was asked for in a folder, as {@link Resolved} has it. */
  askedFor(folder: string): readonly string[];
  stop(): Promise<void>;
}

const types = {
  list: 'application/vnd.docker.distribution.manifest.list.v2+json',
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
};
const platforms = ['amd64', 'arm64', 'arm/v7', 'ppc64le', 's390x'].map((name) => `linux/${name}`);

const digest = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** The smallest program there is for Linux on x86-64: it does nothing and succeeds (ELF-64: header, one segment, exit(0)). */
const succeed = Buffer.from(
  [
    '7f454c4602010100000000000000000002003e00010000007800400000000000',
    '40000000000000000000000000000000000000004000380001000000000000000100000005000000',
    '000000000000000000004000000000000000400000000000810000000000000081000000000000000010000000000000',
    '31ffb83c0000000f05',
  ].join(''),
  'hex',
);

async function packLayer(): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: 'bin/sh', mode: 0o755, mtime: new Date(0) }, succeed);
  for (const name of ['f', 'g', 'etc/f']) tar.entry({ name, mtime: new Date(0) }, 'f');
  tar.finalize();
  return buffer(tar);
}

/** An image of the registry: the bytes of a list, and what stands behind it. */
interface Made {
  readonly name: string;
  readonly digest: string;
}

/** What a digest is. */
interface Stored {
  readonly bytes: Buffer;
  readonly type: string;
  readonly name?: string;
  /** Of the manifest for one platform. */
  readonly platform?: string;
}

class Images {
  readonly stored = new Map<string, Stored>();
  private readonly made = new Map<string, Made>();
  private readonly salt = randomUUID();
  private readonly layer: Buffer;
  private readonly zipped: Buffer;

  constructor(layer: Buffer) {
    this.layer = layer;
    this.zipped = gzipSync(layer);
    this.store(this.zipped, { type: types.layer });
  }

  /** The image `name:tag` in a folder. */
  get(folder: string, name: string, triggers: readonly string[]): Made {
    const key = `${folder} ${name}`;
    const known = this.made.get(key);
    if (known !== undefined) return known;
    const manifests = platforms.map((platform) => {
      const [os = '', architecture = '', variant] = platform.split('/');
      const { digest: one, bytes } = this.makeManifest({ folder, name, platform, triggers });
      const own = { os, architecture, ...(variant !== undefined && { variant }) };
      return { mediaType: types.manifest, size: bytes.length, digest: one, platform: own };
    });
    const list = this.storeJson({ schemaVersion: 2, mediaType: types.list, manifests }, { type: types.list, name });
    const made = { name, digest: list.digest };
    this.made.set(key, made);
    return made;
  }

  private makeManifest(image: { folder: string; name: string; platform: string; triggers: readonly string[] }) {
    const { folder, name, platform, triggers } = image;
    const [os, architecture, variant] = platform.split('/');
    const config = this.storeJson(
      {
        ...{ os, architecture, ...(variant !== undefined && { variant }) },
        config: { Labels: { base: name, salt: `${this.salt} ${folder}` }, Env: ['PATH=/bin'], OnBuild: triggers },
        rootfs: { type: 'layers', diff_ids: [digest(this.layer)] },
        history: [{ created: '2020-01-01T00:00:00Z', created_by: 'test' }],
      },
      { type: types.config, name, platform },
    );
    const layer = { mediaType: types.layer, size: this.zipped.length, digest: digest(this.zipped) };
    const about = { mediaType: types.config, size: config.bytes.length, digest: config.digest };
    const manifest = { schemaVersion: 2, mediaType: types.manifest, config: about, layers: [layer] };
    return this.storeJson(manifest, { type: types.manifest, name, platform });
  }

  private storeJson(document: object, about: Omit<Stored, 'bytes'>) {
    return this.store(Buffer.from(JSON.stringify(document)), about);
  }

  private store(bytes: Buffer, about: Omit<Stored, 'bytes'>): { readonly digest: string; readonly bytes: Buffer } {
    const key = digest(bytes);
    this.stored.set(key, { ...about, bytes });
    return { digest: key, bytes };
  }
}

/** An engine that wants arm64 reads what would do in its stead too. */
function bestOf(seen: ReadonlySet<string>): readonly string[] {
  return [...seen].filter((platform) => platform !== 'linux/arm/v7' || !seen.has('linux/arm64'));
}

/** What was asked for in one folder: by name, the platforms. */
interface Folder {
  readonly triggersOf: (name: string) => readonly string[];
  readonly asked: Map<string, Set<string>>;
}

const url = /^\/v2\/([^/]+)\/(.+)\/(manifests|blobs)\/([^/?]+)/;

function send(request: IncomingMessage, response: ServerResponse, stored: Stored | undefined): void {
  if (stored === undefined) {
    response.writeHead(404).end();
    return;
  }
  const { bytes, type } = stored;
  const headers = { 'Content-Type': type, 'Content-Length': bytes.length, 'Docker-Content-Digest': digest(bytes) };
  response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : bytes);
}

/** Starts one; `port` 0 is any. */
export async function startRecordingRegistry(port = 0): Promise<RecordingRegistry> {
  const images = new Images(await packLayer());
  const folders = new Map<string, Folder>();

  /** As the mirror of another registry it has folders that nobody opened. */
  function folderOf(name: string): Folder {
    const folder = folders.get(name) ?? { triggersOf: () => [], asked: new Map() };
    folders.set(name, folder);
    return folder;
  }

  function note(folder: Folder, name: string, platform?: string): void {
    const seen = folder.asked.get(name) ?? new Set();
    folder.asked.set(name, platform === undefined ? seen : seen.add(platform));
  }

  function findManifest(at: string, repository: string, reference: string): Stored | undefined {
    const folder = folderOf(at);
    if (!reference.startsWith('sha256:')) {
      const name = `${repository}:${reference}`;
      note(folder, name);
      return images.stored.get(images.get(at, name, folder.triggersOf(name)).digest);
    }
    const stored = images.stored.get(reference);
    if (stored?.name === undefined) return stored;
    if (stored.type === types.list && !folder.asked.has(stored.name)) note(folder, `${stored.name}@`);
    return stored;
  }

  function findBlob(at: string, reference: string): Stored | undefined {
    const stored = images.stored.get(reference);
    const folder = folderOf(at);
    if (stored?.name !== undefined) {
      const pinned = `${stored.name}@`;
      note(folder, folder.asked.has(pinned) ? pinned : stored.name, stored.platform);
    }
    return stored;
  }

  const server = createServer((request, response) => {
    const [, folder = '', repository = '', kind, reference = ''] = url.exec(request.url ?? '') ?? [];
    if (kind === undefined) response.writeHead(200).end();
    else if (kind === 'blobs') send(request, response, findBlob(folder, reference));
    else send(request, response, findManifest(folder, repository, reference));
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    open: (folder, triggersOf = () => []) => {
      folders.set(folder, { triggersOf, asked: new Map() });
      return {
        host,
        folder,
        digestOf: (name) => images.get(folder, name, triggersOf(name)).digest,
        nameOf: (one) => images.stored.get(one)?.name,
      };
    },
    askedFor: (folder) => {
      const asked = [...(folders.get(folder)?.asked ?? [])];
      return asked
        .flatMap(([name, seen]) => (seen.size === 0 ? [`${name} ?`] : bestOf(seen).map((one) => `${name} ${one}`)))
        .sort();
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close').catch(() => undefined);
    },
  };
}
