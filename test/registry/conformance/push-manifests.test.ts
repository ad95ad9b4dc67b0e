import { describe, expect, it } from 'vitest';
import { descriptor, imageType, indexType, sha } from '../rig.ts';
import {
  algorithms,
  configType,
  emptyType,
  fresh,
  layerType,
  prepareImage,
  pushBlob,
  pushImage,
  putManifest,
  useRegistry,
  type Answer,
} from './rig.ts';

const ask = useRegistry();
const repository = 'push/manifests';
const put = (reference: string, document: object | string, type?: string): Promise<Answer> =>
  putManifest(ask, { repository, reference, ...(type !== undefined && { type }) }, document);
const get = (reference: string): Promise<Answer> => ask('GET', `/v2/${repository}/manifests/${reference}`);
const empty = (): Promise<object> => pushBlob(ask, repository, '{}', emptyType);
const index = (manifests: readonly object[], more: object = {}): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests, ...more });

/** Manifests of every shape that clients push. */
const shapes: Record<string, () => Promise<string>> = {
  'an image': () => prepareImage(ask, repository),
  'an image without layers': async () =>
    JSON.stringify({ schemaVersion: 2, mediaType: imageType, config: await empty(), layers: [] }),
  'an image that does not say its own type': async () =>
    JSON.stringify({ ...(JSON.parse(await prepareImage(ask, repository)) as object), mediaType: undefined }),
  'an image of nearly 4 MiB': () => {
    const notes = Array.from({ length: 390 }, (_, n) => [`note-${String(n)}`, 'A'.repeat(10_000)]);
    return prepareImage(ask, repository, { annotations: Object.fromEntries(notes) as object });
  },
  'an image with fields that nobody knows': () =>
    prepareImage(ask, repository, { 'org.example': { deep: [1, 2, { x: null }] }, zahl: 1e21 }),
  'an image laid out with blanks': async () =>
    JSON.stringify(JSON.parse(await prepareImage(ask, repository)), undefined, 4),
  'an image whose descriptors carry their data': async () =>
    prepareImage(ask, repository, {
      config: { ...(await empty()), data: Buffer.from('{}').toString('base64') },
    }),
  'an image with layers that may not be distributed': async () => {
    const types = ['nondistributable.v1.tar', 'nondistributable.v1.tar+gzip', 'nondistributable.v1.tar+zstd'];
    const layers = types.map((type) => ({
      ...descriptor(`application/vnd.oci.image.layer.${type}`, fresh()),
      urls: ['https://store.example/layer'],
    }));
    return prepareImage(ask, repository, { layers: [...layers, await pushBlob(ask, repository, fresh())] });
  },
  'an artifact': async () => {
    const layers = [await pushBlob(ask, repository, fresh(), 'application/x.example')];
    return prepareImage(ask, repository, { artifactType: 'application/x.example', config: await empty(), layers });
  },
  'an artifact without content': async () =>
    prepareImage(ask, repository, {
      artifactType: 'application/x.example',
      config: await empty(),
      layers: [await empty()],
    }),
  'an index': async () => {
    const images = [await pushImage(ask, repository), await pushImage(ask, repository)];
    return index(
      images.map(({ bytes }) => ({ ...descriptor(imageType, bytes), platform: { os: 'linux', architecture: 'x' } })),
    );
  },
  'an empty index': () => Promise.resolve(index([], { annotations: { n: fresh(8).toString('hex') } })),
  'an index of indexes': async () => {
    const inner = index([descriptor(imageType, (await pushImage(ask, repository)).bytes)]);
    await put(sha(inner), inner);
    return index([descriptor(indexType, inner), descriptor(indexType, inner)]);
  },
  'an index that is an artifact': async () =>
    index([descriptor(imageType, (await pushImage(ask, repository)).bytes)], { artifactType: 'application/x.example' }),
};

describe.each(Object.keys(shapes))('pushing %s (end-7)', (shape) => {
  it('by digest and by tag: 201, and it comes back byte for byte', async () => {
    const bytes = (await shapes[shape]?.()) ?? '';
    const digest = sha(bytes);
    for (const reference of [digest, 'v1']) {
      const answer = await put(reference, bytes);
      expect([answer.status, answer.bytes.length, answer.header('docker-content-digest')]).toEqual([201, 0, digest]);
      const type = answer.header('oci-subject');
      expect(type).toBeUndefined();
      const got = await ask('GET', answer.header('location') ?? '');
      expect([got.status, got.bytes.toString() === bytes]).toEqual([200, true]);
    }
    expect((await get('v1')).header('content-length')).toBe(String(Buffer.byteLength(bytes)));
  });

  it('under a sha512 digest: 201, and it is there under it, and under no other', async () => {
    const bytes = (await shapes[shape]?.()) ?? '';
    const digest = sha(`${bytes} `, 'sha512');
    expect((await put(digest, `${bytes} `)).status).toBe(201);
    expect((await get(digest)).bytes.toString() === `${bytes} `).toBe(true);
    expect((await get(sha(`${bytes} `))).status).toBe(404);
  });
});

describe('what a push is refused for', () => {
  it.each(algorithms)('another %s digest than its bytes have: 400 with DIGEST_INVALID', async (algorithm) => {
    const bytes = await prepareImage(ask, repository);
    const answer = await put(sha(bytes, algorithm), `${bytes}  `);
    expect([answer.status, answer.codes()]).toEqual([400, ['DIGEST_INVALID']]);
    expect((await get(sha(bytes, algorithm))).status).toBe(404);
  });

  it.each(['sha256:baddigeststring', `sha384:${'a'.repeat(96)}`])('the digest %s: 400', async (digest) => {
    const answer = await put(digest, await prepareImage(ask, repository));
    expect([answer.status, answer.codes()]).toEqual([400, ['DIGEST_INVALID']]);
  });

  it('blobs and images that are missing: 404 with MANIFEST_BLOB_UNKNOWN for each', async () => {
    const missing = [descriptor(layerType, fresh()), descriptor(layerType, fresh())];
    const image = await put('v1', await prepareImage(ask, repository, { layers: missing }));
    expect([image.status, image.codes()]).toEqual([404, ['MANIFEST_BLOB_UNKNOWN', 'MANIFEST_BLOB_UNKNOWN']]);
    const list = await put('v1', index([descriptor(imageType, fresh())]));
    expect([list.status, list.codes()]).toEqual([404, ['MANIFEST_BLOB_UNKNOWN']]);
  });

  it.each([
    ['both an image and an index', { manifests: [] }],
    ['annotations that are no texts', { annotations: { n: 1 } }],
    ['annotations that are no map', { annotations: ['a'] }],
    ['a subject that is no descriptor', { subject: { digest: 'x' } }],
  ])('%s: 400 with MANIFEST_INVALID', async (_, fields) => {
    const answer = await put('v1', await prepareImage(ask, repository, fields), imageType);
    expect([answer.status, answer.codes()]).toEqual([400, ['MANIFEST_INVALID']]);
  });

  it('an index that is an image as well: 400 with MANIFEST_INVALID', async () => {
    for (const fields of [{ layers: [] }, { config: await empty() }]) {
      const answer = await put('v1', index([], fields));
      expect([answer.status, answer.codes()]).toEqual([400, ['MANIFEST_INVALID']]);
    }
  });

  it('a byte order mark: 400 with MANIFEST_INVALID', async () => {
    const answer = await put('v1', `\ufeff${await prepareImage(ask, repository)}`);
    expect([answer.status, answer.codes()]).toEqual([400, ['MANIFEST_INVALID']]);
  });

  it('another type than it says itself: 400 with MANIFEST_INVALID', async () => {
    const answer = await put('v1', await prepareImage(ask, repository), indexType);
    expect([answer.status, answer.codes()]).toEqual([400, ['MANIFEST_INVALID']]);
  });

  it('more than 4 MiB: 413', async () => {
    const answer = await put('v1', await prepareImage(ask, repository, { pad: 'A'.repeat(4 * 1024 * 1024) }));
    expect([answer.status, answer.codes()]).toEqual([413, ['SIZE_INVALID']]);
  });

  it.each(['.v1', '-v1', 'a'.repeat(129), 'v%201'])('the tag %s: 400', async (tag) => {
    const answer = await put(tag, await prepareImage(ask, repository));
    expect([answer.status, answer.codes()]).toEqual([400, ['MANIFEST_INVALID']]);
  });

  it.each(['v1', '_', 'A.b-C_', 'a'.repeat(128), 'latest', '0', 'sha256-abc'])('but not the tag %s', async (tag) => {
    expect((await put(tag, await prepareImage(ask, repository))).status).toBe(201);
    expect((await get(tag)).status).toBe(200);
  });
});

describe.each(algorithms)('several tags with one push under a %s digest (end-7b)', (algorithm) => {
  it('are all set, and named in OCI-Tag', async () => {
    const bytes = await prepareImage(ask, repository);
    const digest = sha(bytes, algorithm);
    const tags = Array.from({ length: 12 }, (_, n) => `many-${algorithm}-${String(n)}`);
    const answer = await put(`${digest}?${tags.map((tag) => `tag=${tag}`).join('&')}`, bytes);
    expect([answer.status, answer.header('oci-tag')?.split(', ')]).toEqual([201, tags]);
    for (const tag of tags) expect((await get(tag)).header('docker-content-digest')).toBe(digest);
  });

  it('are named once when they are asked for twice', async () => {
    const bytes = await prepareImage(ask, repository);
    const answer = await put(`${sha(bytes, algorithm)}?tag=twice&tag=twice`, bytes);
    expect(answer.header('oci-tag')).toBe('twice');
  });

  it('are none of them set when one is no tag: 400', async () => {
    const bytes = await prepareImage(ask, repository);
    const answer = await put(`${sha(bytes, algorithm)}?tag=fine-${algorithm}&tag=.bad`, bytes);
    expect([answer.status, answer.codes()]).toEqual([400, ['MANIFEST_INVALID']]);
    expect((await get(`fine-${algorithm}`)).status).toBe(404);
  });

  it('are refused beyond a hundred: 414', async () => {
    const bytes = await prepareImage(ask, repository);
    const query = Array.from({ length: 101 }, (_, n) => `tag=t${String(n)}`).join('&');
    expect((await put(`${sha(bytes, algorithm)}?${query}`, bytes)).status).toBe(414);
  });
});

describe('pushing with a subject', () => {
  it.each([
    ['an image', imageType],
    ['an index', indexType],
  ])('%s says in OCI-Subject that it was understood, whether the subject is there or not', async (_, type) => {
    const there = await pushImage(ask, repository);
    for (const subject of [descriptor(imageType, there.bytes), descriptor(imageType, fresh())]) {
      const document = type === indexType ? index([], { subject }) : await prepareImage(ask, repository, { subject });
      const answer = await put(sha(document), document);
      expect([answer.status, answer.header('oci-subject')]).toEqual([201, (subject as { digest: string }).digest]);
    }
  });
});

describe('Docker’s manifests', () => {
  const docker = 'application/vnd.docker.distribution.manifest';

  it('image and list are kept as what they are', async () => {
    const config = await pushBlob(ask, repository, '{"os":"linux"}', 'application/vnd.docker.container.image.v1+json');
    const layers = [await pushBlob(ask, repository, fresh(), 'application/vnd.docker.image.rootfs.diff.tar.gzip')];
    const image = JSON.stringify({ schemaVersion: 2, mediaType: `${docker}.v2+json`, config, layers });
    expect((await put(sha(image), image, `${docker}.v2+json`)).status).toBe(201);
    const manifests = [
      { ...descriptor(`${docker}.v2+json`, image), platform: { os: 'windows', 'os.version': '10.0' } },
    ];
    const list = JSON.stringify({ schemaVersion: 2, mediaType: `${docker}.list.v2+json`, manifests });
    expect((await put('docker', list, `${docker}.list.v2+json`)).status).toBe(201);
    expect((await get('docker')).header('content-type')).toBe(`${docker}.list.v2+json`);
    expect((await get(sha(image))).header('content-type')).toBe(`${docker}.v2+json`);
  });

  it('of the first schema are refused', async () => {
    const old = { schemaVersion: 1, name: 'app', tag: 'v1', fsLayers: [], history: [] };
    for (const type of [`${docker}.v1+json`, `${docker}.v1+prettyjws`]) {
      const answer = await put('old', old, type);
      expect([answer.status, answer.codes()]).toEqual([400, ['MANIFEST_INVALID']]);
    }
  });

  it('with Windows’ foreign layers need not have them', async () => {
    const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    const config = await pushBlob(ask, repository, '{"os":"windows"}', configType);
    const layers = [
      { ...descriptor(foreign, fresh()), urls: ['https://mcr.example/layer'] },
      descriptor(foreign, fresh()),
    ];
    const image = { schemaVersion: 2, mediaType: `${docker}.v2+json`, config, layers };
    expect((await put('windows', image, `${docker}.v2+json`)).status).toBe(201);
  });
});
