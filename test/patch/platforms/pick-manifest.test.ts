import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/domain/digest.ts';
import { pickManifest } from '../../../src/patch/platforms/pick-manifest.ts';
import { digestOf } from '../campaign/world.ts';

const digest = digestOf(99);

function documentOf(content: unknown) {
  return { digest, mediaType: '', bytes: Buffer.from(JSON.stringify(content)) };
}

/** An index with these entries: `linux/arm/v7`, or what a platform really says; each has its number as digest. */
function indexOf(...platforms: readonly (string | object | undefined)[]) {
  const manifests = platforms.map((platform, at) => {
    if (typeof platform !== 'string') return { digest: digestOf(at), platform };
    const [os, architecture, variant] = platform.split('/');
    return { digest: digestOf(at), platform: { os, architecture, variant } };
  });
  return documentOf({ manifests });
}

describe('the manifest of a platform', () => {
  it.each([
    ['linux/amd64', ['linux/arm64', 'linux/amd64'], 1],
    ['linux/arm64', ['linux/amd64', 'linux/arm64/v8'], 1],
    ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v7', 'linux/arm/v6'], 1],
    ['linux/arm/v7', ['linux/arm'], 0],
    ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 1],
    ['linux/amd64', ['unknown/unknown', 'linux/amd64', undefined, 'text', 7 as unknown as object], 1],
    ['linux/arm/v6', ['linux/arm/v7'], undefined],
    ['linux/amd64', [], undefined],
    ['linux/amd64,linux/arm64', ['linux/amd64', 'linux/arm64'], undefined],
  ])('%s is found among %j', (platform, entries, at) => {
    expect(pickManifest(indexOf(...entries), platform)).toBe(at === undefined ? undefined : digestOf(at));
  });

  it('is not clear where there are several that differ in what a platform does not say', () => {
    const windows = (version: string) => ({ os: 'windows', architecture: 'amd64', 'os.version': version });
    expect(pickManifest(indexOf(windows('10.1'), windows('10.2')), 'windows/amd64')).toBeUndefined();
    expect(pickManifest(indexOf(windows('10.1')), 'windows/amd64')).toBe(digestOf(0));
  });

  it('is the image itself where there is no index, for whatever platform', () => {
    expect(pickManifest(documentOf({ config: {}, layers: [] }), 'linux/amd64')).toBe(digest);
  });

  it.each([
    ['no JSON', { ...documentOf({}), bytes: Buffer.from('<html>') }],
    ['a list', documentOf([])],
    ['a manifest of another kind', documentOf({ fsLayers: [] })],
    ['an entry without a digest', documentOf({ manifests: [{ platform: { os: 'linux', architecture: 'amd64' } }] })],
    [
      'no digest',
      documentOf({ manifests: [{ digest: 'x' as Digest, platform: { os: 'linux', architecture: 'amd64' } }] }),
    ],
  ])('is not to be had from %s', (_, document) => {
    expect(pickManifest(document, 'linux/amd64')).toBeUndefined();
  });
});
