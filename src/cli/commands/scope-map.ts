import type { Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import type { ScopeMapView } from '../access-client.ts';
import { readRules } from '../access-options.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { formatTable } from '../words.ts';

const examples = `
Examples:
  slipway scope-map create team-push --repository 'team/*' content/read content/write
  slipway scope-map update team-push --add-repository base/node content/read
  slipway scope-map update team-push --remove-repository base/node content/read
  slipway scope-map create anonymous --repository 'public/*' content/read     what those may do who do not log in
  slipway scope-map list

A repository is a name, prefix/* for all below it, or *. Actions: content/read, content/write, content/delete, metadata/read, metadata/write.`;

interface Flags {
  readonly description?: string;
  readonly repository?: readonly string[];
  readonly addRepository?: readonly string[];
  readonly removeRepository?: readonly string[];
}

async function print({ screen }: Cli, map: ScopeMapView, what: string): Promise<ExitCode> {
  await screen.result(map);
  if (!screen.json) await screen.print(`Scope map ${map.name} ${what} ${map.properties.actions.length} actions.`);
  return 0;
}

async function create(cli: Cli, name: string, { description, repository = [] }: Flags): Promise<ExitCode> {
  const actions = readRules(repository, '--repository');
  const body = { actions, ...(description !== undefined && { description }) };
  return print(cli, await (await cli.client()).scopeMaps.put(name, body), 'has');
}

async function update(cli: Cli, name: string, flags: Flags): Promise<ExitCode> {
  const added = readRules(flags.addRepository ?? [], '--add-repository');
  const removed = readRules(flags.removeRepository ?? [], '--remove-repository');
  const { description } = flags;
  if (added.length + removed.length === 0 && description === undefined)
    throw fail('invalid-request', 'nothing is to be changed', {
      hint: 'give --add-repository, --remove-repository or --description',
    });
  const { scopeMaps } = await cli.client();
  const before = (await scopeMaps.get(name)).properties.actions;
  const actions = [...new Set([...before.filter((action) => !removed.includes(action)), ...added])];
  const body = { actions, ...(description !== undefined && { description }) };
  return print(cli, await scopeMaps.patch(name, body), 'now has');
}

async function list({ screen, client }: Cli): Promise<ExitCode> {
  const maps = await (await client()).scopeMaps.list();
  await screen.result(maps);
  if (screen.json) return 0;
  const rows = maps.map(({ name, properties: { type, description = '' } }) => [name, type, description]);
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

async function show({ screen, client }: Cli, name: string): Promise<ExitCode> {
  const map = await (await client()).scopeMaps.get(name);
  await screen.result(map);
  if (screen.json) return 0;
  const { description, type, creationDate, actions } = map.properties;
  const rows = [
    ['name', map.name],
    ...(description === undefined ? [] : [['description', description]]),
    ['type', type],
    ['made', creationDate],
    ...actions.map((action, at) => [at === 0 ? 'actions' : '', action]),
  ];
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

async function remove({ screen, client }: Cli, name: string): Promise<ExitCode> {
  await (await client()).scopeMaps.delete(name);
  await screen.result({ name, deleted: true });
  if (!screen.json) await screen.print(`Scope map ${name} is deleted.`);
  return 0;
}

function addWriting(scopeMap: Command, start: Start): void {
  scopeMap
    .command('create')
    .description('Makes a scope map, or puts other actions in the place of its own.')
    .argument('<name>', '5 to 50 letters, digits, "-" and "_"')
    .requiredOption('--repository <words...>', 'a repository and its actions, repeatable')
    .option('--description <text>', 'what it is for')
    .action((name: string, flags: Flags, command: Command) => start(command, (cli) => create(cli, name, flags)));
  scopeMap
    .command('update')
    .description('Adds actions to a scope map and takes others away. Tokens that have it may do so at once.')
    .argument('<name>', 'its name')
    .option('--add-repository <words...>', 'a repository and the actions that are allowed from now on, repeatable')
    .option('--remove-repository <words...>', 'a repository and the actions that are not any more, repeatable')
    .option('--description <text>', 'what it is for')
    .action((name: string, flags: Flags, command: Command) => start(command, (cli) => update(cli, name, flags)));
}

/** Adds `slipway scope-map …`. */
export function addScopeMap(program: Command, start: Start): void {
  const scopeMap = program
    .command('scope-map')
    .summary('say what tokens may do at the registry')
    .description('Named lists of rights to repositories, which tokens are given.')
    .addHelpText('after', examples);
  addWriting(scopeMap, start);
  scopeMap
    .command('list')
    .description('Lists scope maps, those that are part of the registry first.')
    .action((_flags: unknown, command: Command) => start(command, list));
  const ofName = [
    ['show', 'Shows a scope map and its actions.', show],
    ['delete', 'Deletes a scope map that no token has.', remove],
  ] as const;
  for (const [verb, description, work] of ofName)
    scopeMap
      .command(verb)
      .description(description)
      .argument('<name>', 'its name')
      .action((name: string, _flags: unknown, command: Command) => start(command, (cli) => work(cli, name)));
}
