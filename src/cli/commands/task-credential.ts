import { Option, type Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { readSecretInput } from '../secret-input.ts';
import { addTaskName, readTaskName } from '../task-options.ts';
import type { TaskDocument } from '../task-types.ts';

const examples = `
Examples:
  slipway task credential add web-app --login-server registry.example.com -u bot --password-stdin < password
  slipway task credential update web-app --login-server registry.example.com -u bot --password-file password
  slipway task credential list web-app
  slipway task credential remove web-app --login-server registry.example.com

A task's runs may use the registry in the box without one. Passwords are kept sealed, and shown by "task show --with-secure-properties" alone.`;

interface CredentialFlags {
  readonly name?: string;
  readonly loginServer?: string;
  readonly username?: string;
  readonly password?: string;
  readonly passwordFile?: string;
  readonly passwordStdin?: true;
  readonly useIdentity?: string;
}

function hostsOf({ properties }: TaskDocument): readonly string[] {
  return Object.keys(properties.credentials?.customRegistries ?? {});
}

function readHost({ loginServer }: CredentialFlags): string {
  if (loginServer === undefined)
    throw fail('invalid-request', '--login-server is missing', {
      field: '--login-server',
      hint: 'the registry’s host, for example registry.example.com',
    });
  return loginServer;
}

function requireHost(task: TaskDocument, flags: CredentialFlags): string {
  const wanted = readHost(flags);
  const found = hostsOf(task).find((host) => host.toLowerCase() === wanted.toLowerCase());
  if (found !== undefined) return found;
  const hint = hostsOf(task).length === 0 ? 'it has none at all' : `it has ${hostsOf(task).join(', ')}`;
  throw fail('not-found', `task ${task.name} has no credential for ${wanted}`, { hint });
}

/** The credential that flags give; on a terminal the password is asked for. */
async function readCredential(cli: Cli, flags: CredentialFlags): Promise<object> {
  if (flags.useIdentity !== undefined) {
    const hint = 'give -u and a password';
    throw fail('unsupported', 'there are no managed identities here', { field: '--use-identity', hint });
  }
  if (flags.username === undefined) throw fail('invalid-request', '--username is missing', { field: '--username' });
  const given = flags.passwordStdin === true ? '-' : flags.password;
  const isAsked = given === undefined && flags.passwordFile === undefined;
  const password = await readSecretInput(cli, {
    what: 'the password',
    flag: '--password',
    given: isAsked ? '-' : given,
    file: flags.passwordFile,
  });
  return {
    userName: { type: 'Opaque', value: flags.username },
    password: { type: 'Opaque', value: password },
  };
}

async function printHosts({ screen }: Cli, task: TaskDocument): Promise<void> {
  const hosts = hostsOf(task);
  await screen.result(hosts.map((loginServer) => ({ loginServer })));
  if (screen.json) return;
  if (hosts.length === 0) screen.note(`Task ${task.name} has no credentials.`);
  for (const host of hosts) await screen.print(host);
}

async function change(cli: Cli, name: string, host: string, credential: object | null): Promise<void> {
  const body = { properties: { credentials: { customRegistries: { [host]: credential } } } };
  const task = await (await cli.client()).patchTask(name, body);
  const what = credential === null ? 'has no credential any more' : 'has a credential';
  if (!cli.screen.json) await cli.screen.print(`Task ${task.name} ${what} for ${host}.`);
  await cli.screen.result(hostsOf(task).map((loginServer) => ({ loginServer })));
}

async function add(cli: Cli, name: string, flags: CredentialFlags): Promise<ExitCode> {
  await change(cli, name, readHost(flags), await readCredential(cli, flags));
  return 0;
}

async function update(cli: Cli, name: string, flags: CredentialFlags): Promise<ExitCode> {
  const host = requireHost(await (await cli.client()).task(name), flags);
  await change(cli, name, host, await readCredential(cli, flags));
  return 0;
}

async function remove(cli: Cli, name: string, flags: CredentialFlags): Promise<ExitCode> {
  const host = requireHost(await (await cli.client()).task(name), flags);
  await change(cli, name, host, null);
  return 0;
}

async function list(cli: Cli, name: string): Promise<ExitCode> {
  await printHosts(cli, await (await cli.client()).task(name));
  return 0;
}

function addLogin(command: Command): Command {
  return command
    .option('-u, --username <name>', 'the user there')
    .option('-p, --password <password>', 'the password; - reads it from stdin')
    .option('--password-stdin', 'the password comes on stdin')
    .option('--password-file <path>', 'the file that the password is in')
    .addOption(new Option('--use-identity <id>').hideHelp());
}

/** Adds `slipway task credential …`. */
export function addTaskCredential(task: Command, start: Start): void {
  const credential = task
    .command('credential')
    .summary('let a task use other registries')
    .description('Adds, changes, lists and removes the accounts that a task’s runs have at other registries.')
    .addHelpText('after', examples);
  const actions = { add, update, remove, list } as const;
  const summaries = {
    add: 'Adds an account at a registry.',
    update: 'Changes the account at a registry.',
    remove: 'Removes the account at a registry.',
    list: 'Lists the registries that a task has an account at.',
  } as const;
  for (const word of ['add', 'update', 'remove', 'list'] as const) {
    const named = addTaskName(credential.command(word)).description(summaries[word]);
    const command = word === 'list' ? named : named.option('--login-server <host>', 'the registry’s host');
    (word === 'add' || word === 'update' ? addLogin(command) : command).action(
      (name: string | undefined, flags: CredentialFlags, called: Command) =>
        start(called, (cli) => actions[word](cli, readTaskName(name, flags), flags)),
    );
  }
}
