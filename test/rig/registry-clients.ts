import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { createDiskBlobStore } from '../../src/blob/disk/store.ts';
import { descriptor, imageType, indexType, sha, startRegistry, until } from '../registry/rig.ts';

const execute = promisify(execFile);

/** Clients of registries with a home of their own, so that their credentials and images are one test's alone. */
export interface Clients {
  readonly folder: string;
  /** Runs a client to its end; what it printed. Rejects with all that it said when it fails. */
  run(command: string, args: readonly string[]): Promise<string>;
  /** podman and buildah with a store in the folder that needs no kernel's help. */
  contained(command: 'podman' | 'buildah', args: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

async function createClients(): Promise<Clients> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-clients-'));
  const home = join(folder, 'home');
  await mkdir(home);
  await writeFile(join(home, 'auth.json'), '{}');
  const own = { HOME: home, DOCKER_CONFIG: home, XDG_RUNTIME_DIR: home, REGISTRY_AUTH_FILE: join(home, 'auth.json') };
  const storage = ['--storage-driver', 'vfs', '--root', join(folder, 'root'), '--runroot', join(folder, 'runroot')];
  const run: Clients['run'] = async (command, args) => {
    const env = { ...process.env, ...own, BUILDAH_ISOLATION: 'chroot', TMPDIR: folder };
    const { stdout } = await execute(command, [...args], { env, timeout: 120_000, maxBuffer: 16 * 1024 * 1024 });
    return stdout.trim();
  };
  return {
    folder,
    run,
    contained: (command, args) => run(command, [...storage, ...args]),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Clients, and a registry on the disk that lets everybody pull. */
export async function startClientSite() {
  const clients = await createClients();
  const storage = await createDiskBlobStore(join(clients.folder, 'store'), () => Date.now());
  const running = await startRegistry({ storage, anonymousPull: true });
  const stop = async (): Promise<void> => {
    await running.stop();
    await clients.remove();
    expect(running.errors).toEqual([]);
  };
  return { clients, running, host: running.url.slice('http://'.length), stop };
}

/** A tar of one file (POSIX ustar). */
export function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;
  const fields: readonly (readonly [number, string])[] = [
    [0, name],
    [100, octal(0o644, 8)],
    [108, octal(0, 8)],
    [116, octal(0, 8)],
    [124, octal(content.length, 12)],
    [136, octal(0, 12)],
    [148, ' '.repeat(8)],
    [156, '0'],
    [257, 'ustar\u000000'],
  ];
  for (const [at, text] of fields) header.write(text, at, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, content, Buffer.alloc(1024 + ((512 - (content.length % 512)) % 512))]);
}

/** Writes an OCI layout with an index, tagged v1, of two images of one layer of about a megabyte each; its index's digest. */
export async function writeLayout(path: string): Promise<string> {
  const blobs = join(path, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const store = async (mediaType: string, bytes: string | Buffer): Promise<object> => {
    await writeFile(join(blobs, sha(bytes).slice('sha256:'.length)), bytes);
    return descriptor(mediaType, bytes);
  };
  const images: object[] = [];
  for (const architecture of ['amd64', 'arm64']) {
    const tar = tarOf(`${architecture}.txt`, Buffer.alloc(1_000_000, `${architecture} ${path}`));
    const config = { architecture, os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [sha(tar)] } };
    const manifest = {
      ...{ schemaVersion: 2, mediaType: imageType },
      config: await store('application/vnd.oci.image.config.v1+json', JSON.stringify(config)),
      layers: [await store('application/vnd.oci.image.layer.v1.tar', tar)],
    };
    images.push({ ...(await store(imageType, JSON.stringify(manifest))), platform: { architecture, os: 'linux' } });
  }
  const index = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: images });
  const entry = { ...(await store(indexType, index)), annotations: { 'org.opencontainers.image.ref.name': 'v1' } };
  await writeFile(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  return sha(index);
}

/** Debian's docker-registry (Distribution) with a store in a folder; its host and port, and its end. */
export async function startDistribution(folder: string): Promise<{ host: string; stop(): Promise<void> }> {
  const port = await freePort();
  const host = `127.0.0.1:${String(port)}`;
  const file = join(folder, 'distribution.yml');
  const storage = { filesystem: { rootdirectory: join(folder, 'distribution') }, delete: { enabled: true } };
  await writeFile(file, JSON.stringify({ version: 0.1, log: { level: 'error' }, storage, http: { addr: host } }));
  const child = spawn('docker-registry', ['serve', file], { stdio: 'ignore' });
  await until(() =>
    fetch(`http://${host}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return { host, stop: () => endOf(child) };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function endOf(child: ChildProcess): Promise<void> {
  const isOver = new Promise((done) => child.once('exit', done));
  child.kill();
  await isOver;
}
