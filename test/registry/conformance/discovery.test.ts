import { describe, expect, it } from 'vitest';
import { descriptor, imageType, indexType, sha } from '../rig.ts';
import { emptyType, fresh, prepareImage, pushBlob, pushImage, putManifest, useRegistry, type Answer } from './rig.ts';

const ask = useRegistry({ limits: { pageEntries: 40, referrersBytes: 4000 } });

const linkOf = (answer: Answer): string | undefined => /^<([^>]+)>; rel="next"$/.exec(answer.header('link') ?? '')?.[1];
const tagsOf = (answer: Answer): string[] => (JSON.parse(answer.bytes.toString()) as { tags: string[] }).tags;

/** A repository with these tags, all of one image. */
async function tagged(repository: string, tags: readonly string[]): Promise<void> {
  const bytes = await prepareImage(ask, repository);
  const query = tags.map((tag) => `tag=${tag}`).join('&');
  expect((await putManifest(ask, { repository, reference: `${sha(bytes)}?${query}` }, bytes)).status).toBe(201);
}

describe('listing tags (end-8)', () => {
  // One that begins another, capitals, digits and marks: the order is that of their bytes.
  const tags = ['v1', 'v1-alpine', 'v10', 'v2', 'V1', '_x', '1', '1.0', 'latest', 'a', 'A', 'z-z', 'z.z', 'z_z'];
  const sorted = [...tags].sort();
  const list = (query = ''): Promise<Answer> => ask('GET', `/v2/list/tags/tags/list${query}`);

  it('gives the name and all tags in the order of their bytes', async () => {
    await tagged('list/tags', tags);
    const answer = await list();
    expect([answer.status, JSON.parse(answer.bytes.toString())]).toEqual([200, { name: 'list/tags', tags: sorted }]);
    expect(answer.header('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.header('link')).toBeUndefined();
  });

  it.each([1, 2, 3, 5, 13])('gives pages of %d, which together are all of them', async (n) => {
    await tagged('list/tags', tags);
    const seen: string[] = [];
    let path: string | undefined = `/v2/list/tags/tags/list?n=${String(n)}`;
    while (path !== undefined) {
      const answer: Answer = await ask('GET', path);
      path = linkOf(answer);
      expect(tagsOf(answer)).toHaveLength(path === undefined ? tags.length - seen.length : n);
      seen.push(...tagsOf(answer));
    }
    expect(seen).toEqual(sorted);
  });

  it('begins after last, with and without n, and whether last is a tag or not', async () => {
    await tagged('list/tags', tags);
    for (const last of [...tags, 'v', 'v1-', 'zz', '0', '~', '!']) {
      const rest = sorted.filter((tag) => tag > last);
      expect(tagsOf(await list(`?last=${last}`))).toEqual(rest);
      expect(tagsOf(await list(`?n=2&last=${last}`))).toEqual(rest.slice(0, 2));
      expect(tagsOf(await list(`?last=${last}&n=100`))).toEqual(rest);
    }
  });

  it('gives none for n=0, and no link', async () => {
    await tagged('list/tags', tags);
    const answer = await list('?n=0');
    expect([answer.status, tagsOf(answer), answer.header('link')]).toEqual([200, [], undefined]);
  });

  it('gives an empty list, not null, where no tag is left', async () => {
    await pushImage(ask, 'list/untagged');
    const answer = await ask('GET', '/v2/list/untagged/tags/list');
    expect([answer.status, JSON.parse(answer.bytes.toString())]).toEqual([200, { name: 'list/untagged', tags: [] }]);
  });

  it('gives pages by itself when there are many', async () => {
    const many = Array.from({ length: 90 }, (_, n) => `t${String(n).padStart(3, '0')}`);
    await tagged('list/many', many);
    const first = await ask('GET', '/v2/list/many/tags/list');
    expect([tagsOf(first).length, linkOf(first)]).toEqual([40, '/v2/list/many/tags/list?last=t039']);
    const capped = await ask('GET', '/v2/list/many/tags/list?n=99999');
    expect(tagsOf(capped)).toHaveLength(40);
    expect(linkOf(capped)).toBeDefined();
  });

  it('is 404 with NAME_UNKNOWN for a repository that is not there', async () => {
    const answer = await ask('GET', '/v2/list/none/tags/list');
    expect([answer.status, answer.codes()]).toEqual([404, ['NAME_UNKNOWN']]);
  });

  it.each(['x', '-1', '1.5', '1e3', '99999999999'])('refuses n=%s', async (n) => {
    await tagged('list/tags', tags);
    const answer = await list(`?n=${n}`);
    expect([answer.status, answer.codes()]).toEqual([400, ['UNSUPPORTED']]);
  });
});

describe('listing repositories (Docker’s _catalog)', () => {
  it('gives each, also one whose name begins another’s, in order and in pages', async () => {
    const names = ['cat', 'cat/a', 'cat/a-b', 'cat/a/b', 'cat/ab', 'cats'];
    for (const name of names) await pushImage(ask, name);
    const seen: string[] = [];
    let path: string | undefined = '/v2/_catalog?n=2&last=casu';
    while (path !== undefined) {
      const answer: Answer = await ask('GET', path);
      seen.push(...(JSON.parse(answer.bytes.toString()) as { repositories: string[] }).repositories);
      path = linkOf(answer);
    }
    expect(seen.filter((name) => name.startsWith('cat'))).toEqual([...names].sort());
  });

  it('knows no repository that has no manifest', async () => {
    await pushBlob(ask, 'blobs/only', fresh());
    expect((await ask('GET', '/v2/_catalog?last=blobs/nothing')).bytes.toString()).not.toContain('blobs/only');
  });
});

describe('listing referrers (end-12)', () => {
  interface Entry {
    readonly digest: string;
    readonly mediaType: string;
    readonly size: number;
    readonly artifactType?: string;
    readonly annotations?: Record<string, string>;
  }
  const list = async (subject: string, query = ''): Promise<Answer & { readonly entries: Entry[] }> => {
    const answer = await ask('GET', `/v2/list/subject/referrers/${subject}${query}`);
    expect([answer.status, answer.header('content-type')]).toEqual([200, indexType]);
    const index = JSON.parse(answer.bytes.toString()) as { manifests: Entry[] };
    expect(index).toMatchObject({ schemaVersion: 2, mediaType: indexType });
    return { ...answer, entries: index.manifests };
  };
  const put = async (bytes: string, reference = sha(bytes)): Promise<string> => {
    expect((await putManifest(ask, { repository: 'list/subject', reference }, bytes)).status).toBe(201);
    return reference;
  };
  const about = async (subject: object, more: object = {}): Promise<string> =>
    put(await prepareImage(ask, 'list/subject', { subject, ...more }));

  it('is an empty list, never 404: for an image alone, a digest that is not there, and no repository', async () => {
    const { digest } = await pushImage(ask, 'list/subject');
    for (const subject of [digest, sha('none'), sha('none', 'sha512')])
      expect((await list(subject)).entries).toEqual([]);
    expect((await ask('GET', `/v2/list/nobody/referrers/${sha('x')}`)).status).toBe(200);
  });

  it('describes each with its type, size, kind and annotations', async () => {
    const subject = descriptor(imageType, (await pushImage(ask, 'list/subject')).bytes);
    const { digest } = subject as { digest: string };
    const annotations = { 'org.example': 'hello', n: fresh(8).toString('hex') };
    const own = await about(subject, { artifactType: 'application/x.own', annotations });
    const config = await pushBlob(ask, 'list/subject', '{}', 'application/x.config');
    const byConfig = await about(subject, { config });
    const index = { schemaVersion: 2, mediaType: indexType, manifests: [], subject, annotations };
    const plain = await put(JSON.stringify(index));
    const typed = await put(JSON.stringify({ ...index, artifactType: 'application/x.index' }));
    const { entries } = await list(digest);
    const found = new Map(entries.map((entry) => [entry.digest, entry]));
    expect([...found.keys()].sort()).toEqual([own, byConfig, plain, typed].sort());
    expect(found.get(own)).toMatchObject({ mediaType: imageType, artifactType: 'application/x.own', annotations });
    expect(found.get(byConfig)).toMatchObject({ mediaType: imageType, artifactType: 'application/x.config' });
    expect(found.get(byConfig)).not.toHaveProperty('annotations');
    expect(found.get(plain)).toEqual({
      ...{ mediaType: indexType, digest: plain, annotations },
      size: Buffer.byteLength(JSON.stringify(index)),
    });
    expect(found.get(typed)).toMatchObject({ artifactType: 'application/x.index' });
  });

  it('gives those of one type alone, and says that it did', async () => {
    const subject = descriptor(imageType, fresh());
    const { digest } = subject as { digest: string };
    const [one, other] = [
      await about(subject, { artifactType: 'application/x.one' }),
      await about(subject, { artifactType: 'application/x.other+json' }),
    ];
    const filtered = await list(digest, '?artifactType=application%2Fx.other%2Bjson');
    expect([filtered.header('oci-filters-applied'), filtered.entries.map((entry) => entry.digest)]).toEqual([
      'artifactType',
      [other],
    ]);
    expect((await list(digest, '?artifactType=application/x.none')).entries).toEqual([]);
    const all = await list(digest);
    expect([all.header('oci-filters-applied'), all.entries.length]).toEqual([undefined, 2]);
    expect(all.entries.map((entry) => entry.digest)).toContain(one);
  });

  it('finds what was pushed before its subject, and what is tagged', async () => {
    const image = await prepareImage(ask, 'list/subject');
    const empty = await pushBlob(ask, 'list/subject', '{}', emptyType);
    const subject = descriptor(imageType, image);
    const artifact = await prepareImage(ask, 'list/subject', {
      subject,
      config: empty,
      artifactType: 'application/x.y',
    });
    await put(artifact, 'signature');
    expect((await list(sha(image))).entries).toHaveLength(1);
    await put(image);
    expect((await list(sha(image))).entries).toMatchObject([{ digest: sha(artifact) }]);
  });

  it('keeps what is said of a digest apart by algorithm and by repository', async () => {
    const image = await prepareImage(ask, 'list/subject');
    await about(descriptor(imageType, image, sha(image, 'sha512')));
    expect((await list(sha(image))).entries).toEqual([]);
    expect((await list(sha(image, 'sha512'))).entries).toHaveLength(1);
    const elsewhere = await ask('GET', `/v2/list/elsewhere/referrers/${sha(image, 'sha512')}`);
    expect(elsewhere.bytes.toString()).toContain('"manifests":[]');
  });

  it('forgets what is deleted', async () => {
    const subject = descriptor(imageType, fresh());
    const artifact = await about(subject);
    expect((await ask('DELETE', `/v2/list/subject/manifests/${artifact}`)).status).toBe(202);
    expect((await list((subject as { digest: string }).digest)).entries).toEqual([]);
  });

  it('comes in pages, with the filter in the link', async () => {
    const subject = descriptor(imageType, fresh());
    const type = 'application/x.paged';
    for (let n = 0; n < 9; n += 1) {
      await about(subject, { artifactType: type, annotations: { text: 'A'.repeat(800), n: String(n) } });
    }
    const seen: string[] = [];
    let path: string | undefined =
      `/v2/list/subject/referrers/${(subject as { digest: string }).digest}?artifactType=${type}`;
    let pages = 0;
    for (; path !== undefined; pages += 1) {
      const answer: Answer = await ask('GET', path);
      expect(answer.header('oci-filters-applied')).toBe('artifactType');
      seen.push(
        ...(JSON.parse(answer.bytes.toString()) as { manifests: Entry[] }).manifests.map(({ digest }) => digest),
      );
      path = linkOf(answer);
    }
    expect([seen.length, new Set(seen).size, pages > 1]).toEqual([9, 9, true]);
  });

  it.each(['latest', 'sha256:short', 'sha1:abc'])('is 400 with DIGEST_INVALID for %s', async (digest) => {
    const answer = await ask('GET', `/v2/list/subject/referrers/${digest}`);
    expect([answer.status, answer.codes()]).toEqual([400, ['DIGEST_INVALID']]);
  });
});
