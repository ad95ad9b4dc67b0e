import { Option, type Command } from 'commander';
import { fail, FailureError } from '../../domain/failure.ts';
import type { ApiClient } from '../api-types.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { collect } from '../options.ts';
import { readSecretInput } from '../secret-input.ts';
import { createTaskDocument, readIdentity } from '../task-body.ts';
import { createTaskChange } from '../task-change.ts';
import { findTaskFolder } from '../task-folder.ts';
import { waitForLearning } from '../task-learning.ts';
import { addTaskName, addTaskOptions, readTaskName, type TaskFlags } from '../task-options.ts';
import type { TaskDocument } from '../task-types.ts';
import { formatWatch } from '../task-view.ts';

const createExamples = `
Examples:
  slipway task create web-app -c https://github.com/owner/app.git#main -f Dockerfile -t app:{{.Run.ID}}
  slipway task create web-app -c https://git.example.com/team/app.git#main:server -f acb.yaml --git-access-token - < token
  slipway task create nightly -c https://github.com/owner/app.git#main -f acb.yaml --schedule "nightly:0 3 * * *" --commit-trigger-enabled false
  slipway task create docs-site -c https://github.com/owner/app.git#main -f docs/Dockerfile -t docs --path 'docs/**' --when-superseded cancel
  slipway task create release -c https://github.com/owner/app.git#main -f acb.yaml --tag 'v*' --commit-trigger-enabled false
  slipway task create web-app -c https://github.com/owner/app.git#main -f Dockerfile -t app --base-image-trigger-strategy auto --base-image-trigger-wave 1
  slipway task create web-app -c https://github.com/owner/app.git#main -f Dockerfile -t app --follow-base-tag "node:22.*=NODE_VERSION"
  slipway task create greeting -c ./app -t greeting:v1
  slipway task create hello-cmd --cmd 'busybox echo hello' --schedule "0 * * * *"

A folder is kept in the registry in the box, as contexts/NAME; "slipway task update NAME -c ./app" sends it anew.
A task that exists is replaced. The file decides what the task is: .yaml, .yml and the like is a task file in the context, everything else a
Dockerfile. With -c /dev/null the task file is read here and kept with the task. Names of images may hold templates.`;

const updateExamples = `
Examples:
  slipway task update web-app --status Disabled
  slipway task update web-app -c https://github.com/owner/app.git#release --pull-request-trigger-enabled true
  slipway task update web-app --git-access-token-file token
  slipway task update web-app --arg VERSION=2

What is not named stays. --image, --arg, --set and their secret kin replace the whole list that there is; timers and credentials have
commands of their own: slipway task timer, slipway task credential.`;

const tokenVariable = 'SLIPWAY_GIT_ACCESS_TOKEN';

/** The token that flags give; without them, for a new task that a registry does not hold, the one of the environment. */
async function readToken(cli: Cli, flags: TaskFlags, isNewOfGit: boolean): Promise<string | undefined> {
  const given = await readSecretInput(cli, {
    what: 'the git token',
    flag: '--git-access-token',
    given: flags.gitAccessToken,
    file: flags.gitAccessTokenFile,
  });
  const found = isNewOfGit ? cli.io.env[tokenVariable] : undefined;
  if (given !== undefined || found === undefined || found === '') return given;
  cli.screen.note(`The git token is the one of ${tokenVariable}.`);
  return found;
}

async function findTask(client: ApiClient, name: string): Promise<TaskDocument | undefined> {
  try {
    return await client.task(name);
  } catch (error) {
    if (error instanceof FailureError && error.failure.reason === 'not-found') return undefined;
    throw error;
  }
}

function noteIdentity({ screen }: Cli, flags: TaskFlags): void {
  if (readIdentity(flags) === undefined) return;
  screen.note('warning: there are no managed identities here; the identity is kept with the task and gives no rights');
}

/** What a task's owner has to know of it: what it watches, and what remains to be done for that. */
async function printWatch({ screen }: Cli, { name, properties }: TaskDocument): Promise<void> {
  for (const line of formatWatch(properties.watch ?? [], screen.colors)) await screen.print(line);
  const { webhook, status } = properties;
  if (webhook === undefined || status === 'Disabled') return;
  await screen.print(`Webhook: ${webhook.url}`);
  await screen.print(`  The forge must know it for pushes to be seen: slipway task webhook setup ${name}`);
}

/** Says that a task is written, and what it watches as soon as that is known. */
async function showWritten(cli: Cli, client: ApiClient, task: TaskDocument, what: string): Promise<void> {
  const { screen } = cli;
  if (!screen.json) await screen.print(`Task ${task.name} is ${what}.`);
  const known = await waitForLearning(cli, client, task);
  await screen.result(known);
  if (!screen.json) await printWatch(cli, known);
}

async function create(cli: Cli, word: string | undefined, flags: TaskFlags): Promise<ExitCode> {
  const { screen } = cli;
  const name = readTaskName(word, flags);
  const client = await cli.client();
  const folder = await findTaskFolder(cli, client, { name, flags });
  const all = folder?.flags ?? flags;
  const token = await readToken(cli, flags, !/^oci:/i.test(all.context ?? ''));
  const body = await createTaskDocument(cli.io, all, token);
  noteIdentity(cli, flags);
  await folder?.send();
  const before = await findTask(client, name);
  const task = await client.putTask(name, body);
  await showWritten(cli, client, task, before === undefined ? 'created' : 'replaced');
  if (!screen.json) await screen.print(`Run it now: slipway task run ${task.name}`);
  return 0;
}

async function update(cli: Cli, word: string | undefined, flags: TaskFlags): Promise<ExitCode> {
  const { io } = cli;
  const name = readTaskName(word, flags);
  if (flags.schedule !== undefined) {
    const hint = `slipway task timer add ${name} --schedule "${flags.schedule[0] ?? ''}"`;
    throw fail('invalid-request', 'timers are not changed by an update', { field: '--schedule', hint });
  }
  const token = await readToken(cli, flags, false);
  const client = await cli.client();
  const { document } = await client.taskDetails(name);
  const before = document.properties;
  const folder = await findTaskFolder(cli, client, { name, flags, step: before.step });
  const change = await createTaskChange(io, folder?.flags ?? flags, { before, token });
  noteIdentity(cli, flags);
  await folder?.send();
  await showWritten(cli, client, await client.patchTask(name, change), 'updated');
  return 0;
}

/** Adds `slipway task create` and `slipway task update`. */
export function addTaskWrite(task: Command, start: Start): void {
  const created = task
    .command('create')
    .summary('make a task, or replace it')
    .description(
      'Makes a task: what is built or run, from where, and what starts it. Shows what it watches from then on.',
    );
  addTaskOptions(addTaskName(created))
    .option('--schedule <name:cron>', 'a timer, in UTC: five fields of cron; may be repeated', collect)
    .addHelpText('after', createExamples)
    .action((name: string | undefined, flags: TaskFlags, command: Command) =>
      start(command, (cli) => create(cli, name, flags)),
    );
  const updated = task
    .command('update')
    .summary('change a task')
    .description('Changes what is named of a task, and nothing else.');
  addTaskOptions(addTaskName(updated))
    .addOption(new Option('--schedule <name:cron>').argParser(collect).hideHelp())
    .addHelpText('after', updateExamples)
    .action((name: string | undefined, flags: TaskFlags, command: Command) =>
      start(command, (cli) => update(cli, name, flags)),
    );
}
