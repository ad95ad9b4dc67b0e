import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import {
  createRepository,
  descriptor,
  makeKeys,
  pemOf,
  policyOf,
  pushImage,
  pushReferrer,
  reasonsOf,
  signBytes,
  verify,
  type Repository,
} from './rig.ts';

const type = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const [alice, bob] = [makeKeys.p256(), makeKeys.p256()];
const policy = policyOf({ keys: [pemOf(alice)] });

function statementOf(image: Digest, change: object = {}): object {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: image.slice(7) }, annotations: {} }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
    ...change,
  };
}

function envelopeOf(statement: object, keys = alice, payloadType = 'application/vnd.in-toto+json'): object {
  const payload = Buffer.from(JSON.stringify(statement));
  const signed = Buffer.concat([
    Buffer.from(`DSSEv1 ${String(payloadType.length)} ${payloadType} ${String(payload.length)} `),
    payload,
  ]);
  const sig = signBytes(keys, signed).toString('base64');
  return { payload: payload.toString('base64'), payloadType, signatures: [{ sig }] };
}

function pushBundle(repository: Repository, image: Digest, bundle: object): void {
  const whole = { mediaType: type, verificationMaterial: { publicKey: { hint: 'aGludA==' } }, ...bundle };
  pushReferrer(repository, image, { type, layer: descriptor(repository, type, Buffer.from(JSON.stringify(whole))) });
}

function repositoryWith(make: (image: Digest) => object) {
  const repository = createRepository();
  const image = pushImage(repository);
  pushBundle(repository, image, make(image));
  return { repository, image };
}

describe('a Sigstore bundle', () => {
  it('is accepted when its envelope holds the claim that the image is signed', async () => {
    const { repository, image } = repositoryWith((digest) => ({ dsseEnvelope: envelopeOf(statementOf(digest)) }));
    const verdict = await verify(repository, image, policy);
    expect(verdict).toMatchObject({ isTrusted: true, signers: [{ format: 'sigstore-bundle', name: 'ECDSA P-256' }] });
  });

  it('is accepted in the versions before 0.3', async () => {
    const old = 'application/vnd.dev.sigstore.bundle+json;version=0.2';
    const { repository, image } = repositoryWith((digest) => ({
      mediaType: old,
      dsseEnvelope: envelopeOf(statementOf(digest)),
    }));
    expect(await verify(repository, image, policy)).toMatchObject({ isTrusted: true });
  });

  it('is accepted with a message signature over the manifest of the image', async () => {
    const repository = createRepository();
    const image = pushImage(repository);
    const manifest = (await repository.readManifest(image, 1e6))!;
    const digest = createHash('sha256').update(manifest).digest('base64');
    const signature = signBytes(alice, manifest).toString('base64');
    pushBundle(repository, image, {
      messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest }, signature },
    });
    expect(await verify(repository, image, policy)).toMatchObject({ isTrusted: true });
  });

  it('is refused with a message signature over anything else', async () => {
    const signature = signBytes(alice, Buffer.from('other')).toString('base64');
    const { repository, image } = repositoryWith(() => ({ messageSignature: { signature } }));
    expect(reasonsOf(await verify(repository, image, policy))).toContain('none of the keys of the policy signed');
  });

  it('is no signature when it attests something else of the image, though by a trusted key', async () => {
    const predicateType = 'https://cosign.sigstore.dev/attestation/vuln/v1';
    const { repository, image } = repositoryWith((digest) => ({
      dsseEnvelope: envelopeOf(statementOf(digest, { predicateType })),
    }));
    const verdict = await verify(repository, image, policy);
    expect(verdict.isTrusted).toBe(false);
    expect(reasonsOf(verdict)).toContain(`attests ${predicateType}`);
  });

  it.each<[string, (image: Digest) => object, string]>([
    ['by another key', (image) => ({ dsseEnvelope: envelopeOf(statementOf(image), bob) }), 'none of the keys'],
    [
      'about another image',
      () => ({ dsseEnvelope: envelopeOf(statementOf(`sha256:${'1'.repeat(64)}` as Digest)) }),
      'another image',
    ],
    [
      'with another payload type',
      (image) => ({ dsseEnvelope: envelopeOf(statementOf(image), alice, 'text/plain') }),
      'no in-toto statement',
    ],
    [
      'whose statement is of another type',
      (image) => ({ dsseEnvelope: envelopeOf(statementOf(image, { _type: 'x' })) }),
      'no in-toto statement',
    ],
    [
      'without subjects',
      (image) => ({ dsseEnvelope: envelopeOf(statementOf(image, { subject: 'all' })) }),
      'another image',
    ],
    [
      'with two signatures',
      (image) => ({ dsseEnvelope: { ...envelopeOf(statementOf(image)), signatures: [{}, {}] } }),
      'one signature',
    ],
    [
      'whose payload was exchanged',
      (image) => ({ dsseEnvelope: { ...envelopeOf(statementOf(image)), payload: 'e30=' } }),
      'none of the keys',
    ],
    ['with neither', () => ({}), 'either an envelope'],
    ['with both', () => ({ dsseEnvelope: {}, messageSignature: {} }), 'either an envelope'],
    ['that names another format', () => ({ mediaType: 'text/plain' }), 'no Sigstore bundle'],
  ])('%s is refused with the reason', async (_name, make, reason) => {
    const { repository, image } = repositoryWith(make);
    const verdict = await verify(repository, image, policy);
    expect(verdict.isTrusted).toBe(false);
    expect(reasonsOf(verdict)).toContain(reason);
  });
});
