import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailureError, type Failure } from '../../src/domain/failure.ts';
import { findPolicies, parseTrustPolicy, readTrusted } from '../../src/trust/policy.ts';
import { makeCertificate, toPem } from './certificates.ts';
import { makeKeys, pemOf, policyOf } from './rig.ts';

const alice = makeKeys.p256();
const certificate = toPem(makeCertificate({ name: 'ca', keys: alice, ca: true }));
const good = { name: 'signed', repositories: ['team/*'], keys: [pemOf(alice)] };

function failureOf(value: unknown): Failure {
  try {
    parseTrustPolicy(value);
  } catch (error) {
    if (error instanceof FailureError) return error.failure;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a trust policy', () => {
  it('enforces one signature unless told otherwise', () => {
    expect(parseTrustPolicy(good)).toEqual({
      ...good,
      certificates: [],
      mode: 'enforce',
      minSignatures: 1,
      certificateValidity: 'now',
    });
  });

  it('is read again from what it was stored as', () => {
    const policy = parseTrustPolicy({ ...good, certificates: [certificate], mode: 'warn', minSignatures: 2 });
    expect(parseTrustPolicy(JSON.parse(JSON.stringify(policy)))).toEqual(policy);
    expect(readTrusted(policy)).toMatchObject({ keys: [{ kind: 'ECDSA P-256' }], anchors: [{ name: 'CN=ca' }] });
  });

  it('takes several certificates in one text', () => {
    const policy = parseTrustPolicy({ ...good, keys: [], certificates: [certificate + certificate] });
    expect(readTrusted(policy).anchors).toHaveLength(2);
  });

  const privateKey = alice.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const odd = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  it.each<[string, object, string, string]>([
    ['name', { name: '-x' }, 'name', 'letters'],
    ['name that is none', { name: 7 }, 'name', 'letters'],
    ['field that it does not have', { key: 'x' }, 'key', 'no field of this name'],
    ['repositories', { repositories: 'all' }, 'repositories', 'list'],
    ['repositories that are none', { repositories: [] }, 'repositories', 'at least one'],
    ['repositories that are missing', { repositories: undefined }, 'repositories', 'at least one'],
    ['pattern', { repositories: ['team/app', 'te*m'] }, 'repositories[1]', 'team/*'],
    ['pattern with a path out', { repositories: ['../*'] }, 'repositories[0]', 'team/*'],
    ['key', { keys: ['hello'] }, 'keys[0]', 'no public key'],
    ['key that is no text', { keys: [{ toString: 1, valueOf: 1 }] }, 'keys[0]', 'text'],
    ['private key', { keys: [privateKey] }, 'keys[0]', 'private key'],
    ['private key among certificates', { certificates: [certificate + privateKey] }, 'certificates[0]', 'private key'],
    ['certificate as a key', { keys: [certificate] }, 'keys[0]', '"certificates"'],
    ['two keys in one text', { keys: [pemOf(alice) + pemOf(alice)] }, 'keys[0]', 'more than one'],
    ['short RSA key', { keys: [pemOf(weak)] }, 'keys[0]', '2048'],
    ['curve', { keys: [pemOf(odd)] }, 'keys[0]', 'P-256'],
    ['certificate', { certificates: ['hello'] }, 'certificates[0]', 'no certificate'],
    ['broken certificate', { certificates: [toPem(Buffer.from('hello'))] }, 'certificates[0]', 'cannot be read'],
    ['nobody', { keys: [] }, 'keys', 'at least one key or certificate'],
    ['mode', { mode: 'audit' }, 'mode', 'enforce, warn'],
    ['validity', { certificateValidity: 'ever' }, 'certificateValidity', 'signing-time'],
    ['count', { minSignatures: 0 }, 'minSignatures', 'whole number'],
    ['count that is none', { minSignatures: '2' }, 'minSignatures', 'whole number'],
    ['count that the keys cannot reach', { minSignatures: 2 }, 'minSignatures', 'only 1 keys'],
  ])('with a wrong %s is refused, the field named', (_what, change, field, words) => {
    const failure = failureOf({ ...good, ...change });
    expect(failure).toMatchObject({ reason: 'invalid-request', field });
    expect(failure.message).toContain(words);
    expect(failure.message).not.toContain('PRIVATE');
  });

  it('tells all its faults', () => {
    expect(failureOf({ name: '', mode: 'x' }).details?.map(({ field }) => field)).toEqual([
      'name',
      'repositories',
      'mode',
      'keys',
    ]);
  });

  it('is read or refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.anything(), fc.jsonValue(), (value, more) => {
        for (const each of [value, { ...good, keys: more }, { ...good, repositories: more, minSignatures: value }])
          expect(() => failureOf(each)).not.toThrow(TypeError);
      }),
    );
  });
});

describe('the policies of a repository', () => {
  const names = (repository: string) =>
    findPolicies(
      [
        policyOf({ name: 'all', keys: [pemOf(alice)] }),
        policyOf({ name: 'team', keys: [pemOf(alice)], repositories: ['team/*'] }),
        policyOf({ name: 'app', keys: [pemOf(alice)], repositories: ['team/app', 'app'] }),
      ],
      repository,
    ).map(({ name }) => name);

  it('are all whose patterns name it', () => {
    expect(names('team/app')).toEqual(['all', 'team', 'app']);
    expect(names('team/deep/app')).toEqual(['all', 'team']);
    expect(names('team')).toEqual(['all']);
    expect(names('teams/app')).toEqual(['all']);
    expect(names('app')).toEqual(['all', 'app']);
  });
});
