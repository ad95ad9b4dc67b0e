import type { Command } from 'commander';
import { confirm } from '../confirm.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { addTaskName, readTaskName } from '../task-options.ts';
import { formatTask, formatTasks } from '../task-view.ts';

interface NameFlags {
  readonly name?: string;
}

interface ShowFlags extends NameFlags {
  readonly withSecureProperties?: true;
}

interface DeleteFlags extends NameFlags {
  readonly yes?: true;
}

async function list({ screen, client }: Cli): Promise<ExitCode> {
  const tasks = await (await client()).tasks();
  await screen.result(tasks);
  if (screen.json) return 0;
  if (tasks.length === 0) screen.note('There are no tasks.');
  else for (const line of formatTasks(tasks, screen.colors)) await screen.print(line);
  return 0;
}

async function show({ screen, client }: Cli, word: string | undefined, flags: ShowFlags): Promise<ExitCode> {
  const name = readTaskName(word, flags);
  const api = await client();
  const task = flags.withSecureProperties === true ? (await api.taskDetails(name)).document : await api.task(name);
  await screen.result(task);
  if (!screen.json) for (const line of formatTask(task, screen.colors)) await screen.print(line);
  return 0;
}

async function remove(cli: Cli, word: string | undefined, flags: DeleteFlags): Promise<ExitCode> {
  const { screen, io } = cli;
  const name = readTaskName(word, flags);
  const isSure =
    flags.yes === true || (await confirm(io, `Delete the task ${name}? Nothing starts it then, its runs stay.`));
  if (!isSure) {
    screen.note('Nothing was deleted.');
    return 1;
  }
  await (await cli.client()).deleteTask(name);
  await screen.result({ name, deleted: true });
  if (!screen.json) await screen.print(`Task ${name} is deleted. Its runs stay.`);
  return 0;
}

/** Adds `slipway task list`, `show` and `delete`. */
export function addTaskShow(task: Command, start: Start): void {
  task
    .command('list')
    .description('Lists the tasks and what starts them.')
    .action((_flags: unknown, command: Command) => start(command, list));
  addTaskName(task.command('show'))
    .description('Shows one task: what it does, what it watches, and why something is not watched.')
    .option('--with-secure-properties', 'with its tokens, secret values and the secrets of its webhook')
    .action((name: string | undefined, flags: ShowFlags, command: Command) =>
      start(command, (cli) => show(cli, name, flags)),
    );
  addTaskName(task.command('delete'))
    .description('Deletes a task. Its runs, and the images that they pushed, stay.')
    .option('-y, --yes', 'do not ask')
    .action((name: string | undefined, flags: DeleteFlags, command: Command) =>
      start(command, (cli) => remove(cli, name, flags)),
    );
}
