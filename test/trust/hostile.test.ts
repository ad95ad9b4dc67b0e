import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import { readCertificate } from '../../src/trust/certificate.ts';
import { readDer } from '../../src/trust/der.ts';
import { holdsOnlyDocuments } from '../../src/trust/documents.ts';
import { makeCertificate, toPem } from './certificates.ts';
import {
  createRepository,
  descriptor,
  digestOf,
  makeKeys,
  pemOf,
  policyOf,
  pushImage,
  pushReferrer,
  reasonsOf,
  verify,
} from './rig.ts';

const keys = makeKeys.p256();
const certificate = makeCertificate({ name: 'signer', keys });
const policy = policyOf({ keys: [pemOf(keys)], certificates: [toPem(certificate)] });
const types = [
  'application/jose+json',
  'application/vnd.dev.cosign.simplesigning.v1+json',
  'application/vnd.dev.sigstore.bundle.v0.3+json',
  'application/cose',
  'text/plain',
];

/** JSON with the names that the parsers look for, and anything under them. */
const names = fc.constantFrom(
  ...[
    'payload',
    'protected',
    'header',
    'signature',
    'x5c',
    'mediaType',
    'dsseEnvelope',
    'messageSignature',
    'payloadType',
  ],
  ...[
    'signatures',
    'sig',
    'messageDigest',
    'critical',
    'image',
    'type',
    'docker-manifest-digest',
    '__proto__',
    'toString',
  ],
);
const base64 = fc.oneof(
  fc.base64String(),
  fc.json().map((text) => Buffer.from(text).toString('base64url')),
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.jsonValue(),
    base64,
    fc.constantFrom(...types),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(names, tie('tree'), { maxKeys: 6 }),
  ),
}));

async function judge(bytes: Uint8Array, type: string, annotation: unknown = 'AAAA') {
  const repository = createRepository();
  const image = pushImage(repository);
  const layer = descriptor(repository, type, bytes, { 'dev.cosignproject.cosign/signature': annotation });
  pushReferrer(repository, image, { type: 'application/vnd.cncf.notary.signature', layer });
  return verify(repository, image, policy);
}

describe('whatever is pushed as a signature', () => {
  it('of whatever bytes, is one refused candidate', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      tree.map((value) => Buffer.from(JSON.stringify(value))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.constantFrom(...types), fc.jsonValue(), async (contents, type, annotation) => {
        const verdict = await judge(contents, type, annotation);
        expect(verdict).toMatchObject({ isTrusted: false, signers: [], refusals: [{ layer: 0 }] });
      }),
      { numRuns: 400 },
    );
  });

  it('with whatever manifest, is refused', async () => {
    const manifest = fc.record(
      { layers: tree, config: tree, artifactType: tree, annotations: tree, mediaType: tree },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(manifest, async (document) => {
        const repository = createRepository();
        const image = pushImage(repository);
        repository.tagSignature(image, repository.putManifest({ ...document, subject: { digest: image } }));
        const verdict = await verify(repository, image, policy);
        expect(verdict.isTrusted).toBe(false);
        expect(verdict.refusals.length).toBeGreaterThan(0);
      }),
      { numRuns: 200 },
    );
  });

  it('nested without end, is refused before it is parsed', async () => {
    const deep = Buffer.from('['.repeat(50_000));
    for (const type of types.slice(0, 3)) expect((await judge(deep, type)).refusals).toHaveLength(1);
    expect(reasonsOf(await judge(deep, 'application/jose+json'))).toContain('no JSON object');
  });

  it('cannot write into a log what looks like another line', async () => {
    const payload = Buffer.from(JSON.stringify({ 'evil\n\u001b[31mOK: trusted\u202e': 1 }));
    const reasons = reasonsOf(await judge(payload, 'application/jose+json'));
    expect(reasons).toContain('evil [31mOK: trusted');
    expect(reasons).not.toMatch(/[\n\u001b\u202e]/);
  });

  it('is answered for manifests that are no JSON at all', async () => {
    const repository = createRepository();
    const image = pushImage(repository);
    const bytes = Buffer.from([0xff, 0xfe]);
    const source = { ...repository, listSignatures: async () => [digestOf(bytes)], readManifest: async () => bytes };
    expect(reasonsOf(await verify(source, image, policy))).toBe('the manifest is no JSON object');
    expect(await holdsOnlyDocuments(image, source)).toBe(false);
  });

  it('is answered for a digest that lists itself', async () => {
    const repository = createRepository();
    const image = pushImage(repository);
    const source = { ...repository, listSignatures: async (digest: Digest) => [digest, digest] };
    expect((await verify(source, image, policy)).refusals).toHaveLength(1);
  });
});

describe('certificates with flipped bits', () => {
  it('are read or refused, and DER of any bytes is too', () => {
    fc.assert(
      fc.property(fc.nat({ max: certificate.length - 1 }), fc.nat({ max: 255 }), (at, value) => {
        const bytes = Buffer.from(certificate);
        bytes[at] = value;
        expect(['string', 'object']).toContain(typeof readCertificate(bytes));
      }),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void readDer(Buffer.from(bytes))));
  });
});
