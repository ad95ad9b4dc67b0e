import { describe, expect, it } from 'vitest';
import type { ImageIdentity } from '../../../src/domain/dependencies.ts';
import { compareBases, formatUnchanged, platformsToCompare } from '../../../src/patch/graph/platforms.ts';
import { digestOf, image } from '../campaign/world.ts';

/** `base` as an index with a digest and manifests, by numbers. */
function base(digest: number | undefined, manifests?: Readonly<Record<string, number | undefined>>): ImageIdentity {
  const platforms = Object.entries(manifests ?? {}).map(([platform, number]) => ({
    platform,
    ...(number !== undefined && { digest: digestOf(number) }),
  }));
  const known = digest === undefined ? {} : { digest: digestOf(digest) };
  return { ...image('base'), ...known, ...(manifests && { platforms }) };
}

const [amd64, arm64] = ['linux/amd64', 'linux/arm64'];

describe('a base against what its tag stands for now', () => {
  it.each([
    ['the same index', [base(1, { [amd64]: 10 })], base(1), 'same'],
    ['another index with the same manifest', [base(1, { [amd64]: 10 })], base(2, { [amd64]: 10 }), 'unchanged'],
    ['another manifest', [base(1, { [amd64]: 10 })], base(2, { [amd64]: 11 }), 'other'],
    ['a manifest for another platform', [base(1, { [amd64]: 10 })], base(2, { [arm64]: 10 }), 'other'],
    ['no manifest any more', [base(1, { [amd64]: 10 })], base(2, {}), 'other'],
    ['an image instead of an index that held it', [base(1, { [amd64]: 2 })], base(2, { [amd64]: 2 }), 'unchanged'],
    ['a record without platforms', [base(1)], base(2, { [amd64]: 10 }), 'other'],
    ['a record with no platform', [base(1, {})], base(2, { [amd64]: 10 }), 'other'],
    ['a record that never saw the manifest', [base(1, { [amd64]: undefined })], base(2, { [amd64]: 10 }), 'other'],
    ['manifests that nobody could read', [base(1, { [amd64]: 10 })], base(2, { [amd64]: undefined }), 'other'],
    ['both unknown', [base(1, { [amd64]: undefined })], base(2, { [amd64]: undefined }), 'other'],
    ['a digest that nobody knows', [base(undefined, { [amd64]: 10 })], base(2, { [amd64]: 10 }), 'unknown'],
    ['a tag without digest', [base(1, { [amd64]: 10 })], base(undefined), 'other'],
    ['one of two platforms', [base(1, { [amd64]: 10, [arm64]: 20 })], base(2, { [amd64]: 10, [arm64]: 21 }), 'other'],
    ['one of two images', [base(1, { [amd64]: 10 }), base(1, { [arm64]: 20 })], base(2, { [amd64]: 10 }), 'other'],
    ['an image on it and one unchanged', [base(2), base(1, { [amd64]: 10 })], base(2, { [amd64]: 10 }), 'unchanged'],
    ['a step that nobody saw run', [base(1, { [amd64]: 10 }), base(undefined)], base(2, { [amd64]: 10 }), 'other'],
  ])('is compared by the manifests that were read: %s', (_, used, now, kind) => {
    expect(compareBases(used, now).kind).toBe(kind);
  });

  it('is unchanged for all platforms that any image was built for', () => {
    const now = base(2, { [amd64]: 10, [arm64]: 20 });
    const compared = compareBases([base(1, { [arm64]: 20 }), base(0, { [amd64]: 10 })], now);
    expect(compared).toEqual({ kind: 'unchanged', platforms: [amd64, arm64] });
    expect(formatUnchanged([amd64, arm64])).toBe('unchanged for linux/amd64 and linux/arm64');
  });

  it('is looked into for the platforms alone that can be compared', () => {
    const used = [base(1, { [arm64]: 20, 'linux/s390x': undefined }), base(2, { [amd64]: 1 }), base(0, { [arm64]: 3 })];
    expect(platformsToCompare(used, digestOf(2))).toEqual([arm64]);
  });
});
