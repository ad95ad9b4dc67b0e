import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readOrMake } from './key.ts';

/** A name and password that may use the API and the registry. */
export interface Account {
  readonly username: string;
  readonly password: string;
}

/** Where the admin account of an installation lies. */
export function accountFile(dataDir: string): string {
  return join(dataDir, 'admin.json');
}

/** A new password: 192 random bits. */
export function makeAccountPassword(): string {
  return randomBytes(24).toString('base64url');
}

/** The account's file, whose second password is younger than the rest. */
interface AccountFile extends Account {
  readonly password2?: string;
}

function isAccountFile(value: unknown): value is AccountFile {
  const account = value as Partial<AccountFile> | null;
  const isSecond = account?.password2 === undefined || typeof account.password2 === 'string';
  return isSecond && typeof account?.username === 'string' && typeof account.password === 'string';
}

/** Reads the account's file; throws a plain error that names it when it holds no account. */
export function parseAccountFile(text: string, file: string): AccountFile {
  const value: unknown = JSON.parse(text);
  if (!isAccountFile(value)) throw new Error(`${file} holds no account`);
  const { username, password, password2 } = value;
  return { username, password, ...(password2 !== undefined && { password2 }) };
}

function parseAccount(text: string, file: string): Account {
  const { username, password } = parseAccountFile(text, file);
  return { username, password };
}

/** The admin account of the installation in `dataDir`, made at first start (random 192-bit passwords, file mode 0600), with the first of its passwords. */
export async function loadAccount(dataDir: string): Promise<Account> {
  const file = accountFile(dataDir);
  const made = { username: 'admin', password: makeAccountPassword(), password2: makeAccountPassword() };
  const make = (): string => `${JSON.stringify(made, null, 2)}\n`;
  return parseAccount(await readOrMake(file, make), file);
}

/** The admin account, with the first of its passwords, when this machine has it and this user may read it. */
export async function readAccount(dataDir: string): Promise<Account | undefined> {
  const file = accountFile(dataDir);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parseAccount(text, file);
}

/** Compares two texts in a time that tells nothing about where they differ. */
export function isSameSecret(given: string, expected: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

/** The name and password of an `Authorization: Basic …` header (RFC 7617); undefined for anything else. */
export function parseBasic(header: string | undefined): Account | undefined {
  const match = /^Basic +([A-Za-z0-9+/=_-]{1,8192})$/i.exec(header ?? '');
  const text = Buffer.from(match?.[1] ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
