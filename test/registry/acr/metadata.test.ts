import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { basic, codesOf, imageType } from '../rig.ts';
import { configType, startAcrRig, unlocked, type AcrRig } from './rig.ts';

let rig: AcrRig;
beforeEach(async () => {
  rig = await startAcrRig();
});
afterEach(async () => {
  await rig.stop();
  expect(rig.errors).toEqual([]);
});

const linux = { os: 'linux', architecture: 'amd64' };
const at = (minute: number): string => `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`;
const later = (): void => void (rig.clock.time += 60_000);

describe('a repository', () => {
  it('is shown with its counts, and when anything in it changed last', async () => {
    await rig.pushFor('team/app', 'v1', linux);
    later();
    await rig.pushFor('team/app', 'v2', linux);
    for (const path of ['/acr/v1/team/app', '/acr/v1/team%2Fapp?api-version=2021-07-01']) {
      expect(await rig.get(path)).toEqual({
        registry: rig.url.slice('http://'.length),
        imageName: 'team/app',
        createdTime: at(0),
        lastUpdateTime: at(1),
        manifestCount: 2,
        tagCount: 2,
        changeableAttributes: unlocked,
      });
    }
  });

  it('is in the catalog, page by page', async () => {
    for (const name of ['a', 'b', 'c']) await rig.pushFor(name, 'v1', linux);
    const answer = await rig.send('GET', '/acr/v1/_catalog?n=2');
    expect(await answer.json()).toEqual({ repositories: ['a', 'b'] });
    expect(answer.headers.get('link')).toBe('</acr/v1/_catalog?n=2&last=b>; rel="next"');
    expect(await rig.get('/acr/v1/_catalog?n=2&last=b')).toEqual({ repositories: ['c'] });
  });

  it('that is not there is 404, as are paths that mean nothing and names that cannot be', async () => {
    for (const path of ['none', 'none/_tags', 'none/_tags/v1', 'none/_manifests'])
      expect(await codesOf(await rig.send('GET', `/acr/v1/${path}`))).toEqual(['NAME_UNKNOWN']);
    await rig.pushFor('app', 'v1', linux);
    for (const path of ['', 'app/_metadata', 'app/_tags/v1/more', '_tags/v1', 'app/%ff'])
      expect([path, await rig.status('GET', `/acr/v1/${path}`)]).not.toContain(200);
    expect(await codesOf(await rig.send('GET', '/acr/v1/App'))).toEqual(['NAME_INVALID']);
    expect(await codesOf(await rig.send('GET', '/acr/v1/app/_tags/none'))).toEqual(['MANIFEST_UNKNOWN']);
    expect(await codesOf(await rig.send('GET', '/acr/v1/app/_manifests/v1'))).toEqual(['DIGEST_INVALID']);
    expect(await codesOf(await rig.send('POST', '/acr/v1/app'))).toEqual(['UNSUPPORTED']);
  });
});

describe('a tag', () => {
  it('is shown with its digest, its times, and whether a signature lies beside it', async () => {
    const { digest } = await rig.pushFor('app', 'v1', linux);
    const tag = {
      ...{ name: 'v1', digest, createdTime: at(0), lastUpdateTime: at(0), signed: false },
      changeableAttributes: unlocked,
    };
    const head = { registry: rig.url.slice('http://'.length), imageName: 'app' };
    expect(await rig.get('/acr/v1/app/_tags/v1')).toEqual({ ...head, tag });
    expect(await rig.get('/acr/v1/app/_tags')).toEqual({ ...head, tags: [tag] });
    const subject = { mediaType: imageType, digest, size: 1 };
    await rig.pushImage('app', 'by digest', { subject, artifactType: 'application/vnd.cncf.notary.signature' });
    expect(await rig.get('/acr/v1/app/_tags/v1')).toMatchObject({ tag: { signed: true } });
  });

  it('can be asked for by its manifest', async () => {
    const { digest } = await rig.pushFor('app', 'v1', linux);
    await rig.pushFor('app', 'v2', { os: 'other' });
    const { tags } = await rig.get<{ tags: { name: string }[] }>(`/acr/v1/app/_tags?digest=${digest}`);
    expect(tags.map(({ name }) => name)).toEqual(['v1']);
    expect(await rig.status('GET', '/acr/v1/app/_tags?digest=v1')).toBe(400);
  });

  it('is taken away alone, and 404 after that', async () => {
    const { digest } = await rig.pushFor('app', 'v1', linux);
    expect(await rig.status('DELETE', '/acr/v1/app/_tags/v1')).toBe(202);
    expect(await rig.status('DELETE', '/acr/v1/app/_tags/v1')).toBe(404);
    expect(await rig.status('DELETE', `/acr/v1/app/_tags/${digest}`)).toBe(404);
    expect(await rig.status('GET', `/v2/app/manifests/${digest}`)).toBe(200);
  });
});

describe('lists', () => {
  const names = async (path: string): Promise<string[]> => {
    const seen: string[] = [];
    for (let next = path; next !== '';) {
      const answer = await rig.send('GET', next);
      const { tags, manifests } = (await answer.json()) as {
        tags?: { name: string }[];
        manifests?: { tags: [string] }[];
      };
      seen.push(...(tags?.map(({ name }) => name) ?? manifests?.map((one) => one.tags[0]) ?? []));
      next = /^<(.+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1] ?? '';
    }
    return seen;
  };

  it.each(['_tags', '_manifests'])('of %s come by name or by time, a page at a time', async (list) => {
    for (const [tag, os] of [
      ['c', 'one'],
      ['a', 'two'],
      ['d', 'three'],
      ['b', 'four'],
    ] as const) {
      await rig.pushFor('app', tag, { os });
      later();
    }
    for (const n of [1, 3, 100]) {
      expect(await names(`/acr/v1/app/${list}?n=${String(n)}&orderby=timeasc`)).toEqual(['c', 'a', 'd', 'b']);
      expect(await names(`/acr/v1/app/${list}?n=${String(n)}&orderby=timedesc`)).toEqual(['b', 'd', 'a', 'c']);
      expect((await names(`/acr/v1/app/${list}?n=${String(n)}&orderby=none`)).sort()).toEqual(['a', 'b', 'c', 'd']);
    }
    if (list === '_tags') expect(await names('/acr/v1/app/_tags?n=2')).toEqual(['a', 'b', 'c', 'd']);
  });

  it('go on where they were when the entry at the end of a page has gone', async () => {
    for (const tag of ['a', 'b', 'c']) {
      await rig.pushFor('app', tag, linux);
      later();
    }
    const answer = await rig.send('GET', '/acr/v1/app/_tags?n=2&orderby=timedesc');
    const next = /^<(.+)>/.exec(answer.headers.get('link') ?? '')?.[1] ?? '';
    await rig.send('DELETE', '/acr/v1/app/_tags/b');
    expect(await names(next)).toEqual(['a']);
    expect(await names('/acr/v1/app/_tags?orderby=timedesc&last=c')).toEqual(['a']);
    expect(await rig.status('GET', '/acr/v1/app/_tags?orderby=timedesc&last=b')).toBe(400);
  });

  it.each(['n=-1', 'n=x', 'orderby=size', 'orderby=toString'])('refuse %s', async (query) => {
    await rig.pushFor('app', 'a', linux);
    expect(await rig.status('GET', `/acr/v1/app/_tags?${query}`)).toBe(400);
  });
});

describe('a manifest', () => {
  it('is shown with what its configuration says, and the bytes of the image', async () => {
    const { digest, imageSize } = await rig.pushFor('app', 'v1', { ...linux, more: 1 });
    const manifest = {
      ...{ digest, imageSize, createdTime: at(0), lastUpdateTime: at(0), ...linux },
      ...{ mediaType: imageType, configMediaType: configType, tags: ['v1'], changeableAttributes: unlocked },
    };
    expect(await rig.get(`/acr/v1/app/_manifests/${digest}`)).toMatchObject({ imageName: 'app', manifest });
    expect(await rig.get('/acr/v1/app/_manifests')).toMatchObject({ manifests: [manifest] });
  });

  it('that is an index names its images', async () => {
    const amd = await rig.pushFor('app', 'amd', linux);
    const arm = await rig.pushFor('app', 'arm', { os: 'linux', architecture: 'arm64' });
    const child = (digest: string, architecture: string): object => ({
      ...{ mediaType: imageType, digest, size: 1, platform: { os: 'linux', architecture } },
    });
    const digest = await rig.pushIndex('app', 'all', [child(amd.digest, 'amd64'), child(arm.digest, 'arm64')]);
    const { manifest } = await rig.get<{ manifest: object }>(`/acr/v1/app/_manifests/${digest}`);
    expect(manifest).toMatchObject({
      imageSize: amd.imageSize + arm.imageSize,
      os: 'linux',
      references: [
        { digest: amd.digest, os: 'linux', architecture: 'amd64' },
        { digest: arm.digest, os: 'linux', architecture: 'arm64' },
      ],
    });
    expect(manifest).not.toHaveProperty('architecture');
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['a list', '[]'],
    ['nothing', 'null'],
    ['wrong types', '{"os":7,"architecture":""}'],
  ])('whose configuration is %s is shown without', async (_, config) => {
    const blob = await rig.pushBlob('app', config);
    await rig.pushImage('app', 'v1', { config: { mediaType: configType, digest: blob, size: config.length } });
    const { manifests } = await rig.get<{ manifests: object[] }>('/acr/v1/app/_manifests');
    expect(manifests).toHaveLength(1);
    expect(manifests[0]).not.toHaveProperty('os');
  });

  it('is deleted by its digest with its tags', async () => {
    const { digest } = await rig.pushFor('app', 'v1', linux);
    expect(await rig.status('DELETE', `/acr/v1/app/_manifests/${digest}`)).toBe(202);
    expect(await rig.status('DELETE', `/acr/v1/app/_manifests/${digest}`)).toBe(404);
    expect(await rig.get('/acr/v1/app/_tags')).toMatchObject({ tags: [] });
  });
});

describe('rights', () => {
  const ask = (method: string, path: string, name = 'member'): Promise<Response> =>
    rig.send(method, path, { headers: { authorization: basic(name, 'secret') } });

  it('are asked for each thing by itself, with a challenge that names them', async () => {
    await rig.pushFor('team/app', 'v1', linux);
    await rig.pushFor('other', 'v1', linux);
    const anonymous = await fetch(`${rig.url}/acr/v1/team/app/_tags`);
    expect(anonymous.status).toBe(401);
    expect(anonymous.headers.get('www-authenticate')).toContain('scope="repository:team/app:metadata_read"');
    expect((await ask('GET', '/acr/v1/team/app')).status).toBe(200);
    expect((await ask('DELETE', '/acr/v1/team/app')).status).toBe(403);
    expect((await ask('GET', '/acr/v1/other')).status).toBe(403);
    expect((await ask('GET', '/acr/v1/_catalog')).status).toBe(403);
  });

  it('to see what is in quarantine are rights of their own', async () => {
    await rig.stop();
    rig = await startAcrRig({ anonymousPull: true });
    const { digest } = await rig.pushFor('app', 'v1', linux);
    await rig.pushFor('app', 'v2', { os: 'other' });
    const path = `/acr/v1/app/_manifests/${digest}`;
    await rig.lock(path, { quarantineState: 'Quarantined' });
    const anonymous = async (method: string, below: string, body?: string): Promise<[number, unknown]> => {
      const answer = await fetch(`${rig.url}/acr/v1/app/${below}`, { method, ...(body !== undefined && { body }) });
      return [answer.status, await answer.json()];
    };
    expect(await anonymous('GET', '_tags')).toMatchObject([200, { tags: [{ name: 'v2' }] }]);
    expect(await anonymous('GET', '_tags/v1')).toMatchObject([404, {}]);
    expect(await anonymous('PATCH', `_manifests/${digest}`, '{"quarantineState":"Passed"}')).toMatchObject([401, {}]);
    expect(await rig.get('/acr/v1/app/_tags')).toMatchObject({ tags: [{ name: 'v1' }, { name: 'v2' }] });
    await rig.lock(path, { quarantineState: 'Passed' });
    expect(await anonymous('GET', '_tags/v1')).toMatchObject([200, { tag: { digest } }]);
  });
});
