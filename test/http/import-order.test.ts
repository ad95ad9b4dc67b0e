import { describe, expect, it } from 'vitest';
import { readImportOrder, type ImportBody } from '../../src/http/import-order.ts';

const own = { name: 'slipway', registryHost: 'registry.test:5080' };
const digest = `sha256:${'a'.repeat(64)}`;
const read = (source: ImportBody['source'], more: Partial<ImportBody> = {}) =>
  readImportOrder({ source, ...more }, own);

describe('the order of an import', () => {
  it('names the source as its registry does', () => {
    const hub = read({ registryUri: 'docker.io', sourceImage: 'alpine' }, { targetTags: ['base/alpine:3'] });
    expect(hub.source).toEqual({ registry: 'docker.io', repository: 'library/alpine', reference: 'latest' });
    const other = read({ registryUri: 'https://ghcr.io/', sourceImage: `team/app@${digest}` }, { targetTags: ['app'] });
    expect(other.source).toEqual({ registry: 'ghcr.io', repository: 'team/app', reference: digest });
    expect(other.targets).toEqual([{ repository: 'app', tag: 'latest' }]);
  });

  it('takes our own registry by its host, by its resource id and by nothing', () => {
    const expected = { repository: 'team/app', reference: 'v1' };
    expect(read({ sourceImage: 'team/app:v1' }).source).toEqual(expected);
    expect(read({ registryUri: 'registry.test:5080', sourceImage: 'team/app:v1' }).source).toEqual(expected);
    const resourceId = '/subscriptions/0/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/slipway';
    expect(read({ resourceId, sourceImage: 'team/app:v1' }).source).toEqual(expected);
  });

  it('keeps the name of the source where no other is given, and moves no tag unasked', () => {
    const order = read({ registryUri: 'quay.io', sourceImage: 'team/app:v1' });
    expect(order).toMatchObject({
      targets: [{ repository: 'team/app', tag: 'v1' }],
      isForced: false,
      withReferrers: true,
    });
  });

  it.each([
    [{ resourceId: '/subscriptions/0/registries/another', sourceImage: 'a:b' }, {}, 'source.resourceId'],
    [{ sourceImage: 'Not A Name' }, {}, 'source.sourceImage'],
    [{ sourceImage: 'a:b' }, { targetTags: [`app@${digest}`] }, 'targetTags[0]'],
    [{ sourceImage: 'a:b' }, { untaggedTargetRepositories: ['app:v1'] }, 'untaggedTargetRepositories[0]'],
  ])('refuses %j with %j', (source, more, field) => {
    expect(() => read(source, more)).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ field }) as unknown }) as Error,
    );
  });
});
