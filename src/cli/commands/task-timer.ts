import type { Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { addTaskName, readTaskName, readThreeState, type ThreeState } from '../task-options.ts';
import { nextTimerName, parseSchedules } from '../task-triggers.ts';
import type { TaskDocument, TimerView } from '../task-types.ts';
import { formatTimers } from '../task-view.ts';

const examples = `
Examples:
  slipway task timer add web-app --timer-name nightly --schedule "0 3 * * *" --time-zone Europe/Berlin
  slipway task timer update web-app --timer-name nightly --enabled false
  slipway task timer list web-app
  slipway task timer remove web-app --timer-name nightly

A schedule is five fields of cron: minute, hour, day of the month, month, weekday. It is read in UTC unless --time-zone says otherwise. An
occurrence that passed while nothing was running is made up for, once, at the next start; --catch-up false leaves it out.`;

interface TimerFlags {
  readonly name?: string;
  readonly timerName?: string;
  readonly schedule?: string;
  readonly timeZone?: string;
  readonly enabled?: ThreeState;
  readonly catchUp?: ThreeState;
}

function timersOf({ properties }: TaskDocument): readonly TimerView[] {
  return properties.trigger?.timerTriggers ?? [];
}

function findTimer(task: TaskDocument, name: string): TimerView | undefined {
  return timersOf(task).find((timer) => timer.name.toLowerCase() === name.toLowerCase());
}

function requireTimer(task: TaskDocument, name: string | undefined): TimerView {
  if (name === undefined) throw fail('invalid-request', '--timer-name is missing', { field: '--timer-name' });
  const found = findTimer(task, name);
  if (found !== undefined) return found;
  const names = timersOf(task).map((timer) => timer.name);
  throw fail('not-found', `task ${task.name} has no timer ${name}`, {
    hint: names.length === 0 ? 'it has none at all' : `it has ${names.join(', ')}`,
  });
}

function readSettings(flags: TimerFlags): Partial<TimerView> {
  const [timer] = flags.schedule === undefined ? [] : parseSchedules([`:${flags.schedule}`]);
  const isEnabled = readThreeState(flags.enabled, '--enabled');
  const catchUp = readThreeState(flags.catchUp, '--catch-up');
  return {
    ...(timer !== undefined && { schedule: timer.schedule }),
    ...(isEnabled !== undefined && { status: isEnabled ? 'Enabled' : 'Disabled' }),
    ...(flags.timeZone !== undefined && { timeZone: flags.timeZone }),
    ...(catchUp !== undefined && { catchUp }),
  };
}

async function printTimers({ screen }: Cli, task: TaskDocument): Promise<void> {
  const timers = timersOf(task);
  await screen.result(timers);
  if (screen.json) return;
  if (timers.length === 0) screen.note(`Task ${task.name} has no timers.`);
  else for (const line of formatTimers(timers, task.properties.watch ?? [], screen.colors)) await screen.print(line);
}

async function list(cli: Cli, name: string): Promise<ExitCode> {
  await printTimers(cli, await (await cli.client()).task(name));
  return 0;
}

async function add(cli: Cli, name: string, flags: TimerFlags): Promise<ExitCode> {
  const { schedule, ...settings } = readSettings(flags);
  if (schedule === undefined) throw fail('invalid-request', '--schedule is missing', { field: '--schedule' });
  const client = await cli.client();
  const before = await client.task(name);
  const timerName = flags.timerName ?? nextTimerName(timersOf(before).map((timer) => timer.name));
  if (findTimer(before, timerName) !== undefined) {
    const hint = `slipway task timer update ${name} --timer-name ${timerName} changes it`;
    throw fail('conflict', `task ${name} has a timer ${timerName} already`, { field: '--timer-name', hint });
  }
  const timer = { name: timerName, schedule, ...settings };
  const task = await client.patchTask(name, { properties: { trigger: { timerTriggers: [timer] } } });
  if (!cli.screen.json) await cli.screen.print(`Task ${task.name} has the timer ${timerName}.`);
  await printTimers(cli, task);
  return 0;
}

async function update(cli: Cli, name: string, flags: TimerFlags): Promise<ExitCode> {
  const settings = readSettings(flags);
  const client = await cli.client();
  const timer = requireTimer(await client.task(name), flags.timerName);
  if (Object.keys(settings).length === 0) throw fail('invalid-request', 'nothing is to be changed');
  const change = { name: timer.name, ...settings };
  const task = await client.patchTask(name, { properties: { trigger: { timerTriggers: [change] } } });
  if (!cli.screen.json) await cli.screen.print(`Timer ${timer.name} of task ${task.name} is updated.`);
  await printTimers(cli, task);
  return 0;
}

/** A change never takes a timer away (azure-api.md §5), so the whole task is written without it, if it is still the one that was read. */
async function remove(cli: Cli, name: string, flags: TimerFlags): Promise<ExitCode> {
  const client = await cli.client();
  const { document, version } = await client.taskDetails(name);
  const timer = requireTimer(document, flags.timerName);
  const { properties } = document;
  const timerTriggers = timersOf(document).filter((one) => one !== timer);
  const body = { ...document, properties: { ...properties, trigger: { ...properties.trigger, timerTriggers } } };
  const task = await client.putTask(name, body, version);
  if (!cli.screen.json) await cli.screen.print(`Timer ${timer.name} of task ${task.name} is removed.`);
  await printTimers(cli, task);
  return 0;
}

function addSettings(command: Command): Command {
  return command
    .option('--schedule <cron>', 'five fields of cron, for example "0 3 * * *"')
    .option('--time-zone <name>', 'an IANA time zone that the schedule is read in; UTC when not given')
    .option('--enabled [bool]', 'whether it starts runs (default: it does)')
    .option('--catch-up [bool]', 'whether a missed occurrence is made up for (default: it is)');
}

/** Adds `slipway task timer …`. */
export function addTaskTimer(task: Command, start: Start): void {
  const timer = task
    .command('timer')
    .summary('run a task at times')
    .description('Adds, changes, lists and removes the timers of a task.')
    .addHelpText('after', examples);
  const actions = { add, update, remove } as const;
  const summaries = {
    add: 'Adds a timer; without a name it is t1, t2, …',
    update: 'Changes what is named of a timer.',
    remove: 'Removes a timer.',
  } as const;
  for (const word of ['add', 'update', 'remove'] as const) {
    const command = addTaskName(timer.command(word))
      .description(summaries[word])
      .option('--timer-name <name>', 'the timer’s name');
    (word === 'remove' ? command : addSettings(command)).action(
      (name: string | undefined, flags: TimerFlags, called: Command) =>
        start(called, (cli) => actions[word](cli, readTaskName(name, flags), flags)),
    );
  }
  addTaskName(timer.command('list'))
    .description('Lists the timers of a task and when each comes next.')
    .action((name: string | undefined, flags: TimerFlags, called: Command) =>
      start(called, (cli) => list(cli, readTaskName(name, flags))),
    );
}
