import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isSameSecret, loadAccount, parseBasic, readAccount } from '../../src/secret/account.ts';
import { openKeyRing, writeKeyFile } from '../../src/secret/key-ring.ts';
import { labelInstallation, parseKey, parseKeys } from '../../src/secret/key.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'slipway-account-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe('the admin account', () => {
  it('is made at first start, is the same afterwards, and only its owner can read it', async () => {
    expect(await readAccount(dir)).toBeUndefined();
    const account = await loadAccount(dir);
    expect(account.username).toBe('admin');
    expect(account.password.length).toBeGreaterThanOrEqual(32);
    expect(await loadAccount(dir)).toEqual(account);
    expect(await readAccount(dir)).toEqual(account);
    expect((await stat(join(dir, 'admin.json'))).mode & 0o777).toBe(0o600);
  });
});

describe('the installation key', () => {
  it('is one key however many processes start at the same moment', async () => {
    const rings = await Promise.all(Array.from({ length: 20 }, () => openKeyRing(undefined, join(dir, 'key'))));
    expect(new Set(rings.map((ring) => ring.keys()[0].toString('hex'))).size).toBe(1);
    expect(await readFile(join(dir, 'key'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
  });

  it('gives two installations of one name labels of their own, which do not show it', async () => {
    const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const label = await labelInstallation('slipway', join(dir, 'one'), [one]);
    expect(label).toMatch(/^slipway-[0-9a-f]{12}$/);
    expect(await labelInstallation('slipway', join(dir, 'same'), [Buffer.from(one)])).toBe(label);
    expect(await labelInstallation('slipway', join(dir, 'other'), [other])).not.toBe(label);
  });

  it('leaves the label as it is when another key takes its place', async () => {
    const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const label = await labelInstallation('slipway', join(dir, 'one'), [one]);
    expect(await labelInstallation('slipway', join(dir, 'one'), [other])).toBe(label);
    expect(await labelInstallation('slipway', join(dir, 'fresh'), [other, one])).toBe(label);
  });

  it('may be several, which a running process sees as soon as the file is another', async () => {
    const file = join(dir, 'key');
    const ring = await openKeyRing(undefined, file);
    const [first] = ring.keys();
    await writeKeyFile(file, [Buffer.alloc(32, 9), first]);
    expect(ring.keys()).toEqual([Buffer.alloc(32, 9), first]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await writeFile(file, 'no key');
    expect(ring.keys()).toEqual([Buffer.alloc(32, 9), first]);
    await rm(file);
    expect(ring.keys()).toEqual([Buffer.alloc(32, 9), first]);
  });

  it('of several, given with commas between them, is the first', async () => {
    const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const given = `${one.toString('hex')}, ${other.toString('base64')}`;
    expect((await openKeyRing(given, join(dir, 'key'))).keys()).toEqual([one, other]);
    expect(await stat(join(dir, 'key')).catch(() => 'no file')).toBe('no file');
    expect(() => parseKeys(Array(11).fill(one.toString('hex')).join(','))).toThrow(/at most 10/);
    expect(() => parseKeys(`${one.toString('hex')},short`)).toThrow(/must be 32 bytes/);
  });

  it('can be given, in hexadecimal or base64', () => {
    const bytes = Buffer.alloc(32, 7);
    expect(parseKey(bytes.toString('hex'))).toEqual(bytes);
    expect(parseKey(bytes.toString('base64'))).toEqual(bytes);
  });

  it('is refused when it is too short, without being shown', () => {
    expect(() => parseKey('c2hvcnQ=')).toThrow(/must be 32 bytes/);
    expect(() => parseKey('c2hvcnQ=')).not.toThrow(/c2hv/);
  });
});

describe('basic authentication', () => {
  const header = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

  it('reads the name up to the first colon and the password behind it', () => {
    expect(parseBasic(header('admin:a:b'))).toEqual({ username: 'admin', password: 'a:b' });
    expect(parseBasic(header(':'))).toEqual({ username: '', password: '' });
  });

  it('is undefined for anything else', () => {
    for (const text of [undefined, '', 'Bearer x', 'Basic', header('no-colon'), 'Basic ???']) {
      expect(parseBasic(text)).toBeUndefined();
    }
  });

  it('compares secrets by their content', () => {
    expect(isSameSecret('abc', 'abc')).toBe(true);
    expect(isSameSecret('abc', 'abd')).toBe(false);
    expect(isSameSecret('', 'abc')).toBe(false);
  });
});
