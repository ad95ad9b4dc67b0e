import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { matchesTagPattern } from '../../../src/registry/policies/write-once.ts';
import { codesOf } from '../rig.ts';
import { dayMs, startCare, type CareRig } from './rig.ts';

let rig: CareRig;
beforeEach(async () => {
  rig = await startCare();
});
afterEach(async () => {
  await rig.stop();
  expect(rig.errors).toEqual([]);
});

const rule = { repositories: 'team/*', tags: ['v*', '!*-rc'] };
const setRules = (...rules: readonly object[]): Promise<object> => rig.set({ writeOncePolicy: { rules } as never });
const imageType = 'application/vnd.oci.image.manifest.v1+json';
const put = (path: string, body: string): Promise<Response> =>
  rig.send('PUT', path, { body, headers: { 'content-type': imageType } });
/** Another image, by its digest alone; its bytes. */
const pushOther = async (repository: string): Promise<string> =>
  (await rig.pushImage(repository, 'by digest', { annotations: { is: 'another' } })).bytes;

describe('a write-once tag', () => {
  it('is not moved by a push, which is told the rule; the same manifest may be pushed again', async () => {
    await setRules(rule);
    const { digest, bytes } = await rig.pushImage('team/app', 'v1');
    const other = await pushOther('team/app');
    const refused = await put('/v2/team/app/manifests/v1', other);
    expect(refused.status).toBe(403);
    const { errors } = (await refused.json()) as { errors: object[] };
    expect(errors).toEqual([
      {
        code: 'DENIED',
        message:
          'the tag team/app:v1 is write-once and cannot be moved, by the rule "team/*:v*,!*-rc" of the registry\'s policy; ' +
          'use another tag, or have the rule changed',
        detail: { writeOnce: 'the tag team/app:v1', rule },
      },
    ]);
    expect((await put('/v2/team/app/manifests/v1', bytes)).status).toBe(201);
    expect(rig.registry.resolve('team/app', 'v1')?.digest).toBe(digest);
  });

  it('is shown as one', async () => {
    await setRules(rule);
    for (const tag of ['latest', 'v1']) await rig.pushImage('team/app', tag);
    const { tags } = (await (await rig.send('GET', '/acr/v1/team/app/_tags')).json()) as { tags: object[] };
    expect(tags).toEqual([
      expect.not.objectContaining({ writeOnce: true }),
      expect.objectContaining({ writeOnce: true }),
    ]);
  });

  it('is new as any other: what is refused is the second push', async () => {
    await rig.pushImage('team/app', 'v0');
    await setRules(rule);
    const other = await pushOther('team/app');
    expect((await put('/v2/team/app/manifests/v1', other)).status).toBe(201);
    expect((await put('/v2/team/app/manifests/v0', other)).status).toBe(403); // set before there was a rule
  });

  it('leaves others alone: what no rule names, what a rule takes out, and other repositories', async () => {
    await setRules(rule);
    for (const [repository, tag] of [
      ['team/app', 'latest'],
      ['team/app', 'v1-rc'],
      ['team', 'v1'],
      ['other', 'v1'],
    ] as const) {
      await rig.pushImage(repository, tag);
      expect((await put(`/v2/${repository}/manifests/${tag}`, await pushOther(repository))).status).toBe(201);
    }
  });

  it('keeps a push of several tags from moving any of them', async () => {
    await setRules(rule);
    await rig.pushImage('team/app', 'v1');
    const other = await rig.pushImage('team/app', 'latest', { annotations: { is: 'another' } });
    const before = (await rig.pushImage('team/app', 'latest')).digest;
    const both = `/v2/team/app/manifests/${other.digest}?tag=latest&tag=v1`;
    expect(await codesOf(await put(both, other.bytes))).toEqual(['DENIED']);
    expect(rig.registry.resolve('team/app', 'latest')?.digest).toBe(before);
  });

  it.each([
    ['DELETE', '/v2/team/app/manifests/v1'],
    ['DELETE', '/v2/team/app/manifests/{digest}'],
    ['DELETE', '/v2/team/app/blobs/{layer}'],
    ['DELETE', '/acr/v1/team/app/_tags/v1'],
    ['DELETE', '/acr/v1/team/app/_manifests/{digest}'],
    ['DELETE', '/acr/v1/team/app'],
  ])('is kept from %s %s, with its image', async (method, path) => {
    await setRules(rule);
    const { digest, bytes } = await rig.pushImage('team/app', 'v1');
    const { layers } = JSON.parse(bytes) as { layers: [{ digest: string }] };
    const answer = await rig.send(method, path.replace('{digest}', digest).replace('{layer}', layers[0].digest));
    expect([answer.status, await codesOf(answer)]).toEqual([403, ['DENIED']]);
    await setRules();
    const again = await rig.send(method, path.replace('{digest}', digest).replace('{layer}', layers[0].digest));
    expect(again.status).toBe(202);
  });

  it('is kept from deletions of what its index names', async () => {
    await setRules(rule);
    const child = await rig.pushImage('team/app', 'by digest');
    await rig.pushIndex('team/app', 'v1', [child.digest]);
    expect((await rig.send('DELETE', `/v2/team/app/manifests/${child.digest}`)).status).toBe(403);
  });

  it('is passed over by purges, which take the rest', async () => {
    await setRules(rule);
    await rig.pushImage('team/app', 'v1');
    await rig.pushImage('team/app', 'pr-1', { annotations: { is: 'another' } });
    rig.clock.time += dayMs;
    const report = await rig.registry.care.purge({ filters: ['.*:.*'], ago: '1h', untagged: true }, 'admin');
    expect(report.tags.map(({ tag }) => tag)).toEqual(['pr-1']);
    expect(rig.registry.listTags('team/app')).toEqual(['v1']);
  });

  it('is not moved by having back what was deleted, not even by force', async () => {
    await rig.set({ softDeletePolicy: { status: 'enabled' } });
    await rig.pushImage('team/app', 'v1');
    await rig.send('DELETE', '/v2/team/app/manifests/v1');
    await rig.pushImage('team/app', 'v1', { annotations: { is: 'another' } });
    await setRules(rule);
    const order = { repository: 'team/app', tag: 'v1', force: true };
    await expect(rig.registry.care.restore(order, 'admin')).rejects.toThrow('is write-once and cannot be moved');
  });

  it('is none that attaches something to a manifest by its name: signatures are pushed again under it', async () => {
    await setRules({ repositories: '*', tags: ['*'] });
    const { digest } = await rig.pushImage('app', 'v1');
    const tag = `sha256-${digest.slice(7)}.sig`;
    await rig.pushImage('app', tag);
    expect((await put(`/v2/app/manifests/${tag}`, await pushOther('app'))).status).toBe(201);
  });

  it('holds in a registry that was started anew, and where the policy was changed since', async () => {
    await setRules(rule);
    await rig.pushImage('team/app', 'v1');
    const other = await pushOther('team/app');
    const { storage } = rig;
    await rig.stop();
    rig = await startCare({ storage });
    expect((await put('/v2/team/app/manifests/v1', other)).status).toBe(403);
    await setRules({ repositories: 'team/*', tags: ['w*'] });
    expect((await put('/v2/team/app/manifests/v1', other)).status).toBe(201);
  });
});

describe('the rules of write-once tags', () => {
  it.each([
    [{ repositories: 'a/*/b', tags: ['*'] }, 'writeOncePolicy.rules[0].repositories'],
    [{ repositories: '*', tags: [] }, 'writeOncePolicy.rules[0].tags'],
    [{ repositories: '*', tags: ['!latest'] }, 'writeOncePolicy.rules[0].tags'],
    [{ repositories: '*', tags: ['v*', 'a:b'] }, 'writeOncePolicy.rules[0].tags[1]'],
    [{ repositories: '*', tags: ['^v'] }, 'writeOncePolicy.rules[0].tags[0]'],
  ])('refuse %j', async (one, field) => {
    await expect(setRules(one)).rejects.toMatchObject({ failure: { reason: 'invalid-request', field } });
    expect(rig.registry.care.policies().writeOncePolicy).toEqual({ rules: [] });
  });

  it('are at most a hundred', async () => {
    await expect(setRules(...Array.from({ length: 101 }, () => rule))).rejects.toThrow('at most 100');
  });
});

describe('a pattern of tags', () => {
  it('matches what an expression with any characters for each asterisk does', () => {
    const text = (...signs: readonly string[]): fc.Arbitrary<string> =>
      fc.array(fc.constantFrom(...signs), { maxLength: 8 }).map((some) => some.join(''));
    fc.assert(
      fc.property(text('a', 'b', '.', '*'), text('a', 'b', '.'), (pattern, tag) => {
        const expression = pattern.replaceAll('.', '\\.').replaceAll('*', '.*');
        expect(matchesTagPattern(pattern, tag)).toBe(new RegExp(`^${expression}$`).test(tag));
      }),
      { numRuns: 5000 },
    );
  });
});
