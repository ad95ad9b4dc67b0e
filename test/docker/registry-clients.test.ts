import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDiskBlobStore } from '../../src/blob/disk/store.ts';
import { descriptor, sha, startRegistry, type RunningRegistry } from '../registry/rig.ts';
import { startClientSite, tarOf, type Clients } from '../rig/registry-clients.ts';

let clients: Clients;
let running: RunningRegistry;
let host: string;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ clients, running, host, stop } = await startClientSite());
});
afterAll(() => stop());

const docker = (...args: string[]): Promise<string> => clients.run('docker', args);
const login = (to = host): Promise<string> => docker('login', to, '--username', 'admin', '--password', 'secret');
const forget = (...images: string[]): Promise<unknown> => docker('rmi', '--force', ...images).catch(() => undefined);

/** Makes an image of one file in the engine. */
async function importImage(image: string, content: string): Promise<void> {
  const tar = join(clients.folder, 'layer.tar');
  await writeFile(tar, tarOf('hello.txt', Buffer.from(content)));
  await docker('import', tar, image);
}

describe('docker', () => {
  it('pushes after a login, and pulls without one, with the same digest', async () => {
    const image = `${host}/docker/app:v1`;
    await importImage(image, `hello ${host}`);
    try {
      await expect(docker('push', image)).rejects.toThrow(/unauthorized|authentication|denied/);
      await login();
      await docker('push', image);
      const pushed = running.registry.resolve('docker/app', 'v1');
      const event = { kind: 'push', repository: 'docker/app', tag: 'v1', digest: pushed?.digest, by: 'admin' };
      expect(running.events).toContainEqual(expect.objectContaining(event));
      await docker('logout', host);
      await docker('rmi', image);
      expect(await docker('pull', image)).toContain(`Digest: ${pushed?.digest ?? 'none'}`);
    } finally {
      await forget(image);
    }
  });

  it('pushes the same layers to a second repository without sending them again', async () => {
    const [first, second] = [`${host}/docker/one:v1`, `${host}/docker/two:v1`];
    await importImage(first, `shared ${host} `.repeat(30_000));
    await docker('tag', first, second);
    try {
      await login();
      await docker('push', first);
      expect(await docker('push', second)).toMatch(/Mounted from docker\/one/);
    } finally {
      await forget(first, second);
    }
  });

  it('pushes and pulls all tags of a repository at once', async () => {
    const images = ['a', 'b', 'c'].map((tag) => `${host}/docker/tags:${tag}`);
    for (const image of images) await importImage(image, `tag ${image}`);
    try {
      await login();
      await docker('push', '--all-tags', `${host}/docker/tags`);
      expect(running.registry.listTags('docker/tags')).toEqual(['a', 'b', 'c']);
      await docker('rmi', ...images);
      const pulled = await docker('pull', '--all-tags', `${host}/docker/tags`);
      for (const tag of ['a', 'b', 'c']) {
        expect(pulled).toContain(running.registry.resolve('docker/tags', tag)?.digest);
      }
    } finally {
      await forget(...images);
    }
  });

  it('pulls the image of its own platform out of a Docker manifest list, by tag and by digest', async () => {
    const own = await docker('version', '--format', '{{.Server.Arch}}');
    const types = 'application/vnd.docker';
    const manifests: object[] = [];
    const put = async (reference: string, type: string, document: object): Promise<string> => {
      const body = JSON.stringify(document);
      const answer = await running.send(
        'PUT',
        `/v2/docker/multi/manifests/${reference === '' ? sha(body) : reference}`,
        {
          body,
          headers: { 'content-type': type },
        },
      );
      expect(answer.status).toBe(201);
      return body;
    };
    for (const architecture of [own, 's390x']) {
      const tar = tarOf('arch.txt', Buffer.from(`${architecture} ${host}`));
      const layer = gzipSync(tar);
      const config = { architecture, os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [sha(tar)] } };
      for (const bytes of [layer, JSON.stringify(config)]) await running.pushBlob('docker/multi', bytes);
      const type = `${types}.distribution.manifest.v2+json`;
      const manifest = await put('', type, {
        ...{ schemaVersion: 2, mediaType: type },
        config: descriptor(`${types}.container.image.v1+json`, JSON.stringify(config)),
        layers: [descriptor(`${types}.image.rootfs.diff.tar.gzip`, layer)],
      });
      manifests.push({ ...descriptor(type, manifest), platform: { architecture, os: 'linux' } });
    }
    const type = `${types}.distribution.manifest.list.v2+json`;
    const digest = sha(await put('v1', type, { schemaVersion: 2, mediaType: type, manifests }));
    const images = [`${host}/docker/multi:v1`, `${host}/docker/multi@${digest}`];
    try {
      for (const image of images) {
        expect(await docker('pull', image)).toContain(`Digest: ${digest}`);
        expect(await docker('image', 'inspect', '--format', '{{.Architecture}}', image)).toBe(own);
        await docker('rmi', image);
      }
    } finally {
      await forget(...images);
    }
  });

  it('is told that there is no such image, and no such repository', async () => {
    for (const image of ['docker/none:v1', 'docker/app:none', `docker/app@${sha('none')}`]) {
      await expect(docker('pull', `${host}/${image}`)).rejects.toThrow(/not found|manifest unknown|name unknown/);
    }
  });
});

describe('where nobody pulls without a login', () => {
  it('docker and skopeo log in', async () => {
    const storage = await createDiskBlobStore(join(clients.folder, 'closed'), () => Date.now());
    const closed = await startRegistry({ storage });
    const closedHost = closed.url.slice('http://'.length);
    const image = `${closedHost}/docker/app:v1`;
    await importImage(image, `hello ${closedHost}`);
    try {
      await login(closedHost);
      await docker('push', image);
      await docker('rmi', image);
      const digest = closed.registry.resolve('docker/app', 'v1')?.digest;
      expect(await docker('pull', image)).toContain(`Digest: ${digest ?? 'none'}`);
      const inspect = (...credentials: string[]): Promise<string> =>
        clients.run('skopeo', ['inspect', '--tls-verify=false', ...credentials, `docker://${image}`]);
      expect(JSON.parse(await inspect('--creds=admin:secret'))).toMatchObject({ Digest: digest });
      await expect(inspect('--no-creds')).rejects.toThrow(/unauthorized|authentication/i);
      await docker('logout', closedHost);
      await docker('rmi', image);
      await expect(docker('pull', image)).rejects.toThrow(/unauthorized|authentication|denied/);
    } finally {
      await forget(image);
      await closed.stop();
    }
  });
});
