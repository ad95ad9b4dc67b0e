import { Option, type Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { readSecretInput } from '../secret-input.ts';
import { formatAge, formatTable } from '../words.ts';

const examples = `
Examples:
  slipway base-image credential set docker.io --username bot --password-stdin < token
  slipway base-image credential set ghcr.io --username bot --password-file token
  slipway base-image credential list
  slipway base-image credential remove ghcr.io

With it the registry is asked what bases are by now, for tasks that have no credential of their own for it. Runs do not get it: what they
pull and push with is set by "slipway task credential".`;

interface SetFlags {
  readonly username?: string;
  readonly passwordStdin?: true;
  readonly passwordFile?: string;
  readonly password?: string | true;
}

/** What stands in a command line is seen by everybody who can list processes, and is kept by shells. */
function refuseWords(words: readonly string[], { password }: SetFlags): void {
  if (words.length === 0 && password === undefined) return;
  throw fail('invalid-request', 'a password is not taken from the command line, where others can see it', {
    field: '--password',
    hint: 'give --password-stdin and pipe it in, or --password-file FILE; on a terminal, neither: you are asked for it',
  });
}

/** From a file, or from stdin; on a terminal it is asked for. */
async function readPassword(cli: Cli, { passwordStdin, passwordFile }: SetFlags): Promise<string> {
  if (passwordStdin === true && passwordFile !== undefined)
    throw fail('invalid-request', '--password-stdin and --password-file exclude each other', {
      field: '--password-file',
    });
  const isFile = passwordFile !== undefined;
  const input = { what: 'the password', flag: '--password', given: isFile ? undefined : '-', file: passwordFile };
  return (await readSecretInput(cli, input)) ?? '';
}

async function set(cli: Cli, registry: string, flags: SetFlags): Promise<ExitCode> {
  const { username } = flags;
  if (username === undefined) throw fail('invalid-request', '--username is missing', { field: '--username' });
  const password = await readPassword(cli, flags);
  const entry = await (await cli.client()).setBaseImageCredential(registry, username, password);
  await cli.screen.result(entry);
  if (!cli.screen.json) await cli.screen.print(`${entry.registry} is asked about base images with this credential.`);
  return 0;
}

async function list({ screen, client, io }: Cli): Promise<ExitCode> {
  const all = await (await client()).baseImageCredentials();
  await screen.result(all);
  if (screen.json) return 0;
  if (all.length === 0) screen.note('No credential is set for any registry.');
  const rows = all.map(({ registry, lastUpdatedTime, updatedBy }) => [
    registry,
    formatAge(Date.parse(lastUpdatedTime), io.clock.now()),
    `by ${updatedBy}`,
  ]);
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

async function remove({ screen, client }: Cli, registry: string): Promise<ExitCode> {
  await (await client()).removeBaseImageCredential(registry);
  await screen.result({ registry, removed: true });
  if (!screen.json) await screen.print(`The credential for ${registry} is removed.`);
  return 0;
}

/** Adds `slipway base-image credential …`. */
export function addBaseImageCredential(baseImage: Command, start: Start): void {
  const credential = baseImage
    .command('credential')
    .summary('what other registries are asked with about base images')
    .description('Keeps, sealed, a credential for each registry that may be asked whether base images have changed.')
    .addHelpText('after', examples);
  credential
    .command('set')
    .description('Sets the credential for a registry, in place of an earlier one.')
    .argument('<registry>', 'its host as image names begin: docker.io, ghcr.io, registry.example.com:5000')
    .argument('[refused...]', 'nothing: a password does not stand in a command line')
    .option('-u, --username <name>', 'the account there')
    .option('--password-stdin', 'the password comes on stdin; on a terminal it is asked for')
    .option('--password-file <path>', 'the file that the password is in')
    .addOption(new Option('-p, --password [password]').hideHelp())
    .action((registry: string, words: readonly string[], flags: SetFlags, command: Command) =>
      start(command, async (cli) => {
        refuseWords(words, flags);
        return set(cli, registry, flags);
      }),
    );
  credential
    .command('list')
    .description('Lists the registries that a credential is set for, when, and by whom.')
    .action((_flags: unknown, command: Command) => start(command, list));
  credential
    .command('remove')
    .description('Removes the credential for a registry: it is asked as a stranger from then on.')
    .argument('<registry>', 'its host')
    .action((registry: string, _flags: unknown, command: Command) => start(command, (cli) => remove(cli, registry)));
}
