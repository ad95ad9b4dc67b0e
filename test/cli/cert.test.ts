import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CertificateView } from '../../src/cli/cert-view.ts';
import { writeMemory } from '../../src/cli/host-memory.ts';
import { makeCertificate, ownFilesIn } from '../../src/tls/own-files.ts';
import { call, makeFolder } from './rig-api.ts';

interface Made {
  readonly certFile: string;
  readonly caFile: string;
  readonly certificate: CertificateView;
}

async function callJson(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<Made> {
  const { code, stdout, stderr } = await call([...argv, '--json'], { env });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Made;
}

describe('slipway cert create', () => {
  it('makes a certificate for wherever the installation is reached, and says how others trust it', async () => {
    const env = { SLIPWAY_DATA: await makeFolder(), SLIPWAY_URL: 'https://ci.example.com:5080' };
    const { code, stdout } = await call(['cert', 'create'], { env });
    expect(code).toBe(0);
    const { caFile, certFile } = ownFilesIn(join(env.SLIPWAY_DATA, 'tls'));
    expect(stdout).toContain(`File       ${certFile}\n`);
    expect(stdout).toMatch(/Good for {3}ci\.example\.com 127\.0\.0\.1 localhost ::1 /);
    expect(stdout).toContain('Valid      2026-11-21 to 2027-12-23 (397 days left)');
    expect(stdout).toContain('To use it: slipway up --tls\n');
    expect(stdout).toContain(`install -D -m 644 ${caFile} /etc/docker/certs.d/ci.example.com:5080/ca.crt\n`);
    expect(stdout).toContain(`curl --cacert ${caFile} https://ci.example.com:5080/healthz\n`);
    expect(stdout).not.toContain('PRIVATE KEY');
  });

  it('takes names, addresses, a term and a directory', async () => {
    const out = await makeFolder();
    const flags = ['--host', 'a.example.com', '--host', '*.b.example.com', '--ip', '10.0.0.5', '--days', '10'];
    const { certificate, certFile } = await callJson(['cert', 'create', ...flags, '--out', out], {});
    expect(certFile).toBe(join(out, 'server.crt'));
    expect(certificate).toMatchObject({
      subject: 'O=Slipway, CN=a.example.com',
      names: ['a.example.com', '*.b.example.com', '10.0.0.5'],
      daysLeft: 10,
      key: 'ec, prime256v1',
      isAuthority: false,
    });
  });

  it('replaces nothing unless it is told to, and keeps the authority when it does', async () => {
    const env = { SLIPWAY_DATA: await makeFolder() };
    const { caFile, certificate: first } = await callJson(['cert', 'create'], env);
    const authority = await readFile(caFile, 'utf8');
    const { code, stderr } = await call(['cert', 'create'], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/there is a certificate already: .*server\.crt/);
    const { certificate: second } = await callJson(['cert', 'create', '--force', '--host', 'b'], env);
    expect([second.names, second.issuer]).toEqual([['b'], first.issuer]);
    expect(await readFile(caFile, 'utf8')).toBe(authority);
  });

  it.each([
    [['--days', '0'], 'from 1 to 3650'],
    [['--days', 'x'], 'from 1 to 3650'],
    [['--host', 'a b'], 'neither a host name nor an address'],
    [['--ip', '300.1.1.1'], 'neither a host name nor an address'],
  ])('refuses %j', async (flags, message) => {
    const { code, stderr } = await call(['cert', 'create', ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('slipway cert renew', () => {
  it('makes a new certificate and key for the same names', async () => {
    const env = { SLIPWAY_DATA: await makeFolder() };
    const { certificate: first } = await callJson(['cert', 'create', '--host', 'a', '--days', '5'], env);
    const { certificate: second } = await callJson(['cert', 'renew'], env);
    expect([second.names, second.daysLeft]).toEqual([['a'], 397]);
    expect(second.fingerprint).not.toBe(first.fingerprint);
  });

  it('has nothing to do where there is none', async () => {
    const { code, stderr } = await call(['cert', 'renew']);
    expect(code).toBe(3);
    expect(stderr).toContain('there is no certificate to renew');
  });
});

describe('slipway cert show', () => {
  it('shows the own certificate, and files', async () => {
    const env = { SLIPWAY_DATA: await makeFolder() };
    const { certificate, caFile } = await callJson(['cert', 'create'], env);
    expect((await callJson(['cert', 'show'], env)).certificate).toEqual(certificate);
    const { stdout } = await call(['cert', 'show', caFile], { env });
    expect(stdout).toMatch(/^From {7}.*ca\.crt\n/);
    expect(stdout).toContain('Authority  yes\n');
  });

  it('shows what a server has, and whether this machine trusts it', async () => {
    const directory = await makeFolder();
    await makeCertificate(directory, { names: ['127.0.0.1'], days: 60, now: Date.now() });
    const { certFile, keyFile, caFile } = ownFilesIn(directory);
    const [cert, key] = await Promise.all([certFile, keyFile].map((file) => readFile(file)));
    const server = createServer({ cert, key }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const strange = await call(['cert', 'show', place]);
    expect(strange.stdout).toContain(`From       ${place} (TLSv1.3)\n`);
    expect(strange.stdout).toContain('Trusted    no: UNABLE_TO_VERIFY_LEAF_SIGNATURE\n');
    const known = await call(['cert', 'show', `https://${place}`], { env: { SLIPWAY_CA_FILE: caFile } });
    expect(known.stdout).toContain('Trusted    yes\n');
    server.close();
  });

  it.each([
    [['/nowhere.crt'], 3, '/nowhere.crt cannot be read'],
    [[], 3, 'cannot be read'],
    [['https://127.0.0.1:1'], 4, '127.0.0.1:1 has no TLS to offer: ECONNREFUSED'],
  ])('says what is wrong with %j', async (place, expected, message) => {
    const { code, stderr } = await call(['cert', 'show', ...place]);
    expect([code, stderr]).toEqual([expected, expect.stringContaining(message)]);
  });

  it('says that a file holds no certificate, damaged or not', async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, 'a'), 'x');
    await writeFile(join(folder, 'b'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const plain = await call(['cert', 'show', join(folder, 'a')]);
    expect([plain.code, plain.stderr]).toEqual([2, expect.stringContaining('holds no certificate')]);
    const damaged = await call(['cert', 'show', join(folder, 'b')]);
    expect([damaged.code, damaged.stderr]).toEqual([
      2,
      expect.stringContaining('holds a certificate that cannot be read'),
    ]);
  });
});

describe('slipway cert trust', () => {
  it('needs an authority', async () => {
    const env = { SLIPWAY_DATA: await makeFolder() };
    const { code, stderr } = await call(['cert', 'trust'], { env });
    expect([code, stderr]).toEqual([3, expect.stringContaining('there is no authority')]);
    await callJson(['cert', 'create'], env);
    expect((await call(['cert', 'trust'], { env })).stdout).toContain('export NODE_EXTRA_CA_CERTS=');
  });
});

describe('an installation that was started with --tls', () => {
  it('is spoken to over TLS by later commands, unless the environment says otherwise', async () => {
    const dataDir = await makeFolder();
    const memory = { url: '', registryHost: '', label: '', engineHost: '', isEnginePrivate: false };
    writeMemory(dataDir, { ...memory, redisUrl: '', redisPrefix: '', isRedisPrivate: false, hasOwnTls: true });
    const ask = async (more: Readonly<Record<string, string>>): Promise<string> =>
      (await call(['runs', 'list'], { env: { SLIPWAY_DATA: dataDir, SLIPWAY_PORT: '1', ...more } })).stderr;
    expect(await ask({})).toContain('https://127.0.0.1:1 cannot be reached');
    expect(await ask({ SLIPWAY_TLS: 'off' })).toContain('http://127.0.0.1:1 cannot be reached');
    expect(await ask({ SLIPWAY_URL: 'http://127.0.0.1:7' })).toContain('http://127.0.0.1:7 cannot be reached');
  });
});
