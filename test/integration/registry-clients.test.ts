import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basic, indexType, type RunningRegistry } from '../registry/rig.ts';
import { startClientSite, startDistribution, writeLayout, type Clients } from '../rig/registry-clients.ts';

let clients: Clients;
let running: RunningRegistry;
let host: string;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ clients, running, host, stop } = await startClientSite());
});
afterAll(() => stop());

interface Layer {
  readonly mediaType: string;
  readonly digest: string;
}
const manifestOf = async (name: string, reference: string): Promise<{ mediaType: string; layers: Layer[] }> => {
  const answer = await running.send('GET', `/v2/${name}/manifests/${reference}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as { mediaType: string; layers: Layer[] };
};

describe('skopeo', () => {
  const skopeo = (...args: string[]): Promise<string> => clients.run('skopeo', args);
  const toUs = ['--dest-tls-verify=false', '--dest-creds=admin:secret'];
  const fromUs = ['--src-tls-verify=false'];
  const layout = (): string => join(clients.folder, 'in');
  let digest: string;
  beforeAll(async () => {
    digest = await writeLayout(layout());
  });

  it('copies an index with all its images in and out, with the same digests', async () => {
    const copy = ['copy', '--all', '--preserve-digests'];
    await skopeo(...copy, ...toUs, `oci:${layout()}:v1`, `docker://${host}/skopeo/app:v1`);
    expect(running.registry.resolve('skopeo/app', 'v1')).toMatchObject({ digest, mediaType: indexType });
    const out = join(clients.folder, 'out');
    await skopeo(...copy, ...fromUs, `docker://${host}/skopeo/app:v1`, `oci:${out}:v1`);
    const { manifests } = JSON.parse(await readFile(join(out, 'index.json'), 'utf8')) as { manifests: object[] };
    expect(manifests).toMatchObject([{ digest }]);
  });

  it('inspects an image, by tag and by digest, and its raw manifest', async () => {
    const at = (reference: string): string => `docker://${host}/skopeo/app${reference}`;
    const known = JSON.parse(await skopeo('inspect', '--tls-verify=false', at(':v1'))) as object;
    expect(known).toMatchObject({ Digest: digest, RepoTags: ['v1'], Architecture: 'amd64', Os: 'linux' });
    const raw = await skopeo('inspect', '--raw', '--tls-verify=false', at(`@${digest}`));
    expect(JSON.parse(raw)).toMatchObject({ mediaType: indexType });
    await expect(skopeo('inspect', '--tls-verify=false', at(':none'))).rejects.toThrow(/manifest unknown/);
  });

  it('copies from one repository to another, lists tags, and deletes', async () => {
    const login = [...fromUs, ...toUs, '--src-creds=admin:secret'];
    const [from, to] = [`docker://${host}/skopeo/app:v1`, `docker://${host}/skopeo/copy:v2`];
    await skopeo('copy', '--all', ...login, from, to);
    const tags = await skopeo('list-tags', '--tls-verify=false', `docker://${host}/skopeo/copy`);
    expect(JSON.parse(tags)).toMatchObject({ Tags: ['v2'] });
    await skopeo('delete', '--tls-verify=false', '--creds=admin:secret', to);
    expect(running.registry.resolve('skopeo/copy', 'v2')).toBeUndefined();
  });

  it('syncs a repository with all its tags to a directory and back under another name', async () => {
    const image = ['copy', ...toUs, '--src-tls-verify=false', `docker://${host}/skopeo/app:v1`];
    for (const tag of ['one', 'two', 'three']) await skopeo(...image, `docker://${host}/skopeo/many:${tag}`);
    const out = join(clients.folder, 'synced');
    await skopeo('sync', '--src', 'docker', '--dest', 'dir', ...fromUs, `${host}/skopeo/many`, out);
    expect((await readdir(out)).sort()).toEqual(['many:one', 'many:three', 'many:two']);
    await skopeo('sync', '--src', 'dir', '--dest', 'docker', ...toUs, out, `${host}/synced`);
    expect(running.registry.listTags('synced/many')).toEqual(['one', 'three', 'two']);
  });

  it.each([
    ['gzip', 'oci', 'application/vnd.oci.image.layer.v1.tar+gzip'],
    ['zstd', 'oci', 'application/vnd.oci.image.layer.v1.tar+zstd'],
    ['gzip', 'v2s2', 'application/vnd.docker.image.rootfs.diff.tar.gzip'],
  ])('pushes layers in %s with %s manifests, and gets the same files back', async (compression, format, type) => {
    const to = `docker://${host}/skopeo/${compression}-${format}:v1`;
    const from = join(clients.folder, `from-${compression}-${format}`);
    await writeLayout(from); // of its own: layers that are there already would be taken as they are
    const how = ['--format', format, '--dest-compress-format', compression, '--dest-compress'];
    await skopeo('copy', ...how, ...toUs, `oci:${from}:v1`, to);
    const { layers } = await manifestOf(`skopeo/${compression}-${format}`, 'v1');
    expect(layers.map(({ mediaType }) => mediaType)).toEqual([type]);
    const config = async (image: string): Promise<{ rootfs: { diff_ids: string[] } }> =>
      JSON.parse(await skopeo('inspect', '--config', '--tls-verify=false', image)) as {
        rootfs: { diff_ids: string[] };
      };
    expect((await config(to)).rootfs).toEqual((await config(`oci:${from}:v1`)).rootfs);
    await skopeo('copy', '--dest-decompress', ...fromUs, to, `dir:${from}-out`);
  });

  it('is refused a push without credentials, and with wrong ones', async () => {
    for (const credentials of [[], ['--dest-creds=admin:wrong']]) {
      const args = ['--dest-tls-verify=false', ...credentials, `oci:${layout()}:v1`, `docker://${host}/skopeo/no:v1`];
      await expect(skopeo('copy', ...args)).rejects.toThrow(/unauthorized|authentication required|invalid username/i);
    }
    expect(running.registry.resolve('skopeo/no', 'v1')).toBeUndefined();
  });
});

describe('Distribution on the other side of a copy', () => {
  it('takes from us and gives to us an index with the same digests', async () => {
    const other = await startDistribution(clients.folder);
    try {
      const digest = await writeLayout(join(clients.folder, 'distributed'));
      const copy = (from: string, to: string): Promise<string> => {
        const login = ['--src-tls-verify=false', '--dest-tls-verify=false', '--dest-creds=admin:secret'];
        return clients.run('skopeo', ['copy', '--all', '--preserve-digests', ...login, from, to]);
      };
      await copy(`oci:${join(clients.folder, 'distributed')}:v1`, `docker://${host}/move/ours:v1`);
      await copy(`docker://${host}/move/ours:v1`, `docker://${other.host}/move/theirs:v1`);
      await copy(`docker://${other.host}/move/theirs:v1`, `docker://${host}/move/back:v1`);
      expect(running.registry.resolve('move/back', 'v1')).toMatchObject({ digest });
    } finally {
      await other.stop();
    }
  });
});

describe.each(['podman', 'buildah'] as const)('%s', (command) => {
  const client = (...args: string[]): Promise<string> => clients.contained(command, args);
  const image = (name: string): string => `${host}/${command}/${name}`;
  const login = ['--tls-verify=false', '--creds=admin:secret'];
  const build = async (name: string): Promise<void> => {
    await writeFile(join(clients.folder, 'Containerfile'), `FROM scratch\nCOPY hello.txt /\n`);
    await writeFile(join(clients.folder, 'hello.txt'), `hello from ${image(name)}`);
    await client('build', '--isolation', 'chroot', '--layers=false', '-t', image(name), clients.folder);
  };
  beforeAll(() => build('app:v1'));

  it('pushes what it built, and pulls it again with the same digest', async () => {
    const file = join(clients.folder, `${command}.digest`);
    await client('push', ...login, '--digestfile', file, image('app:v1'));
    const digest = (await readFile(file, 'utf8')).trim();
    expect(running.registry.resolve(`${command}/app`, 'v1')).toMatchObject({ digest });
    await client('rmi', '--force', image('app:v1'));
    const id = await client('pull', '--quiet', '--tls-verify=false', image(`app@${digest}`));
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    await client('tag', id, image('app:v1'));
  });

  it('pushes with its layers in zstd, and as a Docker image', async () => {
    await build('zstd:v1'); // new, as layers that the registry has are not sent in another form
    await client('push', ...login, '--compression-format', 'zstd', image('zstd:v1'));
    expect((await manifestOf(`${command}/zstd`, 'v1')).layers[0]?.mediaType).toMatch(/\+zstd$/);
    await client('push', ...login, '--format', 'v2s2', image('app:v1'), `docker://${image('docker:v1')}`);
    const docker = await manifestOf(`${command}/docker`, 'v1');
    expect(docker.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
    for (const name of ['zstd:v1', 'docker:v1']) await client('pull', '--quiet', '--tls-verify=false', image(name));
  });

  it('pushes a list of images for several platforms', async () => {
    await client('manifest', 'create', `list-${command}`);
    await client('manifest', 'add', '--tls-verify=false', `list-${command}`, `docker://${image('app:v1')}`);
    await client('manifest', 'push', '--all', ...login, `list-${command}`, `docker://${image('multi:v1')}`);
    const list = (await manifestOf(`${command}/multi`, 'v1')) as unknown as { manifests: Layer[] };
    expect(list.manifests).toHaveLength(1);
    await client('pull', '--quiet', '--tls-verify=false', image('multi:v1'));
  });

  it('logs in and out, and is refused with a wrong password and without any', async () => {
    await expect(client('login', '--tls-verify=false', '-u', 'admin', '-p', 'wrong', host)).rejects.toThrow();
    await client('login', '--tls-verify=false', '-u', 'admin', '-p', 'secret', host);
    await client('push', '--tls-verify=false', image('app:v1'), `docker://${image('login:v1')}`);
    await client('logout', host);
    const push = client('push', '--tls-verify=false', image('app:v1'), `docker://${image('none:v1')}`);
    await expect(push).rejects.toThrow(/unauthorized|authentication required/i);
    expect(running.registry.listTags(`${command}/login`)).toEqual(['v1']);
  });
});

describe('podman', () => {
  it('lists the tags of a repository', async () => {
    const search = ['search', '--list-tags', '--tls-verify=false', `${host}/podman/app`];
    expect(await clients.contained('podman', search)).toMatch(/ v1$/);
  });
});

describe('curl’s way', () => {
  it('needs no more than a name and a password', async () => {
    const answer = await fetch(`${running.url}/v2/_catalog`, { headers: { authorization: basic('admin', 'secret') } });
    expect(((await answer.json()) as { repositories: string[] }).repositories).toContain('skopeo/app');
  });
});
