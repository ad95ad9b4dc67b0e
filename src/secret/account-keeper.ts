import { readFileSync, statSync, type Stats } from 'node:fs';
import {
  accountFile,
  isSameSecret,
  loadAccount,
  makeAccountPassword,
  parseAccountFile,
  type Account,
} from './account.ts';
import { replaceFile } from './replace-file.ts';

/** The admin account: one name, and two passwords of which either is good, so that one can be renewed while the other is in use. */
export interface AdminAccount {
  readonly username: string;
  readonly passwords: readonly [string, string];
}

/** Which of the two. */
export type AdminPassword = 1 | 2;

/** Keeps the admin account of an installation. */
export interface AccountKeeper {
  /** As it is now: the file is looked at again each time, so that what another process renewed is known at once. */
  current(): AdminAccount;
  /** Makes a new password in the place of one. The old one is worth nothing when this resolves. */
  renew(which: AdminPassword): Promise<AdminAccount>;
}

/** Which password of an account somebody gave; undefined: the name or the password is another one. */
export function findPassword({ username, passwords }: AdminAccount, given: Account): AdminPassword | undefined {
  const isFirst = isSameSecret(given.password, passwords[0]);
  const isSecond = isSameSecret(given.password, passwords[1]);
  if (!isSameSecret(given.username, username)) return undefined;
  return isFirst ? 1 : isSecond ? 2 : undefined;
}

function isSameFile(a: Stats, b: Stats | undefined): boolean {
  return a.ino === b?.ino && a.mtimeMs === b.mtimeMs && a.size === b.size;
}

function formatAccount({ username, passwords }: AdminAccount): string {
  return `${JSON.stringify({ username, password: passwords[0], password2: passwords[1] }, null, 2)}\n`;
}

/** What a file of before there were two passwords lacks is made, and written down. */
async function completeFile(file: string, dataDir: string): Promise<AdminAccount> {
  await loadAccount(dataDir);
  const { username, password, password2 } = parseAccountFile(readFileSync(file, 'utf8'), file);
  if (password2 !== undefined) return { username, passwords: [password, password2] };
  const account: AdminAccount = { username, passwords: [password, makeAccountPassword()] };
  await replaceFile(file, formatAccount(account));
  return account;
}

/**
 * Opens the admin account in `dataDir` (`admin.json`), which is made at first start.
 * @throws a plain error for a file that holds no account.
 */
export async function openAccount(dataDir: string): Promise<AccountKeeper> {
  const file = accountFile(dataDir);
  let account = await completeFile(file, dataDir);
  let seen: Stats | undefined;
  let renewing: Promise<unknown> = Promise.resolve();

  const current = (): AdminAccount => {
    try {
      const now = statSync(file);
      if (isSameFile(now, seen)) return account;
      const { username, password, password2 } = parseAccountFile(readFileSync(file, 'utf8'), file);
      account = { username, passwords: [password, password2 ?? account.passwords[1]] };
      seen = now;
    } catch {
      // What it held last is still the best that is known.
    }
    return account;
  };

  const renew = async (which: AdminPassword): Promise<AdminAccount> => {
    const { username, passwords } = current();
    const made = makeAccountPassword();
    await replaceFile(
      file,
      formatAccount({ username, passwords: which === 1 ? [made, passwords[1]] : [passwords[0], made] }),
    );
    return current();
  };

  return {
    current,
    renew: (which) => {
      const mine = renewing.then(() => renew(which));
      renewing = mine.catch(() => undefined);
      return mine;
    },
  };
}
