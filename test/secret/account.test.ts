import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isSameSecret, loadAccount, parseBasic, readAccount } from '../../src/secret/account.ts';
import { labelInstallation, loadKey, parseKey } from '../../src/secret/key.ts';

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
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadKey(undefined, join(dir, 'key'))));
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
    expect(await readFile(join(dir, 'key'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
  });

  it('gives two installations of one name labels of their own, which do not show it', () => {
    const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    expect(labelInstallation('slipway', one)).toMatch(/^slipway-[0-9a-f]{12}$/);
    expect(labelInstallation('slipway', one)).toBe(labelInstallation('slipway', Buffer.from(one)));
    expect(labelInstallation('slipway', one)).not.toBe(labelInstallation('slipway', other));
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
