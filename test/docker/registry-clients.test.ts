import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDiskBlobStore } from '../../src/blob/disk/store.ts';
import { descriptor, imageType, indexType, sha, startRegistry, type RunningRegistry } from '../registry/rig.ts';

const execute = promisify(execFile);

let folder: string;
let running: RunningRegistry;
let host: string;

beforeAll(async () => {
  await execute('skopeo', ['--version']).catch(() => {
    throw new Error('skopeo is missing: install the Debian package skopeo');
  });
  folder = await mkdtemp(join(tmpdir(), 'slipway-clients-'));
  const storage = await createDiskBlobStore(join(folder, 'store'), () => Date.now());
  running = await startRegistry({ storage, anonymousPull: true });
  host = running.url.slice('http://'.length);
});

afterAll(async () => {
  await running.stop();
  await rm(folder, { recursive: true, force: true });
  expect(running.errors).toEqual([]);
});

/** Runs a client with a home of its own, so that its credentials are this test's alone. */
async function run(command: string, args: readonly string[]): Promise<string> {
  const home = join(folder, 'home');
  await mkdir(home, { recursive: true });
  const env = { ...process.env, HOME: home, DOCKER_CONFIG: home, REGISTRY_AUTH_FILE: join(home, 'auth.json') };
  const { stdout } = await execute(command, [...args], { env, timeout: 120_000 });
  return stdout;
}

/** Writes an OCI layout with an index of two images, each of one layer of about a megabyte; its index's digest. */
async function writeLayout(path: string): Promise<string> {
  const blobs = join(path, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const store = async (mediaType: string, bytes: string | Buffer): Promise<object> => {
    await writeFile(join(blobs, sha(bytes).slice('sha256:'.length)), bytes);
    return descriptor(mediaType, bytes);
  };
  const images: object[] = [];
  for (const architecture of ['amd64', 'arm64']) {
    const tar = tarOf(`${architecture}.txt`, Buffer.alloc(1_000_000, architecture));
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

/** A tar of one file (POSIX ustar). */
function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;
  const fields: [number, string][] = [
    ...([
      [0, name],
      [100, octal(0o644, 8)],
      [108, octal(0, 8)],
      [116, octal(0, 8)],
    ] as [number, string][]),
    ...([
      [124, octal(content.length, 12)],
      [136, octal(0, 12)],
      [148, ' '.repeat(8)],
      [156, '0'],
    ] as [number, string][]),
    [257, 'ustar\u000000'],
  ];
  for (const [at, text] of fields) header.write(text, at, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, content, Buffer.alloc(1024 + ((512 - (content.length % 512)) % 512))]);
}

describe('skopeo', () => {
  it('copies an index with all its images in and out, with the same digests', async () => {
    const digest = await writeLayout(join(folder, 'in'));
    const credentials = ['admin:secret'];
    await run('skopeo', [
      ...['copy', '--all', '--preserve-digests', '--dest-tls-verify=false', '--dest-creds', ...credentials],
      ...[`oci:${join(folder, 'in')}:v1`, `docker://${host}/skopeo/app:v1`],
    ]);
    expect(running.registry.resolve('skopeo/app', 'v1')).toMatchObject({ digest, mediaType: indexType });
    const out = join(folder, 'out');
    await run('skopeo', [
      ...['copy', '--all', '--preserve-digests', '--src-tls-verify=false'],
      ...[`docker://${host}/skopeo/app:v1`, `oci:${out}:v1`],
    ]);
    const { manifests } = JSON.parse(await readFile(join(out, 'index.json'), 'utf8')) as { manifests: object[] };
    expect(manifests).toMatchObject([{ digest }]);
  });

  it('copies from one repository to another, lists tags, and deletes', async () => {
    const login = [
      '--src-tls-verify=false',
      '--dest-tls-verify=false',
      '--src-creds=admin:secret',
      '--dest-creds=admin:secret',
    ];
    const [from, to] = [`docker://${host}/skopeo/app:v1`, `docker://${host}/skopeo/copy:v2`];
    await run('skopeo', ['copy', '--all', ...login, from, to]);
    const tags = await run('skopeo', ['list-tags', '--tls-verify=false', `docker://${host}/skopeo/copy`]);
    expect(JSON.parse(tags)).toMatchObject({ Tags: ['v2'] });
    await run('skopeo', ['delete', '--tls-verify=false', '--creds=admin:secret', to]);
    expect(running.registry.resolve('skopeo/copy', 'v2')).toBeUndefined();
  });

  it('is refused a push without credentials', async () => {
    const args = ['copy', '--dest-tls-verify=false', `oci:${join(folder, 'in')}:v1`, `docker://${host}/skopeo/no:v1`];
    await expect(run('skopeo', args)).rejects.toThrow(/unauthorized|authentication required/i);
    expect(running.registry.resolve('skopeo/no', 'v1')).toBeUndefined();
  });
});

describe('docker', () => {
  it('pushes after a login, and pulls without one, with the same digest', async () => {
    const image = `${host}/docker/app:v1`;
    await writeFile(join(folder, 'layer.tar'), tarOf('hello.txt', Buffer.from(`hello ${host}`)));
    await run('docker', ['import', join(folder, 'layer.tar'), image]);
    try {
      await expect(run('docker', ['push', image])).rejects.toThrow(/unauthorized|authentication|denied/);
      await run('docker', ['login', host, '--username', 'admin', '--password', 'secret']);
      await run('docker', ['push', image]);
      const pushed = running.registry.resolve('docker/app', 'v1');
      expect(running.events).toContainEqual(
        expect.objectContaining({
          kind: 'push',
          repository: 'docker/app',
          tag: 'v1',
          digest: pushed?.digest,
          by: 'admin',
        }),
      );
      await run('docker', ['logout', host]);
      await run('docker', ['rmi', image]);
      const pulled = await run('docker', ['pull', image]);
      expect(pulled).toContain(`Digest: ${pushed?.digest ?? 'none'}`);
    } finally {
      await run('docker', ['rmi', '--force', image]).catch(() => undefined);
    }
  });

  it('pushes the same layers to a second repository without sending them again', async () => {
    const [first, second] = [`${host}/docker/one:v1`, `${host}/docker/two:v1`];
    await writeFile(join(folder, 'layer.tar'), tarOf('shared.txt', Buffer.alloc(500_000, `shared ${host}`)));
    await run('docker', ['import', join(folder, 'layer.tar'), first]);
    await run('docker', ['tag', first, second]);
    try {
      await run('docker', ['login', host, '--username', 'admin', '--password', 'secret']);
      await run('docker', ['push', first]);
      expect(await run('docker', ['push', second])).toMatch(/Mounted from docker\/one/);
    } finally {
      await run('docker', ['rmi', '--force', first, second]).catch(() => undefined);
    }
  });
});

describe('where nobody pulls without a login', () => {
  it('docker and skopeo log in with Basic authentication', async () => {
    const storage = await createDiskBlobStore(join(folder, 'closed'), () => Date.now());
    const closed = await startRegistry({ storage });
    const closedHost = closed.url.slice('http://'.length);
    const image = `${closedHost}/docker/app:v1`;
    await writeFile(join(folder, 'layer.tar'), tarOf('closed.txt', Buffer.from(`hello ${closedHost}`)));
    await run('docker', ['import', join(folder, 'layer.tar'), image]);
    try {
      await run('docker', ['login', closedHost, '--username', 'admin', '--password', 'secret']);
      await run('docker', ['push', image]);
      await run('docker', ['rmi', image]);
      const digest = closed.registry.resolve('docker/app', 'v1')?.digest;
      expect(await run('docker', ['pull', image])).toContain(`Digest: ${digest ?? 'none'}`);
      const inspect = ['inspect', '--tls-verify=false', `docker://${image}`];
      expect(JSON.parse(await run('skopeo', [...inspect, '--creds=admin:secret']))).toMatchObject({ Digest: digest });
      await expect(run('skopeo', [...inspect, '--no-creds'])).rejects.toThrow(/unauthorized|authentication/i);
    } finally {
      await run('docker', ['rmi', '--force', image]).catch(() => undefined);
      await closed.stop();
    }
  });
});
