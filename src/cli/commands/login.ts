import type { Command } from 'commander';
import { text as readText } from 'node:stream/consumers';
import { fail } from '../../domain/failure.ts';
import { readAccount, type Account } from '../../secret/account.ts';
import { findAccount, type Cli, type Start } from '../cli.ts';
import { createClient } from '../client.ts';
import { parseServer } from '../client-config.ts';
import { storeCredential } from '../credentials.ts';
import type { ExitCode } from '../exit-codes.ts';

const examples = `
Examples:
  slipway login --show                                   the account of the installation on this machine
  slipway login --show --json | jq -r .password | docker login -u admin --password-stdin 127.0.0.1:5080
  slipway login -u admin --password-stdin https://slipway.example.com < password.txt`;

interface LoginFlags {
  readonly show?: true;
  readonly username?: string;
  readonly passwordStdin?: true;
}

/** How docker is told of the account; the password is asked for or piped in, and never stands in a command line. */
function dockerLogin(registry: string, username: string): string {
  return `docker login -u ${username} --password-stdin ${registry}`;
}

async function show({ screen, config }: Cli): Promise<ExitCode> {
  const { dataDir, url, registryHost } = config();
  const account = await readAccount(dataDir);
  if (account === undefined) {
    const hint = 'slipway up makes it at its first start; SLIPWAY_DATA says where it lies.';
    throw fail('not-found', `there is no account under ${dataDir}, or this user may not read it`, { hint });
  }
  await screen.result({ server: url, registry: registryHost, ...account });
  if (screen.json) return 0;
  const { colors } = screen;
  await screen.print(`Server:    ${url}`);
  await screen.print(`Registry:  ${registryHost}`);
  await screen.print(`User:      ${account.username}`);
  await screen.print(`Password:  ${account.password}`);
  await screen.print(
    colors.dim(
      `Log in:    slipway login --show --json | jq -r .password | ${dockerLogin(registryHost, account.username)}`,
    ),
  );
  return 0;
}

async function readPassword({ io }: Cli): Promise<string> {
  const password = (await readText(io.stdin)).replace(/\r?\n$/, '');
  if (password !== '') return password;
  throw fail('invalid-request', 'no password came on stdin', { field: '--password-stdin' });
}

async function readGiven(cli: Cli, { username, passwordStdin }: LoginFlags): Promise<Account | undefined> {
  if (username === undefined && passwordStdin === undefined) return undefined;
  if (username !== undefined && passwordStdin === true) return { username, password: await readPassword(cli) };
  const hint = 'slipway login -u USER --password-stdin SERVER < password.txt';
  throw fail('invalid-request', '--username and --password-stdin go together', { field: '--username', hint });
}

/** Tries an account on a server; what was typed is stored once it has worked. */
async function login(cli: Cli, flags: LoginFlags, word: string | undefined): Promise<ExitCode> {
  const { screen } = cli;
  const server = word === undefined ? cli.server() : parseServer(word, 'SERVER');
  const given = await readGiven(cli, flags);
  const account = given ?? (await findAccount(cli, server));
  if (account === undefined) {
    const hint = 'slipway login -u USER --password-stdin SERVER < password.txt';
    throw fail('unauthenticated', `no account is known for ${server}`, { hint });
  }
  const { loginServer } = await createClient({ server, account }).registry();
  if (given !== undefined) {
    const file = await storeCredential(cli.config().dataDir, { ...given, server, registry: loginServer });
    screen.note(`The account is kept in ${file}.`);
  }
  await screen.result({ server, registry: loginServer, username: account.username });
  if (screen.json) return 0;
  await screen.print(`Logged in to ${server} as ${account.username}.`);
  if (server !== cli.server()) await screen.print(`Use it:   export SLIPWAY_SERVER=${server}`);
  await screen.print(`Registry: ${dockerLogin(loginServer, account.username)}`);
  return 0;
}

/** Adds `slipway login`. */
export function addLogin(program: Command, start: Start): void {
  program
    .command('login')
    .summary('show the account of this machine, or keep one for another server')
    .description('Checks an account on a server and keeps it for later commands; or shows the one of this machine.')
    .argument('[server]', 'address of the server; the one on this machine when not given')
    .option('--show', 'print the address, user name and password of the installation on this machine')
    .option('-u, --username <name>', 'user name')
    .option('--password-stdin', 'read the password from stdin')
    .addHelpText('after', examples)
    .action((server: string | undefined, flags: LoginFlags, command: Command) =>
      start(command, (cli) => (flags.show === true ? show(cli) : login(cli, flags, server))),
    );
}
