import { sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeCertificate, toPem, type CertificateWish } from './certificates.ts';
import {
  createRepository,
  descriptor,
  makeKeys,
  now,
  pemOf,
  policyOf,
  pushImage,
  pushReferrer,
  reasonsOf,
  signPss,
  verify,
  type Pair,
} from './rig.ts';

const type = 'application/vnd.cncf.notary.signature';
const keys = { root: makeKeys.p256(), middle: makeKeys.p384(), leaf: makeKeys.p256(), other: makeKeys.p256() };
const root = { name: 'Example Root', keys: keys.root };
const middle = { name: 'Example Signing CA', keys: keys.middle };
const rootCertificate = makeCertificate({ ...root, ca: true });
const middleCertificate = makeCertificate({ ...middle, issuer: root, ca: true, pathLength: 0 });
const leafWish: CertificateWish = { name: 'build.example', keys: keys.leaf, issuer: middle };
const leafCertificate = makeCertificate(leafWish);
const goodChain = [leafCertificate, middleCertificate, rootCertificate];
const scheme = 'io.cncf.notary.signingScheme';

const headers = {
  alg: 'ES256',
  cty: 'application/vnd.cncf.notary.payload.v1+json',
  crit: [scheme],
  [scheme]: 'notary.x509',
  'io.cncf.notary.signingTime': '2026-05-01T10:00:00Z',
};

interface Wish {
  readonly head?: object;
  readonly payload?: object | Buffer;
  readonly chain?: readonly Buffer[];
  readonly signWith?: (data: Buffer) => Buffer;
  readonly change?: (envelope: Record<string, unknown>) => object;
}

const signEs256 = (pair: Pair) => (data: Buffer) =>
  sign('sha256', data, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' });

function envelopeOf(image: string, wish: Wish = {}): Buffer {
  const target = {
    targetArtifact: { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: image, size: 7 },
  };
  const head = Buffer.from(JSON.stringify({ ...headers, ...wish.head })).toString('base64url');
  const payload = wish.payload ?? target;
  const body = (Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload))).toString('base64url');
  const signature = (wish.signWith ?? signEs256(keys.leaf))(Buffer.from(`${head}.${body}`)).toString('base64url');
  const x5c = (wish.chain ?? goodChain).map((der) => der.toString('base64'));
  const envelope = { payload: body, protected: head, header: { x5c }, signature };
  return Buffer.from(JSON.stringify(wish.change?.(envelope) ?? envelope));
}

function repositoryWith(wish: Wish = {}, mediaType = 'application/jose+json') {
  const repository = createRepository();
  const image = pushImage(repository);
  const layer = descriptor(repository, mediaType, envelopeOf(image, wish));
  pushReferrer(repository, image, { type, config: type, layer });
  return { repository, image };
}

const trustRoot = policyOf({ certificates: [toPem(rootCertificate)] });

function ask(wish: Wish = {}, policy = trustRoot, at = now) {
  const { repository, image } = repositoryWith(wish);
  return verify(repository, image, policy, at);
}

describe('a Notation signature', () => {
  it('is accepted when its certificates lead to one of the policy, and the verdict says whose and until when', async () => {
    const verdict = await ask();
    expect(verdict).toMatchObject({
      isTrusted: true,
      refusals: [],
      validUntil: Date.parse('2027-01-01T00:00:00Z'),
      signers: [{ format: 'notation', name: 'CN=build.example', signedAt: Date.parse('2026-05-01T10:00:00Z') }],
    });
  });

  it.each<[string, Buffer]>([
    ['the intermediate authority', middleCertificate],
    ['the signer itself', leafCertificate],
  ])('is accepted when the policy names %s', async (_name, anchor) => {
    expect(await ask({}, policyOf({ certificates: [toPem(anchor)] }))).toMatchObject({ isTrusted: true });
  });

  it('is accepted when the chain leaves out the authority that the policy names', async () => {
    expect(await ask({ chain: goodChain.slice(0, 2) })).toMatchObject({ isTrusted: true });
  });

  it('is accepted with a certificate that signed itself and that the policy names', async () => {
    const own = makeCertificate({ name: 'self.example', keys: keys.leaf });
    expect(await ask({ chain: [own] }, policyOf({ certificates: [toPem(own)] }))).toMatchObject({ isTrusted: true });
  });

  it('is accepted with RSA, whose key says which algorithm it must be', async () => {
    const rsa = makeKeys.rsa(2048);
    const chain = [
      makeCertificate({ name: 'rsa.example', keys: rsa, issuer: middle }),
      middleCertificate,
      rootCertificate,
    ];
    const signWith = (data: Buffer) => signPss(rsa, data);
    expect(await ask({ chain, signWith, head: { alg: 'PS256' } })).toMatchObject({ isTrusted: true });
    const signWider = (data: Buffer) => signPss(rsa, data, 'sha384');
    const wider = await ask({ chain, signWith: signWider, head: { alg: 'PS384' } });
    expect(reasonsOf(wider)).toContain('with PS256');
  });

  it("by a signing authority is accepted, its time taken as the signer's word", async () => {
    const time = 'io.cncf.notary.authenticSigningTime';
    const head = {
      crit: [scheme, time],
      [scheme]: 'notary.x509.signingAuthority',
      [time]: '2026-05-01T10:00:00+02:00',
    };
    expect(await ask({ head })).toMatchObject({
      isTrusted: true,
      signers: [{ signedAt: Date.parse('2026-05-01T08:00:00Z') }],
    });
  });

  it('is good until it expires', async () => {
    const expiry = 'io.cncf.notary.expiry';
    const head = { crit: [scheme, expiry], [expiry]: '2026-06-02T00:00:00Z' };
    expect(await ask({ head })).toMatchObject({ isTrusted: true, validUntil: Date.parse('2026-06-02T00:00:00Z') });
    const late = await ask({ head }, trustRoot, Date.parse('2026-06-02T00:00:00Z'));
    expect(reasonsOf(late)).toBe('the signature expired 2026-06-02T00:00:00.000Z');
    expect(reasonsOf(await ask({ head: { [expiry]: '2026-06-02T00:00:00Z' } }))).toContain(
      'must be marked as critical',
    );
  });

  it('ends with its certificates, unless the policy lets old signatures stand', async () => {
    const later = Date.parse('2027-06-01T00:00:00Z');
    const verdict = await ask({}, trustRoot, later);
    expect(reasonsOf(verdict)).toContain('was not valid at this time; it ended 2027-01-01');
    const lenient = policyOf({ certificates: [toPem(rootCertificate)], certificateValidity: 'signing-time' });
    const old = await ask({}, lenient, later);
    expect(old.isTrusted).toBe(true);
    expect(old.validUntil).toBeUndefined();
  });

  it('is refused when it was signed before its certificates were valid', async () => {
    const head = { 'io.cncf.notary.signingTime': '2025-05-01T10:00:00Z' };
    expect(reasonsOf(await ask({ head }))).toContain('not valid when it was signed');
  });

  it('in a COSE envelope is refused with a hint', async () => {
    const { repository, image } = repositoryWith({}, 'application/cose');
    expect(reasonsOf(await verify(repository, image, trustRoot))).toContain('--signature-format jws');
  });

  it('is not for a policy that has keys only', async () => {
    expect(reasonsOf(await ask({}, policyOf({ keys: [pemOf(keys.leaf)] })))).toContain('names no certificates');
  });

  const signingTime = 'io.cncf.notary.signingTime';
  it.each<[string, Wish, string]>([
    ['made by another key', { signWith: signEs256(keys.other) }, 'was not made by CN=build.example'],
    ['of another image', { payload: { targetArtifact: { digest: `sha256:${'2'.repeat(64)}` } } }, 'another image'],
    ['of nothing', { payload: Buffer.from('[]') }, 'no JSON object'],
    ["with another algorithm than the key's", { head: { alg: 'HS256' } }, 'with ES256'],
    ['without algorithm', { head: { alg: 'none' } }, 'with ES256'],
    ['with another content type', { head: { cty: 'text/plain' } }, 'no payload'],
    ['with another scheme', { head: { [scheme]: 'mine' } }, 'scheme'],
    ['without critical headers', { head: { crit: [] } }, 'must be marked as critical'],
    ['with a critical header that is not known', { head: { crit: [scheme, 'x'], x: 1 } }, 'is understood'],
    ['with a critical header that is no name', { head: { crit: [scheme, {}] } }, 'is understood'],
    ['with a critical header that is missing', { head: { crit: [scheme, 'io.cncf.notary.expiry'] } }, 'but missing'],
    ['for a plug-in', { head: { 'io.cncf.notary.verificationPlugin': 'com.example' } }, 'plug-in'],
    ['without signing time', { head: { [signingTime]: undefined } }, 'is no time'],
    ['with a signing time that is none', { head: { [signingTime]: 'yesterday' } }, 'is no time'],
    ['with a signing time in a month that is none', { head: { [signingTime]: '2026-13-01T00:00:00Z' } }, 'is no time'],
    ['without certificates', { change: (envelope) => ({ ...envelope, header: {} }) }, 'carries no certificates'],
    ['with more fields', { change: (envelope) => ({ ...envelope, signatures: [] }) }, 'must not have, signatures'],
    ['without payload', { change: ({ payload: _, ...envelope }) => envelope }, 'no flattened JWS'],
    ['with certificates that are none', { chain: [Buffer.from('hello')] }, 'cannot be read'],
    ['with certificates in the wrong order', { chain: [...goodChain].reverse() }, 'is no certificate authority'],
    ['with a gap between its certificates', { chain: [leafCertificate, rootCertificate] }, 'was not issued by'],
    [
      'with a stranger in its chain',
      { chain: [...goodChain, makeCertificate({ ...middle, ca: true })] },
      'was not issued',
    ],
    ['with too many certificates', { chain: Array.from({ length: 11 }, () => leafCertificate) }, 'more than 10'],
  ])('%s is refused with the reason', async (_name, wish, reason) => {
    const verdict = await ask(wish);
    expect(verdict.isTrusted).toBe(false);
    expect(reasonsOf(verdict)).toContain(reason);
  });

  const bad = (leaf: Partial<CertificateWish>, above: Partial<CertificateWish> = {}): Wish => ({
    chain: [
      makeCertificate({ ...leafWish, ...leaf }),
      makeCertificate({ ...middle, issuer: root, ca: true, ...above }),
      rootCertificate,
    ],
  });
  it.each<[string, Wish, string]>([
    ['whose signer is an authority', bad({ ca: true, keyUsage: 0x8400 }), 'is a certificate authority'],
    ['whose signer has no key usage', bad({ keyUsage: 'none' }), 'not for signatures'],
    ["whose signer's key usage is not critical", bad({ isCritical: false }), 'not for signatures'],
    ['whose signer may encipher', bad({ keyUsage: 0xa000 }), 'for more than signatures'],
    ['whose signer is a web server', bad({ extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }), 'for another use'],
    ['whose signer may do anything', bad({ extendedKeyUsage: ['2.5.29.37.0'] }), 'for another use'],
    ["whose signer's certificate is signed with SHA-1", bad({ hash: 'sha1' }), 'broken algorithm'],
    ['whose authority is none', bad({}, { ca: false, keyUsage: 0x0400 }), 'no certificate authority'],
    ['whose authority may not sign certificates', bad({}, { keyUsage: 0x8000 }), 'may not sign certificates'],
    ['whose authority has another key', bad({}, { keys: keys.other }), 'was not issued by'],
    ['whose authority has ended', bad({}, { to: '2026-05-20T00:00:00Z' }), 'was not valid at this time'],
  ])('%s is refused with the reason', async (_name, wish, reason) => {
    const verdict = await ask(wish);
    expect(verdict.isTrusted).toBe(false);
    expect(reasonsOf(verdict)).toContain(reason);
  });

  it('is refused when its authority stands above more authorities than it may', async () => {
    const low = { name: 'Low CA', keys: keys.other };
    const chain = [
      makeCertificate({ ...leafWish, issuer: low }),
      makeCertificate({ ...low, issuer: middle, ca: true }),
      middleCertificate,
      rootCertificate,
    ];
    expect(reasonsOf(await ask({ chain }))).toContain('may not stand above 1 authorities');
  });

  it('under a certificate of the same name that the policy does not name is refused', async () => {
    const fakeRoot = { name: 'Example Root', keys: keys.other };
    const chain = [makeCertificate({ ...leafWish, issuer: fakeRoot }), makeCertificate({ ...fakeRoot, ca: true })];
    expect(reasonsOf(await ask({ chain }))).toContain('leads to none that the policy names');
  });

  it('counts beside one by a key, and not again when the key is the same', async () => {
    const { repository, image } = repositoryWith();
    const layer = descriptor(repository, 'application/jose+json', envelopeOf(image, { head: { extra: 1 } }));
    pushReferrer(repository, image, { type, config: type, layer });
    const verdict = await verify(repository, image, { ...trustRoot, minSignatures: 2 });
    expect(verdict).toMatchObject({ isTrusted: false, signers: [{}], refusals: [] });
  });
});
