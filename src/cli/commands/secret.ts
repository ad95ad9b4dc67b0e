import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Option, type Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import { checkSecretName } from '../../secret/own-secrets.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { readHidden } from '../read-hidden.ts';
import { formatAge, formatTable } from '../words.ts';

const examples = `
Examples:
  slipway secret set db-password                        asks for it, and does not show it
  pass show db | slipway secret set db-password         a line end at its end is left out
  slipway secret set tls-key --value-file server.key    every byte as it is
  slipway secret list
  slipway secret delete db-password

A task asks for them by name:  secrets: [{id: db-password}]  and has them as {{.Secrets.name}}: see docs/tasks.md.`;

interface SetFlags {
  readonly valueFile?: string;
  readonly value?: string | true;
}

/** What stands in a command line is seen by everybody who can list processes, and is kept by shells. */
function refuseWords(words: readonly string[], { value }: SetFlags): void {
  if (words.length === 0 && value === undefined) return;
  const hint = 'pipe it in, or give --value-file FILE; on a terminal, give the name alone and be asked for it.';
  throw fail('invalid-request', 'a secret value is not taken from the command line, where others can see it', { hint });
}

async function readValue({ io }: Cli, name: string, { valueFile }: SetFlags): Promise<Buffer> {
  if (valueFile !== undefined && valueFile !== '-') {
    return readFile(resolve(io.cwd, valueFile)).catch((cause: unknown) => {
      throw fail('invalid-request', `${valueFile} cannot be read`, { field: '--value-file', cause });
    });
  }
  if (io.stdin.isTTY === true) return Buffer.from(await readHidden(io, `Value of ${name}: `));
  const piped = await buffer(io.stdin);
  const end = piped.at(-1) === 0x0a ? (piped.at(-2) === 0x0d ? 2 : 1) : 0;
  return piped.subarray(0, piped.length - end);
}

async function set(cli: Cli, name: string, flags: SetFlags): Promise<ExitCode> {
  checkSecretName(name);
  const value = await readValue(cli, name, flags);
  if (value.length === 0) throw fail('invalid-request', 'the value is empty', { field: 'value' });
  const secret = await (await cli.client()).setSecret(name, value);
  await cli.screen.result(secret);
  if (!cli.screen.json) await cli.screen.print(`Secret ${name} is set.`);
  return 0;
}

async function list({ screen, client, io }: Cli): Promise<ExitCode> {
  const secrets = await (await client()).secrets();
  await screen.result(secrets);
  if (screen.json) return 0;
  if (secrets.length === 0) screen.note('There are no secrets.');
  const rows = secrets.map(({ name, lastUpdatedTime, updatedBy }) => [
    name,
    formatAge(Date.parse(lastUpdatedTime), io.clock.now()),
    `by ${updatedBy}`,
  ]);
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

async function remove({ screen, client }: Cli, name: string): Promise<ExitCode> {
  await (await client()).deleteSecret(checkSecretName(name));
  await screen.result({ name, deleted: true });
  if (!screen.json) await screen.print(`Secret ${name} is deleted.`);
  return 0;
}

/** Adds `slipway secret …`. */
export function addSecret(program: Command, start: Start): void {
  const secret = program
    .command('secret')
    .summary('set, list and delete secrets of tasks')
    .description(
      'Keeps secrets, encrypted, for tasks that ask for them. A value can be set and used, and never be read back.',
    )
    .addHelpText('after', examples);
  secret
    .command('set')
    .description('Sets a secret to what comes on stdin, is typed, or is in a file.')
    .argument('<name>', 'letters, digits, "_", "." and "-"')
    .argument('[refused...]', 'nothing: a value does not stand in a command line')
    .option('--value-file <file>', 'the file whose bytes are the value; - for stdin')
    .addOption(new Option('--value [value]').hideHelp())
    .action((name: string, words: readonly string[], flags: SetFlags, command: Command) =>
      start(command, async (cli) => {
        refuseWords(words, flags);
        return set(cli, name, flags);
      }),
    );
  secret
    .command('list')
    .description('Lists the names of secrets, when each was set, and by whom.')
    .action((_flags: unknown, command: Command) => start(command, list));
  secret
    .command('delete')
    .description('Deletes a secret. Tasks that ask for it fail from then on.')
    .argument('<name>', 'its name')
    .action((name: string, _flags: unknown, command: Command) => start(command, (cli) => remove(cli, name)));
}
