import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
});
