import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import { createTrustGate } from '../../src/trust/gate.ts';
import type { TrustPolicy } from '../../src/trust/policy.ts';
import {
  cosignLayer,
  createRepository,
  descriptor,
  imageConfig,
  makeKeys,
  now,
  ociIndex,
  ociManifest,
  pemOf,
  policyOf,
  pushCosign,
  pushImage,
  pushReferrer,
  signBytes,
  simpleSigning,
  type Pair,
  type Repository,
} from './rig.ts';

const [alice, bob] = [makeKeys.p256(), makeKeys.p256()];

function signImage(repository: Repository, image: Digest, keys: Pair = alice): Digest {
  const payload = simpleSigning(image);
  return pushCosign(repository, image, [cosignLayer(repository, payload, signBytes(keys, payload))]);
}

function gateOf(policies: readonly TrustPolicy[] = [policyOf({ keys: [pemOf(alice)], repositories: ['team/*'] })]) {
  const repository = createRepository();
  const clock = { at: now, now: () => clock.at };
  const held = { policies };
  const gate = createTrustGate({ policies: () => held.policies, sourceOf: () => repository, clock });
  return { repository, clock, held, ask: (digest: Digest, name = 'team/app') => gate.demandTrust(digest, name) };
}

describe('the gate before a pull', () => {
  it('lets out what no policy speaks of, and asks nothing', async () => {
    const { repository, ask } = gateOf();
    expect(await ask(pushImage(repository), 'other/app')).toEqual({ isAllowed: true, verdicts: [], complaints: [] });
    expect(repository.reads).toEqual({ blobs: 0, manifests: 0 });
  });

  it('holds back an image until it is signed, and says why', async () => {
    const { repository, ask } = gateOf();
    const image = pushImage(repository);
    const refused = await ask(image);
    expect(refused.isAllowed).toBe(false);
    expect(refused.complaints).toEqual(['the trust policy signed demands a signature, and there is none that counts']);
    signImage(repository, image, bob);
    const wrong = await ask(image);
    expect(wrong.isAllowed).toBe(false);
    expect(wrong.complaints[0]).toMatch(/none that counts \(sha256:[0-9a-f]{12}: none of the keys/);
    signImage(repository, image);
    expect(await ask(image)).toMatchObject({ isAllowed: true, complaints: [], verdicts: [{ isTrusted: true }] });
  });

  it('only complains where the policy warns', async () => {
    const { repository, ask } = gateOf([policyOf({ keys: [pemOf(alice)], mode: 'warn' })]);
    const decision = await ask(pushImage(repository));
    expect(decision.isAllowed).toBe(true);
    expect(decision.complaints).toHaveLength(1);
  });

  it('demands that all policies of the repository are content', async () => {
    const both = [policyOf({ name: 'a', keys: [pemOf(alice)] }), policyOf({ name: 'b', keys: [pemOf(bob)] })];
    const { repository, ask } = gateOf(both);
    const image = pushImage(repository);
    signImage(repository, image);
    expect(await ask(image)).toMatchObject({ isAllowed: false, complaints: [expect.stringContaining('policy b')] });
  });

  it('trusts the images of a signed index, and of an index in it, but not another one', async () => {
    const { repository, ask } = gateOf();
    const [image, stray] = [pushImage(repository, 'amd64'), pushImage(repository, 'stray')];
    const entry = (digest: Digest) => ({ mediaType: ociManifest, digest, size: 7 });
    const inner = repository.putManifest({ schemaVersion: 2, mediaType: ociIndex, manifests: [entry(image)] });
    const outer = repository.putManifest({ schemaVersion: 2, mediaType: ociIndex, manifests: [entry(inner)] });
    expect(await ask(image)).toMatchObject({ isAllowed: false });
    signImage(repository, outer);
    for (const digest of [outer, inner, image]) expect(await ask(digest)).toMatchObject({ isAllowed: true });
    expect(await ask(stray)).toMatchObject({ isAllowed: false });
  });

  it('rejects when the store cannot be read', async () => {
    const broken = { ...createRepository(), listSignatures: () => Promise.reject(new Error('disk gone')) };
    const policies = [policyOf({ keys: [pemOf(alice)] })];
    const gate = createTrustGate({ policies: () => policies, sourceOf: () => broken, clock: { now: () => now } });
    await expect(gate.demandTrust(pushImage(broken), 'team/app')).rejects.toThrow('disk gone');
  });
});

describe('what the gate remembers', () => {
  it('spares it reading the same signatures again, until one is taken away', async () => {
    const { repository, ask } = gateOf();
    const image = pushImage(repository);
    signImage(repository, image);
    await ask(image);
    const before = { ...repository.reads };
    expect(await ask(image)).toMatchObject({ isAllowed: true });
    expect(repository.reads).toEqual(before);
    signImage(repository, image, bob);
    expect(await ask(image)).toMatchObject({ isAllowed: false });
  });

  it('ends with time, and with the policy', async () => {
    const { repository, ask, clock, held } = gateOf();
    const image = pushImage(repository);
    signImage(repository, image);
    await ask(image);
    repository.blobs.clear();
    expect(await ask(image)).toMatchObject({ isAllowed: true });
    clock.at += 10 * 60_000;
    expect(await ask(image)).toMatchObject({ isAllowed: false });
    held.policies = [policyOf({ keys: [pemOf(alice)], mode: 'warn' })];
    expect(await ask(image)).toMatchObject({ isAllowed: true, complaints: [expect.anything()] });
  });
});

describe('documents about an image', () => {
  const sbom = 'application/spdx+json';

  it('can be pulled unsigned: signatures, attestations, reports and lists of them', async () => {
    const { repository, ask } = gateOf();
    const image = pushImage(repository);
    const json = Buffer.from('{"spdxVersion":"SPDX-2.3"}');
    const entry = { mediaType: ociManifest, digest: image, size: 7, artifactType: sbom };
    const documents = [
      signImage(repository, image, bob),
      pushReferrer(repository, image, { type: sbom, layer: descriptor(repository, sbom, json) }),
      pushReferrer(repository, image, { type: 'text/plain', layer: descriptor(repository, 'text/plain', json) }),
      pushReferrer(repository, image, {
        type: 'application/vnd.cncf.notary.signature',
        layer: descriptor(repository, 'application/cose', Buffer.from([0xd2, 0x84, 0])),
      }),
      repository.putManifest({
        schemaVersion: 2,
        config: descriptor(repository, imageConfig, Buffer.from('{}')),
        layers: [descriptor(repository, 'application/vnd.in-toto+json', json)],
      }),
      repository.putManifest({ schemaVersion: 2, mediaType: ociIndex, manifests: [entry] }),
    ];
    for (const document of documents) expect(await ask(document)).toMatchObject({ isAllowed: true, complaints: [] });
  });

  /** A tar archive that is JSON: its second file lies in a string. */
  function jsonTar(): Buffer {
    const header = Buffer.alloc(512, 0x20);
    header.write('{"a":"', 0, 'latin1');
    header.fill(0x61, 6, 100);
    header.write('0000644 0000000 0000000 00000000000 00000000000 ', 100, 'latin1');
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(sum.toString(8).padStart(6, '0'), 148, 'latin1');
    return Buffer.concat([header, Buffer.from('"}')]);
  }

  it.each<[string, string, string, Buffer]>([
    ['a layer of an image', 'application/vnd.oci.image.layer.v1.tar+gzip', sbom, Buffer.from('{}')],
    ['a layer of an image that ends like JSON', 'application/vnd.oci.image.layer.v1.tar+json', sbom, Buffer.from('{}')],
    ['an archive', 'application/gzip', sbom, Buffer.from('{}')],
    ['gzip that calls itself a signature', 'text/plain', imageConfig, Buffer.from([0x1f, 0x8b, 8, 0])],
    ['bzip2 that calls itself text', 'text/plain', imageConfig, Buffer.from('BZh91AY')],
    ['tar that is JSON as well', 'application/spdx+json', imageConfig, jsonTar()],
    ['tar that is JSON, with a config of no type', 'application/spdx+json', '', jsonTar()],
  ])('are not what has %s', async (_name, type, config, bytes) => {
    const { repository, ask } = gateOf();
    const image = pushImage(repository);
    const digest = pushReferrer(repository, image, { type: sbom, config, layer: descriptor(repository, type, bytes) });
    expect(await ask(digest)).toMatchObject({ isAllowed: false });
  });

  it('are not what a Docker manifest has, whatever type its config has, unless it is text', async () => {
    const { repository, ask } = gateOf();
    const config = descriptor(repository, 'application/vnd.cncf.notary.signature', Buffer.from('{}'));
    const push = (bytes: Buffer) => {
      const layers = [descriptor(repository, 'application/jose+json', bytes)];
      const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
      return repository.putManifest({ schemaVersion: 2, mediaType, config, layers });
    };
    expect(await ask(push(Buffer.from([0x1f, 0x8b, 8, 0])))).toMatchObject({ isAllowed: false });
    expect(await ask(push(Buffer.from('{}')))).toMatchObject({ isAllowed: true });
  });

  it('are not what has no layers, nor an index of images', async () => {
    const { repository, ask } = gateOf();
    const entry = { mediaType: ociManifest, digest: pushImage(repository), size: 7 };
    expect(await ask(repository.putManifest({ schemaVersion: 2, config: {}, layers: [] }))).toMatchObject({
      isAllowed: false,
    });
    const index = repository.putManifest({ schemaVersion: 2, mediaType: ociIndex, manifests: [entry] });
    expect(await ask(index)).toMatchObject({ isAllowed: false });
  });
});
