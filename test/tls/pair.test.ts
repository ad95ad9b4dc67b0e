import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ensureCertificate,
  findCertificate,
  makeCertificate,
  ownFilesIn,
  parseCertificateName,
} from '../../src/tls/own-files.ts';
import { ownNames } from '../../src/tls/own-names.ts';
import { namesOf, readPair } from '../../src/tls/pair.ts';
import { judgeEnd } from '../../src/tls/served.ts';

const dayMs = 86_400_000;
const now = Date.UTC(2027, 0, 10);
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-pair-'));
});

afterEach(() => rm(directory, { recursive: true }));

const make = (names: readonly string[] = ['localhost'], at = now) =>
  makeCertificate(directory, { names, days: 60, now: at });

describe('certificates of our own making', () => {
  it('keep their authority when they are made anew, and a key that nobody else may read', async () => {
    await make();
    const files = ownFilesIn(directory);
    const [authority, key] = [await readFile(files.caFile, 'utf8'), await readFile(files.keyFile, 'utf8')];
    await make(['other.example.com', '10.0.0.1']);
    expect(await readFile(files.caFile, 'utf8')).toBe(authority);
    expect(await readFile(files.keyFile, 'utf8')).not.toBe(key);
    for (const file of [files.caKeyFile, files.keyFile]) expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { leaf, validUntil } = await readPair(files, now);
    expect(namesOf(leaf)).toEqual(['other.example.com', '10.0.0.1']);
    expect(validUntil).toBe(now + 60 * dayMs);
  });

  it('are made when there are none, when a name is missing, and when they are due; not otherwise', async () => {
    const wish = { names: ['localhost', '::1'], days: 60, now };
    expect(await ensureCertificate(directory, wish)).toBe(true);
    expect(await ensureCertificate(directory, wish)).toBe(false);
    expect(await ensureCertificate(directory, { ...wish, names: ['api'] })).toBe(true);
    const found = await findCertificate(directory);
    expect(found && namesOf(found).map(parseCertificateName)).toEqual(['api', 'localhost', '::1']);
    expect(await ensureCertificate(directory, { ...wish, now: now + 29 * dayMs })).toBe(false);
    expect(await ensureCertificate(directory, { ...wish, now: now + 31 * dayMs })).toBe(true);
  });

  it('never outlive their authority, and are not made by one that has ended or lost its key', async () => {
    await make();
    const nearEnd = now + 3649 * dayMs;
    expect(Date.parse((await make(['a'], nearEnd)).validTo)).toBe(now + 3650 * dayMs);
    await expect(make(['a'], now + 3651 * dayMs)).rejects.toThrow(/authority in .*ca\.crt expired on/);
    await rm(ownFilesIn(directory).caKeyFile);
    await expect(make()).rejects.toThrow(/the key of .*ca\.crt is missing/);
  });

  it.each([
    ['Registry.Example.COM', 'registry.example.com'],
    ['*.example.com', '*.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['[2001:DB8::0:1]', '2001:db8::1'],
    ['10.0.0.1', '10.0.0.1'],
  ])('have the name %s as %s', (text, name) => {
    expect(parseCertificateName(text)).toBe(name);
  });

  it.each([
    '',
    'a b',
    'a..b',
    'https://a',
    'a:1',
    '10.0.0.300',
    '1.2.3',
    '*.',
    '*',
    'a.*.b',
    '-a',
    'fe80::1%eth0',
    'a/b',
  ])('do not have %j as a name', (text) => {
    expect(() => parseCertificateName(text)).toThrow('neither a host name nor an address');
  });

  it('are good for wherever the installation is reached', () => {
    const names = ownNames({
      url: 'https://ci.example.com:8443',
      registryHost: '[2001:db8::1]:5080',
      listenHost: '0.0.0.0',
      registryUrl: 'https://api:5080',
      names: ['10.0.0.5'],
    });
    expect(names.slice(0, 3)).toEqual(['ci.example.com', '2001:db8::1', 'api']);
    expect(names).toEqual(expect.arrayContaining(['localhost', '127.0.0.1', '::1', '10.0.0.5']));
    expect(names).not.toContain('0.0.0.0');
  });
});

describe('the pair of a server', () => {
  const files = () => ownFilesIn(directory);
  const read = (at = now) => readPair(files(), at);

  beforeEach(() => make());

  it('may be a chain, and one file', async () => {
    const { caFile, certFile, keyFile } = files();
    const all = (await Promise.all([certFile, caFile, keyFile].map((file) => readFile(file, 'utf8')))).join('');
    await writeFile(certFile, all);
    expect((await readPair({ certFile, keyFile: certFile }, now)).leaf.ca).toBe(false);
  });

  it('is refused before and after its time', async () => {
    await expect(read(now - dayMs)).rejects.toThrow(/server\.crt holds a certificate that is not valid before Jan/);
    await expect(read(now + 61 * dayMs)).rejects.toThrow(/server\.crt holds a certificate that expired on Mar/);
  });

  it.each<[string, () => Promise<void>, RegExp]>([
    ['the certificate is missing', () => rm(files().certFile), /server\.crt cannot be read \(ENOENT\)/],
    ['the key is missing', () => rm(files().keyFile), /server\.key cannot be read \(ENOENT\)/],
    ['the certificate is none', () => writeFile(files().certFile, 'x'), /server\.crt holds no certificate/],
    [
      'the certificate is damaged',
      () => writeFile(files().certFile, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      /server\.crt holds a certificate that cannot be read/,
    ],
    ['the key is none', () => writeFile(files().keyFile, 'x'), /server\.key holds no private key that can be read/],
    [
      'the key is encrypted',
      () => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const pem = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' });
        return writeFile(files().keyFile, pem);
      },
      /server\.key holds a key that is encrypted/,
    ],
    [
      'the key is of another certificate',
      async () => writeFile(files().keyFile, await readFile(files().caKeyFile)),
      /server\.key does not hold the key of the certificate in/,
    ],
    [
      'the chain is upside down',
      async () => {
        const { caFile, certFile } = files();
        await writeFile(certFile, (await readFile(caFile, 'utf8')) + (await readFile(certFile, 'utf8')));
      },
      /server\.crt must hold the server’s certificate first/,
    ],
  ])('is refused when %s', async (_, damage, message) => {
    await damage();
    await expect(read()).rejects.toThrow(message);
  });

  it('is warned of from 30 days before its end', async () => {
    const pair = await read();
    expect(judgeEnd(pair, now + 30 * dayMs)).toBeUndefined();
    expect(judgeEnd(pair, now + 31 * dayMs)).toMatchObject({ level: 'warn', text: expect.stringContaining('29 days') });
    expect(judgeEnd(pair, now + 61 * dayMs)).toMatchObject({
      level: 'error',
      text: expect.stringContaining('expired'),
    });
  });
});
