import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findPassword, openAccount } from '../../src/secret/account-keeper.ts';
import { readAccount } from '../../src/secret/account.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'slipway-account-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('the admin account', () => {
  it('has two passwords, either of which is good', async () => {
    const account = (await openAccount(dir)).current();
    const [password, password2] = account.passwords;
    expect(password).not.toBe(password2);
    expect(findPassword(account, { username: 'admin', password })).toBe(1);
    expect(findPassword(account, { username: 'admin', password: password2 })).toBe(2);
    expect(findPassword(account, { username: 'admin', password: 'x' })).toBeUndefined();
    expect(findPassword(account, { username: 'ada', password })).toBeUndefined();
    expect(await readAccount(dir)).toEqual({ username: 'admin', password });
  });

  it('of a file with one password keeps it, and gets a second one', async () => {
    await writeFile(join(dir, 'admin.json'), '{"username":"root","password":"old"}', { mode: 0o600 });
    const { username, passwords } = (await openAccount(dir)).current();
    expect([username, passwords[0]]).toEqual(['root', 'old']);
    expect((await openAccount(dir)).current()).toEqual({ username, passwords });
  });

  it('is renewed one password at a time, which other processes see at once and the file keeps', async () => {
    const [one, other] = [await openAccount(dir), await openAccount(dir)];
    const [first, second] = one.current().passwords;
    await Promise.all([one.renew(1), one.renew(1)]);
    const [renewed] = one.current().passwords;
    expect([renewed === first, one.current().passwords[1] === second]).toEqual([false, true]);
    expect(other.current()).toEqual(one.current());
    await other.renew(2);
    expect(one.current().passwords[1]).not.toBe(second);
    expect(one.current().passwords[0]).toBe(renewed);
    expect((await stat(join(dir, 'admin.json'))).mode & 0o777).toBe(0o600);
    expect(await readAccount(dir)).toEqual({ username: 'admin', password: renewed });
  });

  it('stays as it was while its file cannot be read', async () => {
    const keeper = await openAccount(dir);
    const before = keeper.current();
    const text = await readFile(join(dir, 'admin.json'), 'utf8');
    await writeFile(join(dir, 'admin.json'), '{');
    expect(keeper.current()).toEqual(before);
    await writeFile(join(dir, 'admin.json'), text);
    expect(keeper.current()).toEqual(before);
    await rm(join(dir, 'admin.json'));
    expect(keeper.current()).toEqual(before);
  });
});
