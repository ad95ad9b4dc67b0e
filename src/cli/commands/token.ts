import { Option, type Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import type { TokenView } from '../access-client.ts';
import { addExpiryFlags, printPasswords, readExpiry, readRules, type PasswordFlags } from '../access-options.ts';
import type { ApiClient } from '../api-types.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { formatTable } from '../words.ts';
import { addCredentialCommands } from './access-credential.ts';

const examples = `
Examples:
  slipway token create ci-push --repository 'team/*' content/read content/write --expiration-in-days 90
  slipway token create viewer --scope-map _repositories_pull
  slipway token create viewer --scope-map _repositories_pull --json | jq -r '.credentials.passwords[0].value'
  slipway token update ci-push --status disabled
  slipway token credential generate ci-push --password2       the first one stays good while the second is rolled out
  slipway token delete ci-push

A token logs in by its name and either of two passwords, and may do what its scope map allows: see slipway scope-map.`;

interface Flags extends PasswordFlags {
  readonly scopeMap?: string;
  readonly repository?: readonly string[];
  readonly status?: string;
  /** False with --no-passwords. */
  readonly passwords?: boolean;
}

/** The scope map that flags name; one of the token's own when they name repositories. */
async function readScopeMap(client: ApiClient, name: string, flags: Flags): Promise<string | undefined> {
  if (flags.repository === undefined) return flags.scopeMap;
  if (flags.scopeMap !== undefined)
    throw fail('invalid-request', '--scope-map and --repository exclude each other', { field: '--scope-map' });
  const actions = readRules(flags.repository, '--repository');
  const made = await client.scopeMaps.put(`${name}-scope-map`, { actions, description: `Made for token ${name}` });
  return made.name;
}

async function create(cli: Cli, name: string, flags: Flags): Promise<ExitCode> {
  const { screen } = cli;
  const expiry = readExpiry(cli, flags);
  const client = await cli.client();
  const scopeMapId = await readScopeMap(client, name, flags);
  if (scopeMapId === undefined)
    throw fail('invalid-request', 'what the token may do is missing', {
      field: '--scope-map',
      hint: "--scope-map NAME, or --repository 'team/*' content/read",
    });
  const status = flags.status ?? 'enabled';
  const token = await client.tokens.put(name, { scopeMapId, status });
  const order = expiry === undefined ? {} : { expiry };
  const made = flags.passwords === false ? undefined : await client.generatePasswords('token', name, order);
  await screen.result({ ...token, ...(made && { credentials: made }) });
  if (screen.json) return 0;
  await screen.print(`Token ${token.name} has the scope map ${mapOf(token)}.`);
  if (made) await printPasswords(cli, made, (await client.registry()).loginServer);
  return 0;
}

function mapOf({ properties: { scopeMapId } }: TokenView): string {
  return scopeMapId.slice(scopeMapId.lastIndexOf('/') + 1);
}

async function update(cli: Cli, name: string, flags: Flags): Promise<ExitCode> {
  const { screen } = cli;
  const client = await cli.client();
  const scopeMapId = await readScopeMap(client, name, flags);
  if (scopeMapId === undefined && flags.status === undefined)
    throw fail('invalid-request', 'nothing is to be changed', { hint: 'give --scope-map, --repository or --status' });
  const token = await client.tokens.patch(name, {
    ...(scopeMapId !== undefined && { scopeMapId }),
    ...(flags.status !== undefined && { status: flags.status }),
  });
  await screen.result(token);
  if (!screen.json)
    await screen.print(`Token ${token.name} is ${token.properties.status} and has the scope map ${mapOf(token)}.`);
  return 0;
}

async function list({ screen, client }: Cli): Promise<ExitCode> {
  const tokens = await (await client()).tokens.list();
  await screen.result(tokens);
  if (screen.json) return 0;
  if (tokens.length === 0) screen.note('There are no tokens.');
  const rows = tokens.map((token) => [token.name, token.properties.status, mapOf(token)]);
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

async function show({ screen, client }: Cli, name: string): Promise<ExitCode> {
  const token = await (await client()).tokens.get(name);
  await screen.result(token);
  if (screen.json) return 0;
  const { status, creationDate, credentials } = token.properties;
  const rows = [
    ['name', token.name],
    ['status', status],
    ['scope map', mapOf(token)],
    ['made', creationDate],
    ...credentials.passwords.map((one) => [one.name, `made ${one.creationTime}, ends ${one.expiry ?? 'never'}`]),
  ];
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

async function remove({ screen, client }: Cli, name: string): Promise<ExitCode> {
  await (await client()).tokens.delete(name);
  await screen.result({ name, deleted: true });
  if (!screen.json) await screen.print(`Token ${name} is deleted. Whoever is logged in with it is not any more.`);
  return 0;
}

function addRights(command: Command): Command {
  return command
    .option('--scope-map <name>', 'the scope map that says what it may do')
    .option('--repository <words...>', 'a repository and its actions, repeatable: makes the scope map NAME-scope-map')
    .addOption(
      new Option('--status <status>', 'a token that is disabled may nothing').choices(['enabled', 'disabled']),
    );
}

/** Adds `slipway token …`. */
export function addToken(program: Command, start: Start): void {
  const token = program
    .command('token')
    .summary('give access to some repositories')
    .description('Names with passwords that log in to the registry and may do what a scope map allows.')
    .addHelpText('after', examples);
  const making = token
    .command('create')
    .description('Makes a token and its two passwords, which are shown once.')
    .argument('<name>', '5 to 50 letters, digits, "-" and "_"')
    .option('--no-passwords', 'make no passwords yet');
  addExpiryFlags(addRights(making)).action((name: string, flags: Flags, command: Command) =>
    start(command, (cli) => create(cli, name, flags)),
  );
  addRights(
    token.command('update').description('Changes what a token may do, at once.').argument('<name>', 'its name'),
  ).action((name: string, flags: Flags, command: Command) => start(command, (cli) => update(cli, name, flags)));
  token
    .command('list')
    .description('Lists tokens.')
    .action((_flags: unknown, command: Command) => start(command, list));
  const ofName = [
    ['show', 'Shows a token and when its passwords end.', show],
    ['delete', 'Deletes a token; its passwords end at once.', remove],
  ] as const;
  for (const [verb, description, work] of ofName)
    token
      .command(verb)
      .description(description)
      .argument('<name>', 'its name')
      .action((name: string, _flags: unknown, command: Command) => start(command, (cli) => work(cli, name)));
  addCredentialCommands(token, 'token', start);
}
