import { Option, type Command } from 'commander';
import type { AdminCredentialView } from '../access-client.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { formatTable } from '../words.ts';

async function print({ screen }: Cli, { username, passwords }: AdminCredentialView): Promise<void> {
  const rows = [['user', username], ...passwords.map(({ name, value }) => [name, value])];
  for (const line of formatTable(rows)) await screen.print(line);
}

async function show(cli: Cli): Promise<ExitCode> {
  const credential = await (await cli.client()).adminCredential();
  await cli.screen.result(credential);
  if (!cli.screen.json) await print(cli, credential);
  return 0;
}

async function renew(cli: Cli, { password }: { readonly password: '1' | '2' }): Promise<ExitCode> {
  const name = password === '1' ? 'password' : 'password2';
  const credential = await (await cli.client()).renewAdminPassword(name);
  await cli.screen.result(credential);
  if (cli.screen.json) return 0;
  await cli.screen.print(`${name} is another one now; the one before is worth nothing any more.`);
  await print(cli, credential);
  return 0;
}

/** Adds `slipway registry credential …`. */
export function addRegistryCredential(registry: Command, start: Start): void {
  const credential = registry
    .command('credential')
    .summary('show and renew the admin account’s passwords')
    .description('The admin account has two passwords, either of which is good: renew one while the other is in use.');
  credential
    .command('show')
    .description('Shows the name and both passwords.')
    .action((_flags: unknown, command: Command) => start(command, show));
  credential
    .command('renew')
    .description('Makes a new password in the place of one.')
    .addOption(
      new Option('--password <which>', 'the first or the second').choices(['1', '2']).makeOptionMandatory(true),
    )
    .action((flags: { readonly password: '1' | '2' }, command: Command) => start(command, (cli) => renew(cli, flags)));
}
