import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codesOf, descriptor, imageType, indexType, sha, startRegistry, type RunningRegistry } from './rig.ts';

let running: RunningRegistry;
beforeEach(async () => {
  running = await startRegistry();
});
afterEach(async () => {
  await running.stop();
  expect(running.errors).toEqual([]);
});

const put = (reference: string, bytes: string, type: string | undefined = imageType): Promise<Response> =>
  running.send('PUT', `/v2/app/manifests/${reference}`, { body: bytes, headers: { 'content-type': type } });
const get = (reference: string, headers = {}): Promise<Response> =>
  running.send('GET', `/v2/app/manifests/${reference}`, { headers });
const emptyIndex = (more = {}): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [], ...more });

describe('a manifest', () => {
  it('comes back byte for byte by tag and by digest, with the type it was sent with', async () => {
    const { digest, bytes } = await running.pushImage('app', 'v1', { custom: { field: ['kept'] } });
    for (const reference of ['v1', digest]) {
      const answer = await get(reference, { accept: 'application/json' });
      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe(bytes);
      expect(answer.headers.get('content-type')).toBe(imageType);
      expect(answer.headers.get('docker-content-digest')).toBe(digest);
    }
    const head = await running.send('HEAD', '/v2/app/manifests/v1');
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
    expect(await head.text()).toBe('');
  });

  it.each([
    ['application/vnd.docker.distribution.manifest.v2+json', 'application/vnd.docker.container.image.v1+json'],
    ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.cncf.helm.config.v1+json'],
  ])('of type %s with the config %s is kept', async (mediaType, config) => {
    await running.pushBlob('app', '{}');
    const bytes = JSON.stringify({ schemaVersion: 2, mediaType, config: descriptor(config, '{}'), layers: [] });
    expect((await put('v1', bytes, mediaType)).status).toBe(201);
  });

  it('without a mediaType of its own is what its Content-Type says, parameters aside', async () => {
    await running.pushBlob('app', '{}');
    const bytes = JSON.stringify({ schemaVersion: 2, config: descriptor('x/y', '{}'), layers: [] });
    expect((await put('v1', bytes, `${imageType}; charset=utf-8`)).status).toBe(201);
    expect((await get('v1')).headers.get('content-type')).toBe(imageType);
  });

  it('can list the images of several platforms, and lists of them', async () => {
    const image = await running.pushImage('app', 'by digest');
    const list = emptyIndex({ manifests: [descriptor(imageType, image.bytes)] });
    expect((await put('multi', list, indexType)).status).toBe(201);
    const nested = emptyIndex({ manifests: [descriptor(indexType, list)] });
    expect((await put('nested', nested, indexType)).status).toBe(201);
    const dockerType = 'application/vnd.docker.distribution.manifest.list.v2+json';
    const docker = emptyIndex({ mediaType: dockerType, manifests: [descriptor(imageType, image.bytes)] });
    expect((await put('docker', docker, dockerType)).status).toBe(201);
  });

  it('answers 304 to a client that has it', async () => {
    const { digest } = await running.pushImage('app', 'v1');
    expect((await get('v1', { 'if-none-match': `"${digest}"` })).status).toBe(304);
    expect((await get('v1', { 'if-none-match': `"${sha('other')}"` })).status).toBe(200);
  });

  it('moves its tag to what was pushed last, and stays under its digest', async () => {
    const first = await running.pushImage('app', 'v1');
    const second = await running.pushImage('app', 'v1', { annotations: { build: '2' } });
    expect(await (await get('v1')).text()).toBe(second.bytes);
    expect(await (await get(first.digest)).text()).toBe(first.bytes);
    expect(running.registry.resolve('app', 'v1')?.digest).toBe(second.digest);
  });

  it('can be given several tags at once when it is put by digest', async () => {
    const index = emptyIndex();
    const answer = await put(`${sha(index)}?tag=a&tag=b`, index, indexType);
    expect([answer.status, answer.headers.get('oci-tag')]).toEqual([201, 'a, b']);
    expect(running.registry.listTags('app')).toEqual(['a', 'b']);
    expect((await put(`${sha(index)}?tag=-bad`, index, indexType)).status).toBe(400);
  });

  it('can be put by its sha512 digest', async () => {
    const index = emptyIndex();
    const digest = sha(index, 'sha512');
    expect((await put(digest, index, indexType)).headers.get('docker-content-digest')).toBe(digest);
    expect(await (await get(digest)).text()).toBe(index);
  });
});

describe('a manifest is refused', () => {
  it('when its digest is another one', async () => {
    const answer = await put(sha('other'), emptyIndex(), indexType);
    expect([answer.status, await codesOf(answer)]).toEqual([400, ['DIGEST_INVALID']]);
    expect(running.registry.listRepositories()).toEqual([]);
  });

  it('when blobs or images that it names are missing, all of which are named', async () => {
    const config = await running.pushBlob('app', '{}');
    const layers = ['a', 'b'].map((text) => descriptor('application/vnd.oci.image.layer.v1.tar', text));
    const answer = await put(
      'v1',
      JSON.stringify({ schemaVersion: 2, config: descriptor('x/y', '{}', config), layers }),
    );
    expect(answer.status).toBe(404);
    const { errors } = (await answer.json()) as { errors: { code: string; detail: { digest: string } }[] };
    expect(errors.map(({ code, detail }) => [code, detail.digest])).toEqual([
      ['MANIFEST_BLOB_UNKNOWN', sha('a')],
      ['MANIFEST_BLOB_UNKNOWN', sha('b')],
    ]);
    const index = await put('v1', emptyIndex({ manifests: [descriptor(imageType, 'none')] }), indexType);
    expect([index.status, await codesOf(index)]).toEqual([404, ['MANIFEST_BLOB_UNKNOWN']]);
  });

  it('when a blob lies only in another repository', async () => {
    await running.pushBlob('other', '{}');
    expect(
      (await put('v1', JSON.stringify({ schemaVersion: 2, config: descriptor('x/y', '{}'), layers: [] }))).status,
    ).toBe(404);
  });

  it('but not when only a foreign layer, or its subject, is missing', async () => {
    await running.pushBlob('app', '{}');
    const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    const layers = [
      descriptor(foreign, 'a'),
      descriptor('application/vnd.oci.image.layer.nondistributable.v1.tar+zstd', 'b'),
    ];
    const image = {
      schemaVersion: 2,
      config: descriptor('x/y', '{}'),
      layers,
      subject: descriptor(imageType, 'later'),
    };
    const answer = await put('v1', JSON.stringify(image));
    expect([answer.status, answer.headers.get('oci-subject')]).toEqual([201, sha('later')]);
  });

  const config = descriptor('x/y', '{}');
  it.each([
    ['no JSON', 'hello', imageType],
    ['cut off', '{"schemaVersion":2,"manifests":[', indexType],
    ['a list', '[]', imageType],
    ['null', 'null', imageType],
    ['nothing', '', imageType],
    ['of another type than it says', emptyIndex(), imageType],
    ['of an unknown type', emptyIndex({ mediaType: 'text/plain' }), 'text/plain'],
    ['schema 1', JSON.stringify({ schemaVersion: 1 }), 'application/vnd.docker.distribution.manifest.v1+json'],
    ['without schemaVersion', JSON.stringify({ config, layers: [] }), imageType],
    ['without a config', JSON.stringify({ schemaVersion: 2, layers: [] }), imageType],
    ['without layers', JSON.stringify({ schemaVersion: 2, config }), imageType],
    ['with layers that are none', JSON.stringify({ schemaVersion: 2, config, layers: ['x'] }), imageType],
    [
      'with a digest that is none',
      JSON.stringify({ schemaVersion: 2, config: { ...config, digest: 'x' }, layers: [] }),
      imageType,
    ],
    [
      'with a size that is none',
      JSON.stringify({ schemaVersion: 2, config: { ...config, size: -1 }, layers: [] }),
      imageType,
    ],
    ['with a subject that is none', emptyIndex({ subject: 'x' }), indexType],
    ['with a mediaType that is none', emptyIndex({ mediaType: 7 }), indexType],
    ['nested without end', `{"schemaVersion":2,"manifests":[],"x":${'['.repeat(200)}${']'.repeat(200)}}`, indexType],
  ])('when it is %s', async (_, bytes, type) => {
    await running.pushBlob('app', '{}');
    const answer = await put('v1', bytes, type);
    expect([answer.status, await codesOf(answer)]).toEqual([400, ['MANIFEST_INVALID']]);
  });

  it('when it is larger than 4 MiB, announced or not, and not when it has 4 MiB', async () => {
    const padded = (size: number): string =>
      emptyIndex({ pad: '' }).replace('"pad":""', (pad) =>
        pad.replace('""', `"${'x'.repeat(size - emptyIndex({ pad: '' }).length)}"`),
      );
    expect((await put('v1', padded(4 * 1024 * 1024), indexType)).status).toBe(201);
    expect((await put('v2', padded(4 * 1024 * 1024 + 1), indexType)).status).toBe(413);
    const body = new Blob([padded(5 * 1024 * 1024)]).stream();
    const more = { body, duplex: 'half', headers: { 'content-type': indexType } } as RequestInit;
    expect((await running.send('PUT', '/v2/app/manifests/v2', more)).status).toBe(413);
  });

  it.each(['-dash', '.dot', 'a'.repeat(129), 'with%20space', 'ünicode'])('under the tag %s', async (tag) => {
    const answer = await put(tag, emptyIndex(), indexType);
    expect([answer.status, await codesOf(answer)]).toEqual([400, ['MANIFEST_INVALID']]);
    expect((await get(tag)).status).toBe(404);
  });
});

describe('deleting', () => {
  const remove = (path: string): Promise<Response> => running.send('DELETE', `/v2/app/${path}`);

  it('a tag leaves the manifest and its other tags', async () => {
    const { digest } = await running.pushImage('app', 'v1');
    await running.send('PUT', '/v2/app/manifests/v2', {
      body: await (await get('v1')).text(),
      headers: { 'content-type': imageType },
    });
    expect((await remove('manifests/v1')).status).toBe(202);
    expect((await get('v1')).status).toBe(404);
    expect((await get('v2')).status).toBe(200);
    expect((await get(digest)).status).toBe(200);
    expect((await remove('manifests/v1')).status).toBe(404);
  });

  it('a manifest takes all its tags with it, and leaves an empty repository', async () => {
    const { digest } = await running.pushImage('app', 'v1');
    expect((await remove(`manifests/${digest}`)).status).toBe(202);
    for (const reference of ['v1', digest]) {
      const answer = await get(reference);
      expect([answer.status, await codesOf(answer)]).toEqual([404, ['MANIFEST_UNKNOWN']]);
    }
    expect(running.registry.listTags('app')).toEqual([]);
    expect(running.registry.listRepositories()).toEqual([]);
    await running.pushImage('app', 'by digest');
    expect(running.registry.listTags('app')).toEqual([]);
  });

  it('a blob takes it out of one repository, not of another', async () => {
    const digest = await running.pushBlob('app', 'hello');
    await running.pushBlob('other', 'hello');
    expect((await remove(`blobs/${digest}`)).status).toBe(202);
    expect((await remove(`blobs/${digest}`)).status).toBe(404);
    expect((await running.send('GET', `/v2/app/blobs/${digest}`)).status).toBe(404);
    expect((await running.send('GET', `/v2/other/blobs/${digest}`)).status).toBe(200);
  });
});

describe('referrers', () => {
  it('are listed with their types and annotations, by the type that was asked for, and go with their manifests', async () => {
    const { digest: subject, bytes } = await running.pushImage('app', 'v1');
    const about = { subject: descriptor(imageType, bytes) };
    const signature = await running.pushImage('app', 'by digest', {
      ...about,
      artifactType: 'application/x.signature',
      annotations: { by: 'me' },
    });
    await running.pushImage('app', 'by digest', { ...about, annotations: { sbom: 'yes' } });
    const list = async (query = ''): Promise<{ artifactType: string; digest: string; annotations: object }[]> => {
      const answer = await running.send('GET', `/v2/app/referrers/${subject}${query}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, indexType]);
      expect(answer.headers.get('oci-filters-applied')).toBe(query === '' ? null : 'artifactType');
      return ((await answer.json()) as { manifests: [] }).manifests;
    };
    expect((await list()).map(({ artifactType }) => artifactType).sort()).toEqual([
      'application/vnd.oci.image.config.v1+json',
      'application/x.signature',
    ]);
    expect(await list('?artifactType=application/x.signature')).toMatchObject([
      { digest: signature.digest, annotations: { by: 'me' } },
    ]);
    await running.send('DELETE', `/v2/app/manifests/${signature.digest}`);
    expect(await list('?artifactType=application/x.signature')).toEqual([]);
  });

  it('are an empty list for what nobody refers to, and refused for what is no digest', async () => {
    const answer = await running.send('GET', `/v2/none/referrers/${sha('x')}`);
    expect(await answer.json()).toEqual({ schemaVersion: 2, mediaType: indexType, manifests: [] });
    expect((await running.send('GET', '/v2/none/referrers/latest')).status).toBe(400);
  });

  it('come in pages when there are many, none lost', async () => {
    await running.stop();
    running = await startRegistry({ limits: { referrersBytes: 1000 } });
    const subject = descriptor(imageType, 'subject');
    for (let n = 0; n < 7; n += 1)
      await running.pushImage('app', 'by digest', { subject, annotations: { n: String(n) } });
    const seen: string[] = [];
    for (let path = `/v2/app/referrers/${sha('subject')}`; path !== '';) {
      const answer = await running.send('GET', path);
      seen.push(
        ...((await answer.json()) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest),
      );
      path = /<(.+)>/.exec(answer.headers.get('link') ?? '')?.[1] ?? '';
    }
    expect(new Set(seen).size).toBe(7);
    expect(seen).toHaveLength(7);
  });
});
