import { Option, type Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import { registryRoles, type RegistryRole, type RoleAssignment } from '../../domain/registry-access.ts';
import type { ServicePrincipalView } from '../access-client.ts';
import { addExpiryFlags, printPasswords, readExpiry, type PasswordFlags } from '../access-options.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { collect } from '../options.ts';
import { readSecretInput } from '../secret-input.ts';
import { formatTable } from '../words.ts';
import { addCredentialCommands } from './access-credential.ts';

const examples = `
Examples:
  slipway registry service-principal create deployer --role AcrPull
  slipway registry service-principal create builder --role 'Repository Writer:team/*' --role AcrPull
  slipway registry service-principal create legacy --role AcrPull --secret-stdin < secret
  slipway registry service-principal credential generate deployer --password2
  slipway registry service-principal delete deployer

Roles: ${registryRoles.join(', ')}.
A role is for the whole registry, or for the repositories behind its colon: a name, or prefix/* for all below it.`;

interface Flags extends PasswordFlags {
  readonly role?: readonly string[];
  readonly displayName?: string;
  readonly status?: string;
  readonly secretStdin?: true;
  /** False with --no-passwords. */
  readonly passwords?: boolean;
}

function isRole(text: string): text is RegistryRole {
  return registryRoles.some((role) => role === text);
}

function readAssignment(text: string): RoleAssignment {
  const [word = '', repositories = '*'] = text.split(':', 2);
  const role = registryRoles.find((one) => one.toLowerCase() === word.toLowerCase()) ?? word;
  if (isRole(role)) return { role, repositories };
  throw fail('invalid-request', `"${word.slice(0, 60)}" is no role`, {
    field: '--role',
    hint: `one of ${registryRoles.join(', ')}`,
  });
}

function readAssignments({ role }: Flags): { readonly roleAssignments?: readonly RoleAssignment[] } {
  return role === undefined ? {} : { roleAssignments: role.map(readAssignment) };
}

async function readSecret(cli: Cli, { secretStdin }: Flags): Promise<{ readonly secret?: string }> {
  if (secretStdin !== true) return {};
  const input = { what: 'the secret', flag: '--secret', given: '-', file: undefined };
  const secret = await readSecretInput(cli, input);
  return secret === undefined ? {} : { secret };
}

async function create(cli: Cli, name: string, flags: Flags): Promise<ExitCode> {
  const { screen } = cli;
  const { displayName, status } = flags;
  const expiry = readExpiry(cli, flags);
  const body = {
    ...readAssignments(flags),
    ...(await readSecret(cli, flags)),
    ...(displayName !== undefined && { displayName }),
    ...(status !== undefined && { status }),
  };
  const client = await cli.client();
  const made = await client.servicePrincipals.put(name, body);
  const wantsNone = flags.passwords === false || flags.secretStdin === true;
  const order = expiry === undefined ? {} : { expiry };
  const passwords = wantsNone ? undefined : await client.generatePasswords('service-principal', name, order);
  await screen.result({ ...made, ...(passwords && { credentials: passwords }) });
  if (screen.json) return 0;
  await screen.print(`Service principal ${made.name} has ${describeRoles(made) || 'no roles yet'}.`);
  if (passwords) await printPasswords(cli, passwords, (await client.registry()).loginServer);
  return 0;
}

function describeRoles({ properties: { roleAssignments } }: ServicePrincipalView): string {
  return roleAssignments
    .map(({ role, repositories }) => (repositories === '*' ? role : `${role} for ${repositories}`))
    .join(', ');
}

async function update(cli: Cli, name: string, flags: Flags): Promise<ExitCode> {
  const { screen, client } = cli;
  const { displayName, status } = flags;
  const body = {
    ...readAssignments(flags),
    ...(displayName !== undefined && { displayName }),
    ...(status !== undefined && { status }),
  };
  if (Object.keys(body).length === 0)
    throw fail('invalid-request', 'nothing is to be changed', { hint: 'give --role, --status or --display-name' });
  const changed = await (await client()).servicePrincipals.patch(name, body);
  await screen.result(changed);
  if (!screen.json)
    await screen.print(
      `Service principal ${changed.name} is ${changed.properties.status} and has ${describeRoles(changed) || 'no roles'}.`,
    );
  return 0;
}

async function list({ screen, client }: Cli): Promise<ExitCode> {
  const all = await (await client()).servicePrincipals.list();
  await screen.result(all);
  if (screen.json) return 0;
  if (all.length === 0) screen.note('There are no service principals.');
  const rows = all.map((one) => [one.name, one.properties.status, describeRoles(one)]);
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

async function show({ screen, client }: Cli, name: string): Promise<ExitCode> {
  const found = await (await client()).servicePrincipals.get(name);
  await screen.result(found);
  if (screen.json) return 0;
  const { displayName, status, creationDate, credentials } = found.properties;
  const rows = [
    ['name', found.name],
    ...(displayName === undefined ? [] : [['display name', displayName]]),
    ['status', status],
    ['roles', describeRoles(found)],
    ['made', creationDate],
    ...credentials.passwords.map((one) => [one.name, `made ${one.creationTime}, ends ${one.expiry ?? 'never'}`]),
  ];
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

async function remove({ screen, client }: Cli, name: string): Promise<ExitCode> {
  await (await client()).servicePrincipals.delete(name);
  await screen.result({ name, deleted: true });
  if (!screen.json)
    await screen.print(`Service principal ${name} is deleted. Whoever is logged in as it is not any more.`);
  return 0;
}

function addRoles(command: Command): Command {
  return command
    .option('--role <role>', 'a role, for the whole registry or as ROLE:REPOSITORIES, repeatable', collect)
    .option('--display-name <text>', 'a name for people')
    .addOption(new Option('--status <status>', 'one that is disabled may nothing').choices(['enabled', 'disabled']));
}

function addWriting(parent: Command, start: Start): void {
  const making = parent
    .command('create')
    .description('Makes a service principal and its two passwords, which are shown once.')
    .argument('<name>', '5 to 50 letters, digits, "-" and "_"')
    .option('--secret-stdin', 'read its password from stdin instead, 16 characters at least')
    .option('--no-passwords', 'make no passwords yet');
  addExpiryFlags(addRoles(making)).action((name: string, flags: Flags, command: Command) =>
    start(command, (cli) => create(cli, name, flags)),
  );
  const changing = parent
    .command('update')
    .description('Changes a service principal, at once; --role puts other roles in the place of all that it has.')
    .argument('<name>', 'its name');
  addRoles(changing).action((name: string, flags: Flags, command: Command) =>
    start(command, (cli) => update(cli, name, flags)),
  );
}

/** Adds `slipway registry service-principal …`. */
export function addServicePrincipal(registry: Command, start: Start): void {
  const parent = registry
    .command('service-principal')
    .summary('give programs roles')
    .description('Programs that log in to the registry by a name and password and have roles.')
    .addHelpText('after', examples);
  addWriting(parent, start);
  parent
    .command('list')
    .description('Lists service principals.')
    .action((_flags: unknown, command: Command) => start(command, list));
  const ofName = [
    ['show', 'Shows a service principal, its roles, and when its passwords end.', show],
    ['delete', 'Deletes a service principal; its passwords end at once.', remove],
  ] as const;
  for (const [verb, description, work] of ofName)
    parent
      .command(verb)
      .description(description)
      .argument('<name>', 'its name')
      .action((name: string, _flags: unknown, command: Command) => start(command, (cli) => work(cli, name)));
  addCredentialCommands(parent, 'service-principal', start);
}
