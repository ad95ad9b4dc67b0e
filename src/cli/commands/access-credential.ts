import type { Command } from 'commander';
import { withoutPasswords, type AccessCalls } from '../access-client.ts';
import {
  addExpiryFlags,
  addPasswordFlags,
  printPasswords,
  readPasswordNames,
  readPasswordOrder,
  type PasswordFlags,
} from '../access-options.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';

/** Whose passwords. */
type HolderKind = Parameters<AccessCalls['generatePasswords']>[0];

async function generate(cli: Cli, kind: HolderKind, name: string, flags: PasswordFlags): Promise<ExitCode> {
  const client = await cli.client();
  const made = await client.generatePasswords(kind, name, readPasswordOrder(cli, flags));
  await cli.screen.result(made);
  if (!cli.screen.json) await printPasswords(cli, made, (await client.registry()).loginServer);
  return 0;
}

async function remove(
  { screen, client }: Cli,
  kind: HolderKind,
  name: string,
  flags: PasswordFlags,
): Promise<ExitCode> {
  const { tokens, servicePrincipals } = await client();
  const names = readPasswordNames(flags);
  const holders = kind === 'token' ? tokens : servicePrincipals;
  const { properties } = await holders.get(name);
  const changed = await holders.patch(name, withoutPasswords(properties, names));
  await screen.result(changed);
  if (!screen.json) await screen.print(`${names.join(' and ')} of ${changed.name} ended.`);
  return 0;
}

/** Adds `credential generate|delete` to the commands of tokens or service principals. */
export function addCredentialCommands(parent: Command, kind: HolderKind, start: Start): void {
  const credential = parent
    .command('credential')
    .description('Makes and deletes the two passwords: renew one while the other is in use.');
  const generating = credential
    .command('generate')
    .description('Makes passwords and shows them, once; those of the same name end at once.')
    .argument('<name>', 'whose');
  addExpiryFlags(addPasswordFlags(generating, 'make')).action((name: string, flags: PasswordFlags, command: Command) =>
    start(command, (cli) => generate(cli, kind, name, flags)),
  );
  const deleting = credential.command('delete').description('Ends passwords.').argument('<name>', 'whose');
  addPasswordFlags(deleting, 'delete').action((name: string, flags: PasswordFlags, command: Command) =>
    start(command, (cli) => remove(cli, kind, name, flags)),
  );
}
