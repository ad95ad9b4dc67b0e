import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ImageAtDigest } from '../../src/domain/base-image.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { TagKeeper } from '../../src/patch/ports.ts';
import { createTagKeeper } from '../../src/patch/tags.ts';
import { startRegistry, type RunningRegistry } from '../registry/rig.ts';

const foreignDigest = `sha256:${'f'.repeat(64)}` as Digest;

describe('the keeper of tags', () => {
  let running: RunningRegistry;
  let tags: TagKeeper;
  const at = (digest: string, tag = 'v1'): ImageAtDigest => ({
    registry: 'registry.test',
    repository: 'team/app',
    tag,
    digest: digest as Digest,
  });
  const name = { registry: 'registry.test', repository: 'team/app' };

  beforeEach(async () => {
    running = await startRegistry();
    tags = createTagKeeper({
      registryHost: 'Registry.Test',
      url: running.url,
      credential: () => ({ userName: 'admin', password: 'secret' }),
      askForeign: () => Promise.resolve(foreignDigest),
    });
  });
  afterEach(() => running.stop());

  it('says what a tag of our registry stands for, and undefined where there is none', async () => {
    const { digest } = await running.pushImage('team/app', 'v1');
    expect(await tags.digestOf({ ...name, tag: 'v1' })).toBe(digest);
    expect(await tags.digestOf({ ...name, tag: 'v2' })).toBeUndefined();
    expect(await tags.digestOf({ ...name, repository: 'nobody/here', tag: 'v1' })).toBeUndefined();
  });

  it('takes a pinned image at its word, and leaves other registries to whoever asks them', async () => {
    expect(await tags.digestOf({ ...name, digest: foreignDigest })).toBe(foreignDigest);
    expect(await tags.digestOf({ registry: 'docker.io', repository: 'library/node', tag: '20' })).toBe(foreignDigest);
  });

  it('points a tag back to the manifest that it had before, as that was', async () => {
    const old = await running.pushImage('team/app', 'v1');
    const next = await running.pushImage('team/app', 'v1', { annotations: { a: 'b' } });
    expect(await tags.pointBack({ image: at(old.digest), from: next.digest as Digest })).toBe(true);
    const now = await running.send('GET', '/v2/team/app/manifests/v1');
    expect(now.headers.get('docker-content-digest')).toBe(old.digest);
    expect(await now.text()).toBe(old.bytes);
  });

  it('leaves a tag that stands for something else meanwhile, that is gone, or is not ours', async () => {
    const old = await running.pushImage('team/app', 'v1');
    const next = await running.pushImage('team/app', 'v1', { annotations: { a: 'b' } });
    expect(await tags.pointBack({ image: at(old.digest), from: foreignDigest })).toBe(false);
    expect(await tags.pointBack({ image: at(old.digest, 'v9'), from: next.digest as Digest })).toBe(false);
    expect(await tags.pointBack({ image: at(foreignDigest), from: next.digest as Digest })).toBe(false);
    const elsewhere = { ...at(old.digest), registry: 'docker.io' };
    expect(await tags.pointBack({ image: elsewhere, from: next.digest as Digest })).toBe(false);
    expect(await tags.digestOf({ ...name, tag: 'v1' })).toBe(next.digest);
  });

  it('rejects when the registry is away, so that nobody takes that for an image that is gone', async () => {
    await running.stop();
    await expect(tags.digestOf({ ...name, tag: 'v1' })).rejects.toMatchObject({
      failure: { reason: 'storage-unavailable' },
    });
    running = await startRegistry();
  });
});
