import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../domain/failure.ts';
import { claimDataDirectory } from '../host/data-directory.ts';
import type { Account } from '../secret/account.ts';

/** An account with the server that it is for. */
export interface StoredAccount extends Account {
  readonly server: string;
  /** Host of the server's registry. */
  readonly registry: string;
}

/** Accounts by the address of the server that they are for; the registry is the server's own host where it was not written down. */
type Stored = Readonly<Record<string, Account & { readonly registry?: string }>>;

function fileOf(dataDir: string): string {
  return join(dataDir, 'credentials.json');
}

async function readAll(dataDir: string): Promise<Stored> {
  const file = fileOf(dataDir);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return {};
  try {
    const { servers } = JSON.parse(text) as { readonly servers?: Stored };
    return servers ?? {};
  } catch {
    throw fail('internal', `${file} is damaged`, { hint: 'Remove it and log in again.' });
  }
}

/** The account that `slipway login` stored for a server. */
export async function readCredential(dataDir: string, server: string): Promise<Account | undefined> {
  const stored = await readAll(dataDir);
  return Object.hasOwn(stored, server) ? stored[server] : undefined;
}

/** All accounts that `slipway login` stored. */
export async function listCredentials(dataDir: string): Promise<readonly StoredAccount[]> {
  const stored = Object.entries(await readAll(dataDir));
  return stored.map(([server, account]) => ({ registry: new URL(server).host, ...account, server }));
}

/** Stores the account for its server, in a file that only this user may read. Returns its path. */
export async function storeCredential(dataDir: string, { server, ...account }: StoredAccount): Promise<string> {
  const file = fileOf(dataDir);
  const servers = { ...(await readAll(dataDir)), [server]: account };
  claimDataDirectory(dataDir);
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify({ servers }, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
  return file;
}
