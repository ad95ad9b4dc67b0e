import { execFile } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueAuthority, issueServer, type Issued } from '../../src/tls/issue.ts';

const run = promisify(execFile);
const dayMs = 86_400_000;

describe('a certificate that we issue', () => {
  let directory: string;
  let authority: Issued;
  let server: Issued;
  const from = Math.floor(Date.now() / 1000) * 1000;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'slipway-issue-'));
    authority = await issueAuthority('Slipway authority 1a2b', { from, until: from + 3650 * dayMs });
    const names = ['registry.example.com', '*.example.org', 'localhost', '127.0.0.1', '2001:db8::1'] as const;
    server = await issueServer(authority, [...names], { from, until: from + 90 * dayMs });
    await writeFile(join(directory, 'ca.crt'), authority.certificate.toString());
    await writeFile(join(directory, 'server.crt'), server.certificate.toString());
  });

  afterAll(() => rm(directory, { recursive: true }));

  it('says for what, by whom and for how long it is good', () => {
    const { certificate, key } = server;
    expect(certificate.checkIssued(authority.certificate)).toBe(true);
    expect(certificate.verify(authority.certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(key)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(authority.certificate.ca).toBe(true);
    expect(certificate.checkHost('registry.example.com')).toBeDefined();
    expect(certificate.checkHost('a.example.org')).toBeDefined();
    expect(certificate.checkHost('example.net')).toBeUndefined();
    expect(certificate.checkIP('127.0.0.1')).toBeDefined();
    expect(certificate.checkIP('2001:db8::1')).toBeDefined();
    expect(Date.parse(certificate.validFrom)).toBe(from);
    expect(Date.parse(certificate.validTo)).toBe(from + 90 * dayMs);
  });

  it('is accepted by openssl, strictly, for its names alone', async () => {
    const verify = (...more: string[]) =>
      run('openssl', ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.crt', ...more, 'server.crt'], {
        cwd: directory,
      });
    await expect(verify('-verify_hostname', 'registry.example.com')).resolves.toMatchObject({
      stdout: 'server.crt: OK\n',
    });
    await expect(verify('-verify_ip', '127.0.0.1')).resolves.toMatchObject({ stdout: 'server.crt: OK\n' });
    await expect(verify('-verify_hostname', 'other.example.com')).rejects.toThrow(/hostname mismatch/i);
  });

  it('has a serial number of its own, and dates beyond 2049 too', async () => {
    const until = Date.UTC(2061, 1, 3, 4, 5, 6);
    const other = await issueServer(authority, ['x'.repeat(70)], { from, until });
    expect(other.certificate.serialNumber).not.toBe(server.certificate.serialNumber);
    expect(Date.parse(other.certificate.validTo)).toBe(until);
  });

  it('has no fractions of a second, in either form of a date', async () => {
    const until = Date.UTC(2061, 1, 3, 4, 5, 6);
    const { certificate } = await issueServer(authority, ['localhost'], { from: from + 999, until: until + 999 });
    expect(Date.parse(certificate.validFrom)).toBe(from);
    expect(Date.parse(certificate.validTo)).toBe(until);
    expect(certificate.raw.includes('610203040506Z')).toBe(true);
  });

  it.each([
    ['RSA', ['rsa:2048']],
    ['ECDSA on another curve', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['Ed25519', ['ed25519']],
    [
      'with an identifier of its own',
      ['rsa:2048', '-addext', 'subjectKeyIdentifier=0a:0b:0c', '-addext', 'authorityKeyIdentifier=none'],
    ],
  ])('can be signed by an authority that somebody else made: %s', async (_kind, [type = '', ...more]) => {
    const cwd = await mkdtemp(join(directory, 'other-'));
    const subject = ['-utf8', '-subj', '/O=Firma Ä/CN=Other, Inc.', '-addext', 'keyUsage=critical,keyCertSign'];
    const files = ['-nodes', '-keyout', 'ca.key', '-out', 'ca.crt'];
    await run('openssl', ['req', '-x509', '-newkey', type, ...more, ...files, ...subject], { cwd });
    const other = {
      certificate: new X509Certificate(await readFile(join(cwd, 'ca.crt'))),
      key: createPrivateKey(await readFile(join(cwd, 'ca.key'))),
    };
    const { certificate } = await issueServer(other, ['localhost'], { from, until: from + dayMs });
    await writeFile(join(cwd, 'server.crt'), certificate.toString());
    const verified = run('openssl', ['verify', '-x509_strict', '-CAfile', 'ca.crt', 'server.crt'], { cwd });
    await expect(verified).resolves.toMatchObject({ stdout: 'server.crt: OK\n' });
  });
});
