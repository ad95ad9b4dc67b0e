import { describe, expect, it } from 'vitest';
import {
  cosignLayer,
  createRepository,
  makeKeys,
  pemOf,
  policyOf,
  pushCosign,
  pushImage,
  pushReferrer,
  reasonsOf,
  signBytes,
  signPss,
  simpleSigning,
  verify,
  type Pair,
} from './rig.ts';

const [alice, bob] = [makeKeys.p256(), makeKeys.p256()];
const rsa = makeKeys.rsa();

/** An image with one classic signature by `keys`. */
function signedImage(keys: Pair, change: { payload?: Buffer; signature?: (payload: Buffer) => Buffer | string } = {}) {
  const repository = createRepository();
  const image = pushImage(repository);
  const payload = change.payload ?? simpleSigning(image);
  const signature = change.signature?.(payload) ?? signBytes(keys, payload);
  pushCosign(repository, image, [cosignLayer(repository, payload, signature)]);
  return { repository, image };
}

describe('a classic cosign signature', () => {
  it('is accepted under its tag when a key of the policy made it, and the verdict says which', async () => {
    const { repository, image } = signedImage(alice);
    const verdict = await verify(repository, image, policyOf({ keys: [pemOf(bob), pemOf(alice)] }));
    expect(verdict).toMatchObject({ isTrusted: true, refusals: [], required: 1 });
    expect(verdict.signers).toMatchObject([{ format: 'cosign', name: 'ECDSA P-256' }]);
    expect(verdict.signers[0]?.id).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('is accepted as a referrer', async () => {
    const repository = createRepository();
    const image = pushImage(repository);
    const payload = simpleSigning(image);
    const layer = cosignLayer(repository, payload, signBytes(alice, payload));
    const type = 'application/vnd.dev.cosign.artifact.sig.v1+json';
    pushReferrer(repository, image, { type, layer });
    expect(await verify(repository, image, policyOf({ keys: [pemOf(alice)] }))).toMatchObject({ isTrusted: true });
  });

  const kinds: [string, () => Pair, string?][] = [
    ['ECDSA P-384 with SHA-256, as cosign signs', makeKeys.p384],
    ['ECDSA P-384 with SHA-384', makeKeys.p384, 'sha384'],
    ['ECDSA P-521 with SHA-512', makeKeys.p521, 'sha512'],
    ['RSA with PKCS #1', () => rsa],
    ['RSA with PKCS #1 and SHA-512', () => rsa, 'sha512'],
    ['Ed25519', makeKeys.ed25519],
  ];
  it.each(kinds)('is accepted with %s', async (_name, make, hash) => {
    const keys = make();
    const { repository, image } = signedImage(keys, { signature: (payload) => signBytes(keys, payload, hash) });
    expect(await verify(repository, image, policyOf({ keys: [pemOf(keys)] }))).toMatchObject({ isTrusted: true });
  });

  it('is accepted with RSA-PSS', async () => {
    const { repository, image } = signedImage(rsa, { signature: (payload) => signPss(rsa, payload) });
    expect(await verify(repository, image, policyOf({ keys: [pemOf(rsa)] }))).toMatchObject({ isTrusted: true });
  });

  it('is accepted with the capitals that cosign wrote before 1.0', async () => {
    const { repository, image } = signedImage(alice);
    const type = 'cosign container image signature';
    const old = { Critical: { Identity: {}, Image: { 'Docker-manifest-digest': image }, Type: type } };
    const payload = Buffer.from(JSON.stringify(old));
    pushCosign(repository, image, [cosignLayer(repository, payload, signBytes(alice, payload))]);
    expect(await verify(repository, image, policyOf({ keys: [pemOf(alice)] }))).toMatchObject({ isTrusted: true });
  });

  it.each<[string, Parameters<typeof signedImage>[1], string]>([
    ['by another key', { signature: (payload) => signBytes(bob, payload) }, 'none of the keys'],
    ['over another payload', { signature: () => signBytes(alice, Buffer.from('{}')) }, 'none of the keys'],
    ['with SHA-1', { signature: (payload) => signBytes(alice, payload, 'sha1') }, 'none of the keys'],
    ['that is empty', { signature: () => '' }, 'no signature'],
    ['that is no base64', { signature: () => '§§§' }, 'no signature'],
    ['of another image', { payload: simpleSigning(`sha256:${'0'.repeat(64)}`) }, 'another image'],
    ['of another type', { payload: simpleSigning('x', 'atomic container signature') }, 'no container image'],
    ['over what is no JSON', { payload: Buffer.from('hello') }, 'no JSON object'],
    ['over a list', { payload: Buffer.from('[]') }, 'no JSON object'],
    [
      'over JSON with wrong types',
      { payload: Buffer.from('{"critical":{"image":7,"type":[]}}') },
      'no container image',
    ],
  ])('%s is refused with the reason', async (_name, change, reason) => {
    const { repository, image } = signedImage(alice, change);
    const verdict = await verify(repository, image, policyOf({ keys: [pemOf(alice)] }));
    expect(verdict.isTrusted).toBe(false);
    expect(reasonsOf(verdict)).toContain(reason);
  });

  it('is refused when the stored bytes are not those of the digest', async () => {
    const { repository, image } = signedImage(alice);
    for (const [digest, bytes] of repository.blobs)
      repository.blobs.set(digest, Buffer.concat([bytes, Buffer.from(' ')]));
    const verdict = await verify(repository, image, policyOf({ keys: [pemOf(alice)] }));
    expect(reasonsOf(verdict)).toContain('not those of its digest');
  });

  it('is refused when its payload is missing or too large', async () => {
    const { repository, image } = signedImage(alice);
    repository.blobs.clear();
    expect(reasonsOf(await verify(repository, image, policyOf({ keys: [pemOf(alice)] })))).toContain('not stored');
    const large = Buffer.concat([simpleSigning(image), Buffer.alloc(300_000, 0x20)]);
    pushCosign(repository, image, [cosignLayer(repository, large, signBytes(alice, large))]);
    expect(reasonsOf(await verify(repository, image, policyOf({ keys: [pemOf(alice)] })))).toContain('too large');
  });
});

describe('several signatures', () => {
  it('count once for each key, however often it signed', async () => {
    const repository = createRepository();
    const image = pushImage(repository);
    const payload = simpleSigning(image);
    const twice = [alice, alice].map((keys) => cosignLayer(repository, payload, signBytes(keys, payload)));
    pushCosign(repository, image, twice);
    const policy = policyOf({ keys: [pemOf(alice), pemOf(bob)], minSignatures: 2 });
    expect(await verify(repository, image, policy)).toMatchObject({ isTrusted: false, signers: [{}] });
    pushCosign(repository, image, [...twice, cosignLayer(repository, payload, signBytes(bob, payload))]);
    const verdict = await verify(repository, image, policy);
    expect(verdict.isTrusted).toBe(true);
    expect(verdict.signers).toHaveLength(2);
  });

  it('a bad one does not shield a good one', async () => {
    const repository = createRepository();
    const image = pushImage(repository);
    const payload = simpleSigning(image);
    const bad = [cosignLayer(repository, Buffer.from('{'), 'AAAA'), { mediaType: 7 }];
    pushCosign(repository, image, [...bad, cosignLayer(repository, payload, signBytes(alice, payload))]);
    const verdict = await verify(repository, image, policyOf({ keys: [pemOf(alice)] }));
    expect(verdict).toMatchObject({ isTrusted: true, refusals: [{ layer: 0 }, { layer: 1 }] });
  });

  it('are looked at only up to a bound', async () => {
    const repository = createRepository();
    const image = pushImage(repository);
    const type = 'application/vnd.dev.cosign.artifact.sig.v1+json';
    for (let each = 0; each < 80; each += 1) {
      const payload = Buffer.from(`{"each":${String(each)}}`);
      pushReferrer(repository, image, { type, layer: cosignLayer(repository, payload, 'AAAA') });
    }
    const verdict = await verify(repository, image, policyOf({ keys: [pemOf(alice)] }));
    expect(verdict.refusals).toHaveLength(65);
    expect(repository.reads.manifests).toBe(64);
  });

  it('cost no more than a bounded number of checks against keys', async () => {
    const repository = createRepository();
    const image = pushImage(repository);
    const layers = Array.from({ length: 64 }, () =>
      cosignLayer(repository, Buffer.from('{}'), signBytes(bob, Buffer.from('x'))),
    );
    pushCosign(repository, image, layers);
    const keys = Array.from({ length: 20 }, () => pemOf(makeKeys.p256()));
    const verdict = await verify(repository, image, policyOf({ keys }));
    expect(reasonsOf(verdict)).toContain('too many signatures');
  });
});

describe('an image without signatures', () => {
  it('is not trusted', async () => {
    const repository = createRepository();
    const verdict = await verify(repository, pushImage(repository), policyOf({ keys: [pemOf(alice)] }));
    expect(verdict).toMatchObject({ isTrusted: false, signers: [], refusals: [] });
  });

  it('says so when all there is is for certificates', async () => {
    const { repository, image } = signedImage(alice);
    const policy = { ...policyOf({ keys: [pemOf(alice)] }), keys: [] };
    expect(reasonsOf(await verify(repository, image, policy))).toContain('names no keys');
  });

  it('rejects when the store cannot be read: nobody then knows', async () => {
    const { repository, image } = signedImage(alice);
    const broken = { ...repository, readBlob: () => Promise.reject(new Error('disk gone')) };
    await expect(verify(broken, image, policyOf({ keys: [pemOf(alice)] }))).rejects.toThrow('disk gone');
  });
});
