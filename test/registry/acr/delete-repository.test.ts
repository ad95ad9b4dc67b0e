import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codesOf, until } from '../rig.ts';
import { startAcrRig, type AcrRig } from './rig.ts';

let rig: AcrRig;
beforeEach(async () => {
  rig = await startAcrRig();
});
afterEach(async () => {
  await rig.stop();
});

const many = 900;

/** Manifests without blobs, two changes each and their event, so that one commit does not take all. */
async function fill(): Promise<string[]> {
  const digests: string[] = [];
  for (let start = 0; start < many; start += 50) {
    const some = Array.from({ length: 50 }, (_, at) => {
      const child = { mediaType: 'application/vnd.oci.image.index.v1+json', digest: digests[0], size: 1 };
      const annotations = { annotations: { n: String(start + at) } };
      return rig.pushIndex(
        'large',
        `t${String(start + at)}`,
        digests[0] === undefined ? [] : [{ ...child, ...annotations }],
      );
    });
    digests.push(...(await Promise.all(some)));
  }
  return [...new Set(digests)];
}

describe('deleting a repository', () => {
  it('takes away everything in it, says what, and tells of each manifest', async () => {
    const { digest } = await rig.pushFor('app', 'v1', { os: 'linux' });
    const second = await rig.pushFor('app', 'v2', { os: 'windows' });
    await rig.pushFor('app-2', 'v1', { os: 'linux' });
    const answer = await rig.send('DELETE', '/acr/v1/app');
    expect([answer.status, await answer.json()]).toEqual([
      202,
      { manifestsDeleted: [digest, second.digest], tagsDeleted: ['v1', 'v2'] },
    ]);
    for (const path of ['/v2/app/manifests/v1', `/v2/app/manifests/${digest}`, '/v2/app/tags/list', '/acr/v1/app'])
      expect(await rig.status('GET', path)).toBe(404);
    expect(await rig.get('/v2/_catalog')).toEqual({ repositories: ['app-2'] });
    await until(() => rig.events.filter(({ kind }) => kind === 'delete').length === 2);
    expect(rig.events.filter(({ kind }) => kind === 'delete')).toMatchObject([
      { digest, tags: ['v1'], by: 'admin', request: { method: 'DELETE' } },
      { digest: second.digest, tags: ['v2'] },
    ]);
    expect(await codesOf(await rig.send('DELETE', '/acr/v1/app'))).toEqual(['NAME_UNKNOWN']);
    await rig.pushFor('app', 'v1', { os: 'linux' });
    expect(await rig.get('/acr/v1/app')).toMatchObject({ manifestCount: 1, tagCount: 1 });
  });

  it('takes one with very many manifests in several steps, and hides it from the first on', async () => {
    const digests = await fill();
    const deleting = rig.send('DELETE', '/acr/v1/large');
    const seen: number[] = [];
    const done = new Set<string>();
    void deleting.then(() => done.add('deleting'));
    while (done.size === 0) seen.push(await rig.status('GET', '/acr/v1/large'));
    expect((await deleting).status).toBe(202);
    const { manifestsDeleted, tagsDeleted } = (await (await deleting).json()) as Record<string, string[]>;
    expect(new Set(manifestsDeleted)).toEqual(new Set(digests));
    expect(tagsDeleted).toHaveLength(many);
    expect([...seen].sort()).toEqual(seen); // 404 is never followed by 200
    await until(() => rig.events.filter(({ kind }) => kind === 'delete').length === digests.length);
  });

  it('that was interrupted is ended by the next start', async () => {
    const digests = await fill();
    let writes = 0;
    const { storage } = rig;
    const put = storage.put.bind(storage);
    storage.put = (...given) => {
      if (given[0].includes('journal') && (writes += 1) > 1) throw new Error('the machine went away');
      return put(...given);
    };
    const answer = await rig.send('DELETE', '/acr/v1/large');
    expect(answer.status).toBe(500);
    expect(await rig.status('GET', '/acr/v1/large')).toBe(404);
    expect(await rig.get('/v2/_catalog')).toEqual({ repositories: [] });
    expect(await rig.status('POST', '/v2/large/blobs/uploads/')).toBe(503);
    await rig.stop();
    storage.put = put;
    rig = await startAcrRig({ storage });
    await until(async () => (await rig.status('POST', '/v2/large/blobs/uploads/')) === 202);
    await until(() => new Set(rig.events.filter(({ kind }) => kind === 'delete').map(({ id }) => id)).size >= 1);
    expect(rig.events.length).toBeLessThanOrEqual(digests.length + many);
    await rig.pushIndex('large', 'new', []);
    expect(await rig.get('/acr/v1/large')).toMatchObject({ manifestCount: 1, tagCount: 1 });
  });
});
