import type { Command } from 'commander';
import { fail } from '../domain/failure.ts';
import { scopeMapActions, type PasswordName, type PasswordOrder } from '../domain/registry-access.ts';
import type { GeneratedView } from './access-client.ts';
import type { Cli } from './cli.ts';
import { formatTable } from './words.ts';

/** Until when passwords are good, and which of the two. */
export interface PasswordFlags {
  readonly expiration?: string;
  readonly expirationInDays?: string;
  readonly password1?: true;
  readonly password2?: true;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Reads repositories with their actions: `team/app content/read content/write other content/read`. An action stands for the repository
 * before it.
 * @throws `invalid-request` naming `flag` for a repository without an action, and an action without a repository.
 */
export function readRules(words: readonly string[], flag: string): readonly string[] {
  const rules: string[] = [];
  let repository: string | undefined;
  let isBare = false;
  const refuseBare = (): void => {
    if (isBare) throw fail('invalid-request', `${flag} ${repository ?? ''} has no action`, { field: flag, hint });
  };
  const hint = `${flag} REPOSITORY ACTION…, where ACTION is one of ${scopeMapActions.join(', ')}`;
  for (const word of words) {
    if (scopeMapActions.some((action) => action === word)) {
      if (repository === undefined)
        throw fail('invalid-request', `${flag} begins with no repository`, { field: flag, hint });
      rules.push(`repositories/${repository}/${word}`);
      isBare = false;
    } else {
      refuseBare();
      [repository, isBare] = [word, true];
    }
  }
  refuseBare();
  return rules;
}

/** When passwords end; undefined: never. Throws `invalid-request`. */
export function readExpiry(cli: Cli, { expiration, expirationInDays }: PasswordFlags): string | undefined {
  if (expiration !== undefined && expirationInDays !== undefined)
    throw fail('invalid-request', '--expiration and --expiration-in-days exclude each other', {
      field: '--expiration',
    });
  if (expiration !== undefined) {
    if (!Number.isNaN(Date.parse(expiration))) return new Date(Date.parse(expiration)).toISOString();
    throw fail('invalid-request', `"${expiration.slice(0, 60)}" is no time`, {
      field: '--expiration',
      hint: 'such as 2027-01-31T00:00:00Z',
    });
  }
  if (expirationInDays === undefined) return undefined;
  const days = /^\d{1,5}$/.test(expirationInDays) ? Number(expirationInDays) : 0;
  if (days > 0) return new Date(cli.io.clock.now() + days * dayMs).toISOString();
  throw fail('invalid-request', '--expiration-in-days must be a number of days', { field: '--expiration-in-days' });
}

/** Which passwords the flags name; both where they name none. */
export function readPasswordNames({ password1, password2 }: PasswordFlags): readonly PasswordName[] {
  if (password1 === password2) return ['password1', 'password2'];
  return password1 === true ? ['password1'] : ['password2'];
}

/** Which passwords to make, and until when they are good. */
export function readPasswordOrder(cli: Cli, flags: PasswordFlags): PasswordOrder {
  const names = readPasswordNames(flags);
  const [name] = names;
  const expiry = readExpiry(cli, flags);
  return {
    ...(names.length === 1 && name !== undefined && { name }),
    ...(expiry !== undefined && { expiry }),
  };
}

/** Adds the flags that say which passwords, and until when. */
export function addPasswordFlags(command: Command, verb: 'make' | 'delete'): Command {
  return command
    .option('--password1', `${verb} the first password only`)
    .option('--password2', `${verb} the second password only`);
}

/** Adds the flags that say when passwords end. */
export function addExpiryFlags(command: Command): Command {
  return command
    .option('--expiration <time>', 'when the passwords end, such as 2027-01-31T00:00:00Z; never when not given')
    .option('--expiration-in-days <days>', 'the same, counted from now');
}

/** Shows passwords that were made, and how to log in with them. */
export async function printPasswords({ screen }: Cli, generated: GeneratedView, loginServer: string): Promise<void> {
  await screen.print('The passwords are shown this once:');
  const rows = generated.passwords.map(({ name, value, expiry }) => [
    name,
    value,
    expiry === undefined ? '' : `until ${expiry}`,
  ]);
  for (const line of formatTable(rows)) await screen.print(line);
  const login = `docker login -u ${generated.username} --password-stdin ${loginServer}`;
  await screen.print(screen.colors.dim(`Log in:  ${login}`));
}
