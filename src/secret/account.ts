import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readOrMake } from './key.ts';

/** A name and password that may use the API and the registry. */
export interface Account {
  readonly username: string;
  readonly password: string;
}

function accountFile(dataDir: string): string {
  return join(dataDir, 'admin.json');
}

function isAccount(value: unknown): value is Account {
  const account = value as Partial<Account> | null;
  return typeof account?.username === 'string' && typeof account.password === 'string';
}

function parseAccount(text: string, file: string): Account {
  const value: unknown = JSON.parse(text);
  if (!isAccount(value)) throw new Error(`${file} holds no account`);
  return { username: value.username, password: value.password };
}

/** The admin account of the installation in `dataDir`, made at first start (random 192-bit password, file mode 0600). */
export async function loadAccount(dataDir: string): Promise<Account> {
  const file = accountFile(dataDir);
  const make = (): string =>
    `${JSON.stringify({ username: 'admin', password: randomBytes(24).toString('base64url') }, null, 2)}\n`;
  return parseAccount(await readOrMake(file, make), file);
}

/** The admin account when this machine has it and this user may read it. */
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
