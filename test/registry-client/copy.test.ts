import { describe, expect, it } from 'vitest';
import { copyImage } from '../../src/registry-client/copy/copy.ts';
import type { CopyProgress } from '../../src/registry-client/copy/ports.ts';
import { mediaTypes, sha256Of } from '../../src/registry-client/documents.ts';
import { createMemoryEnd, layerType } from './copy-rig.ts';

function twoEnds() {
  return { from: createMemoryEnd('a.test/app'), to: createMemoryEnd('b.test/app') };
}

const reason = (name: string) => ({ failure: { reason: name } });

describe('an image that is copied', () => {
  it('comes with its blobs first, its children next, and the tag last', async () => {
    const { from, to } = twoEnds();
    const amd = from.addImage({ platform: 'linux/amd64', layers: ['base', 'a'] });
    const arm = from.addImage({ platform: 'linux/arm64', layers: ['base', 'b'] });
    const index = from.addIndex([amd, arm], 'v1');
    const result = await copyImage(from, to, { reference: 'v1', tag: 'copied' });
    expect(result).toMatchObject({ digest: index.digest, sourceDigest: index.digest, mediaType: mediaTypes.index });
    expect(result).toMatchObject({ blobs: 5, skippedBlobs: 0, knownBlobs: 5, manifests: 3, referrers: 0 });
    expect(result.bytes).toBe([...from.blobs.values()].reduce((sum, { length }) => sum + length, 0));
    expect(to.tags).toEqual(new Map([['copied', index.digest]]));
    expect(to.manifests).toEqual(from.manifests);
    expect(to.blobs).toEqual(from.blobs);
    expect(to.log.at(-1)).toBe('tag copied');
    expect(from.log.filter((line) => line.startsWith('open'))).toHaveLength(5);
  });

  it('is skipped as far as it is there, so that a copy can be gone on with', async () => {
    const { from, to } = twoEnds();
    const image = from.addImage({ layers: ['a', 'b', 'c'], tag: 'v1' });
    const { writeBlob } = to;
    let left = 2;
    to.writeBlob = async (blob) => {
      if ((left -= 1) < 0) throw new Error('the line is dead');
      await writeBlob(blob);
    };
    await expect(copyImage(from, to, { reference: 'v1', tag: 'v1' })).rejects.toThrow('the line is dead');
    expect([to.tags.size, to.manifests.size]).toEqual([0, 0]);
    left = Infinity;
    const there = to.blobs.size;
    const result = await copyImage(from, to, { reference: image.digest, tag: 'v1' });
    expect(result).toMatchObject({ blobs: 4 - there, skippedBlobs: there, manifests: 1 });
    expect(await copyImage(from, to, { reference: image.digest })).toMatchObject({ skippedBlobs: 4, manifests: 0 });
  });

  it('is sent four blobs at a time, and says how far it has come', async () => {
    const { from, to } = twoEnds();
    from.addImage({ layers: Array.from({ length: 20 }, (_, at) => `layer ${String(at)}`), tag: 'v1' });
    const seen: CopyProgress[] = [];
    const result = await copyImage(from, to, { reference: 'v1', onProgress: (progress) => void seen.push(progress) });
    expect(to.most.atOnce).toBe(4);
    expect(seen.at(-1)).toEqual(
      Object.fromEntries(Object.keys(seen[0] ?? {}).map((name) => [name, (result as never)[name]])),
    );
    const bytes = seen.map((one) => one.bytes);
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
    expect(seen.at(-1)).toMatchObject({ blobs: 21, knownBlobs: 21, bytes: result.knownBytes });
  });

  it('leaves out foreign layers, and copies nested indexes and artifacts of other kinds', async () => {
    const { from, to } = twoEnds();
    const foreign = {
      mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      digest: sha256Of(Buffer.from('windows')),
      size: 7,
      urls: ['https://mcr.test/x'],
    };
    const config = { mediaType: 'a/b', ...from.addBlob('{}') };
    const image = from.addManifest({ schemaVersion: 2, mediaType: mediaTypes.dockerImage, config, layers: [foreign] });
    const chart = from.addManifest({
      schemaVersion: 2,
      config,
      layers: [{ mediaType: 'x/y', ...from.addBlob('chart') }],
    });
    from.addIndex([from.addIndex([image]), chart, from.addIndex([])], 'v1');
    await copyImage(from, to, { reference: 'v1', tag: 'v1' });
    expect(to.manifests).toEqual(from.manifests);
    expect(to.blobs.has(foreign.digest)).toBe(false);
  });

  it('comes with its signatures and SBOMs before the tag moves, and with what is about those', async () => {
    const { from, to } = twoEnds();
    const amd = from.addImage({});
    const index = from.addIndex([amd], 'v1');
    const sbom = from.addImage({ layers: ['sbom'], more: { subject: amd, artifactType: 'a/sbom' } });
    const signature = from.addImage({ layers: ['sig'], more: { subject: sbom } });
    const tagged = from.addImage({ layers: ['cosign'], tag: `${index.digest.replace(':', '-')}.sig` });
    const alone = await copyImage(from, to, { reference: 'v1' });
    expect(alone.referrers).toBe(0);
    expect(to.manifests.size).toBe(2);
    const result = await copyImage(from, to, { reference: 'v1', tag: 'v1', referrers: true });
    expect(result.referrers).toBe(3);
    for (const { digest } of [sbom, signature, tagged]) expect(to.manifests.has(digest)).toBe(true);
    expect(to.tags).toEqual(from.tags);
    expect(to.log.at(-1)).toBe('tag v1');
  });
});

describe('the platforms of an image', () => {
  it('can be chosen: the index is one without the others, and keeps what is about those chosen', async () => {
    const { from, to } = twoEnds();
    const [amd, arm] = [from.addImage({}), from.addImage({ platform: 'linux/arm64/v8', layers: ['arm'] })];
    const about = from.addImage({ platform: 'unknown/unknown', layers: ['attestation'] });
    const mark = (digest: string) => ({ annotations: { 'vnd.docker.reference.digest': digest } });
    const index = from.addIndex([amd, arm, { ...about, ...mark(arm.digest) }], 'v1', { annotations: { a: 'b' } });
    const result = await copyImage(from, to, { reference: 'v1', tag: 'v1', platforms: ['linux/arm64'] });
    expect(result.sourceDigest).toBe(index.digest);
    expect(result.digest).not.toBe(index.digest);
    const kept = JSON.parse(to.manifests.get(result.digest)?.bytes.toString() ?? '') as { manifests: object[] };
    expect(kept).toMatchObject({ schemaVersion: 2, annotations: { a: 'b' } });
    expect(kept.manifests).toMatchObject([{ digest: arm.digest }, { digest: about.digest }]);
    expect(to.manifests.has(amd.digest)).toBe(false);
    const all = await copyImage(from, to, { reference: 'v1', platforms: ['linux/amd64', 'linux/arm64/v8'] });
    expect(all.digest).toBe(index.digest);
  });

  it('are refused when there is none of them, with those that there are', async () => {
    const { from, to } = twoEnds();
    from.addIndex([from.addImage({ platform: 'linux/arm64/v8' })], 'v1');
    from.addImage({ platform: 'linux/amd64', tag: 'one' });
    const copy = (reference: string, platform: string) => copyImage(from, to, { reference, platforms: [platform] });
    await expect(copy('v1', 'linux/s390x')).rejects.toMatchObject({
      failure: { reason: 'not-found', hint: 'it has linux/arm64/v8', field: 'platforms' },
    });
    await expect(copy('v1', 'linux/arm64/v7')).rejects.toMatchObject(reason('not-found'));
    await expect(copy('one', 'linux/arm64')).rejects.toMatchObject({ failure: { hint: 'it has linux/amd64' } });
    expect(await copy('one', 'linux/amd64')).toMatchObject({ manifests: 1 });
  });
});

describe('a copy that cannot be', () => {
  it('is refused for what is not there', async () => {
    const { from, to } = twoEnds();
    await expect(copyImage(from, to, { reference: 'v1' })).rejects.toThrow('there is no a.test/app:v1');
    const gone = { mediaType: mediaTypes.image, digest: sha256Of(Buffer.from('gone')), size: 4 };
    from.addIndex([gone], 'v1');
    await expect(copyImage(from, to, { reference: 'v1' })).rejects.toMatchObject(reason('not-found'));
    expect(to.manifests.size).toBe(0);
  });

  it('is refused for bytes that are not those of their digest, and tells so whatever else was under way', async () => {
    const { from, to } = twoEnds();
    from.addImage({ layers: ['one', 'two', 'three'], tag: 'v1' });
    const bad = sha256Of(Buffer.from('two'));
    for (const content of ['TWO', 'two and more', 'tw']) {
      from.blobs.set(bad, Buffer.from(content));
      await expect(copyImage(from, to, { reference: 'v1', tag: 'v1' })).rejects.toThrow(
        `other bytes for the blob ${bad}`,
      );
    }
    expect([to.blobs.has(bad), to.tags.size]).toEqual([false, 0]);
    const { digest, mediaType } = from.addImage({ tag: 'v2' });
    from.manifests.set(digest, { digest, mediaType, bytes: Buffer.from('{}') });
    await expect(copyImage(from, to, { reference: 'v2' })).rejects.toThrow('another manifest');
  });

  it.each([
    [{ schemaVersion: 1, fsLayers: [] }, 'application/vnd.docker.distribution.manifest.v1+json', 'unsupported'],
    [{ schemaVersion: 2 }, 'text/plain', 'unsupported'],
    [{ layers: 'none' }, mediaTypes.image, 'invalid-request'],
    [{ layers: [], manifests: [] }, mediaTypes.image, 'invalid-request'],
    [{ layers: [], manifests: [] }, mediaTypes.dockerList, 'invalid-request'],
    [{ layers: [{ digest: 'sha256:x', size: 1, mediaType: layerType }] }, mediaTypes.image, 'invalid-request'],
    [
      { manifests: [{ digest: sha256Of(Buffer.from('')), size: -1, mediaType: layerType }] },
      mediaTypes.index,
      'invalid-request',
    ],
  ])('is refused for a manifest like %j', async (fields, mediaType, why) => {
    const { from, to } = twoEnds();
    const bytes = Buffer.from(JSON.stringify(fields));
    const digest = sha256Of(bytes);
    from.manifests.set(digest, { digest, mediaType, bytes });
    await expect(copyImage(from, to, { reference: digest })).rejects.toMatchObject(reason(why));
  });

  it('is refused beyond its limits', async () => {
    const { from, to } = twoEnds();
    let index = from.addIndex([from.addImage({ layers: ['12345'] })]);
    const copy = (limits: object, reference: string = index.digest) => copyImage(from, to, { reference, limits });
    await expect(copy({ manifestBytes: 100 })).rejects.toMatchObject(reason('too-large'));
    await expect(copy({ bytes: 10 })).rejects.toMatchObject(reason('too-large'));
    await expect(copy({ manifests: 1 })).rejects.toMatchObject(reason('too-large'));
    for (let depth = 0; depth < 2; depth += 1) index = from.addIndex([index]);
    expect(await copy({})).toMatchObject({ manifests: 4 });
    const many = Array.from({ length: 1000 }, (_, at) => from.addImage({ layers: [String(at)] }));
    await expect(copy({}, from.addIndex(many).digest)).rejects.toThrow('more than the 1000 manifests');
    await expect(copy({}, from.addIndex([index]).digest)).rejects.toThrow('more than 4 deep');
  });

  it('ends with its signal, and no tag has moved', async () => {
    const { from, to } = twoEnds();
    from.addImage({ layers: ['a', 'b', 'c', 'd', 'e', 'f'], tag: 'v1' });
    const abort = new AbortController();
    const onProgress = ({ blobs }: CopyProgress): void => {
      if (blobs === 2) abort.abort(new Error('enough'));
    };
    const options = { reference: 'v1', tag: 'v1', signal: abort.signal, onProgress };
    await expect(copyImage(from, to, options)).rejects.toThrow('enough');
    expect(to.tags.size).toBe(0);
    expect(to.blobs.size).toBeLessThan(7);
  });
});
