import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codesOf, indexType, startRegistry, type RunningRegistry } from './rig.ts';

let running: RunningRegistry;
beforeEach(async () => {
  running = await startRegistry({ limits: { pageEntries: 4 } });
});
afterEach(async () => {
  await running.stop();
  expect(running.errors).toEqual([]);
});

const push = async (repository: string, tag: string): Promise<void> => {
  const body = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [] });
  const headers = { 'content-type': indexType };
  expect((await running.send('PUT', `/v2/${repository}/manifests/${tag}`, { body, headers })).status).toBe(201);
};
const list = async (path: string): Promise<{ entries: string[]; link: string | null }> => {
  const answer = await running.send('GET', path);
  expect(answer.status).toBe(200);
  const { tags, repositories } = (await answer.json()) as { tags?: string[]; repositories?: string[] };
  return { entries: tags ?? repositories ?? [], link: answer.headers.get('link') };
};

describe.each([
  ['tags', '/v2/app/tags/list', (name: string) => push('app', name), ['V1', 'latest', 'latest-1', 'v1', 'v10', 'v2']],
  ['the catalog', '/v2/_catalog', (name: string) => push(name, 'latest'), ['a', 'a-b', 'a.b', 'a/b', 'a0', 'b']],
] as const)('the list of %s', (_, path, add, names) => {
  beforeEach(async () => {
    for (const name of [...names].reverse()) await add(name);
  });

  it('is sorted, has no more than a page at once, and says where the next begins', async () => {
    const first = await list(path);
    expect(first.entries).toEqual(names.slice(0, 4));
    expect(first.link).toBe(`<${path}?last=${encodeURIComponent(names[3])}>; rel="next"`);
    const second = await list(`${path}?last=${encodeURIComponent(names[3])}`);
    expect(second).toEqual({ entries: names.slice(4), link: null });
  });

  it.each([1, 2, 3, 6])('read %i at a time is the whole list', async (n) => {
    const seen: string[] = [];
    for (let next = `${path}?n=${String(n)}`; next !== '';) {
      const page = await list(next);
      expect(page.entries.length).toBeLessThanOrEqual(n);
      seen.push(...page.entries);
      next = /^<(.+)>; rel="next"$/.exec(page.link ?? '')?.[1] ?? '';
    }
    expect(seen).toEqual(names);
  });

  it('is empty for n=0, and goes on after an entry that is no more', async () => {
    expect(await list(`${path}?n=0`)).toEqual({ entries: [], link: null });
    expect((await list(`${path}?last=${names[1]}%2Bgone`)).entries).toEqual(
      names.filter((name) => name > `${names[1]}+gone`).slice(0, 4),
    );
    expect(await list(`${path}?last=zzz`)).toEqual({ entries: [], link: null });
  });

  it.each(['-1', 'many', '1e3', ''])('refuses n=%j', async (n) => {
    expect((await running.send('GET', `${path}?n=${n}`)).status).toBe(400);
  });
});

describe('a repository', () => {
  it('that nobody pushed to is unknown', async () => {
    const answer = await running.send('GET', '/v2/none/tags/list');
    expect([answer.status, await codesOf(answer)]).toEqual([404, ['NAME_UNKNOWN']]);
    await running.pushBlob('blobs-only', 'hello');
    expect((await running.send('GET', '/v2/blobs-only/tags/list')).status).toBe(404);
    expect((await list('/v2/_catalog')).entries).toEqual([]);
  });

  it('may be named like a part of the protocol', async () => {
    for (const name of ['manifests', 'blobs/uploads', 'tags/list', 'x/manifests/y', 'v2', 'referrers/blobs']) {
      await push(name, 'latest');
      expect((await list(`/v2/${name}/tags/list`)).entries).toEqual(['latest']);
      const digest = await running.pushBlob(name, 'hello');
      expect(await (await running.send('GET', `/v2/${name}/blobs/${digest}`)).text()).toBe('hello');
    }
  });
});
