import { Option, type Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import { notificationEvents, type NotificationEvent } from '../../domain/notification.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseHeaders, readGiven } from '../header-file.ts';
import type { NotificationBody, NotificationView } from '../notification-client.ts';
import { formatAge, formatTable } from '../words.ts';
import { addDeliveryCommands } from './notification-deliveries.ts';

const examples = `
Examples:
  slipway notification create chat --url https://hooks.example.com/slipway --event run.failed --event run.error
  slipway notification create web --url https://ci.example.com/hook --task 'web-*' --header-file headers.txt
  slipway notification ping chat                     send a test event now, and see the answer
  slipway notification deliveries chat --dead        what was given up
  slipway notification replay chat msg_1f0c…         deliver it again

Deliveries are CloudEvents, signed by the Standard Webhooks scheme: see docs/notifications.md.`;

interface CreateFlags {
  readonly url: string;
  readonly event?: readonly NotificationEvent[];
  readonly task?: readonly string[];
  readonly disabled?: true;
  readonly headerFile?: string;
  readonly secretFile?: string;
  readonly rotateSecret?: true;
}

async function readBody(cli: Cli, flags: CreateFlags): Promise<NotificationBody> {
  const { url, event = ['run.failed', 'run.error', 'run.timeout'], task, headerFile, secretFile } = flags;
  return {
    url,
    events: event,
    status: flags.disabled === true ? 'Disabled' : 'Enabled',
    ...(task && { tasks: task }),
    ...(headerFile !== undefined && { customHeaders: parseHeaders(await readGiven(cli, headerFile, '--header-file')) }),
    ...(secretFile !== undefined && { secret: (await readGiven(cli, secretFile, '--secret-file')).trim() }),
    ...(flags.rotateSecret && { rotateSecret: true }),
  };
}

async function create(cli: Cli, name: string, flags: CreateFlags): Promise<ExitCode> {
  const { screen } = cli;
  const made = await (await cli.client()).putNotification(name, await readBody(cli, flags));
  await screen.result(made);
  if (screen.json) return 0;
  await screen.print(`Notification ${name} tells ${made.url} of ${made.events.join(', ')}.`);
  if (made.secret === undefined) return 0;
  await screen.print(`Its signing secret, shown this once: ${made.secret}`);
  return 0;
}

async function list({ screen, client }: Cli): Promise<ExitCode> {
  const all = await (await client()).notifications();
  await screen.result(all);
  if (screen.json) return 0;
  if (all.length === 0) screen.note('There are no notifications.');
  const rows = all.map(({ name, status, url, events }) => [name, status, url, events.join(' ')]);
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

function describe(one: NotificationView, now: number): readonly (readonly string[])[] {
  const { status, disabledBecause, tasks, customHeaderNames } = one;
  return [
    ['name', one.name],
    ['url', one.url],
    ['events', one.events.join(' ')],
    ['tasks', tasks?.join(' ') ?? 'all'],
    ['status', disabledBecause === undefined ? status : `${status}: ${disabledBecause}`],
    ...(customHeaderNames.length > 0 ? [['headers', customHeaderNames.join(' ')]] : []),
    ['changed', `${formatAge(Date.parse(one.lastUpdatedTime), now)} by ${one.updatedBy}`],
  ];
}

async function show({ screen, client, io }: Cli, name: string): Promise<ExitCode> {
  const one = await (await client()).notification(name);
  await screen.result(one);
  if (screen.json) return 0;
  for (const line of formatTable(describe(one, io.clock.now()))) await screen.print(line);
  return 0;
}

async function remove({ screen, client }: Cli, name: string): Promise<ExitCode> {
  await (await client()).deleteNotification(name);
  await screen.result({ name, deleted: true });
  if (!screen.json) await screen.print(`Notification ${name} is deleted.`);
  return 0;
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function addCreate(notification: Command, start: Start): void {
  const events = new Option('--event <event>', 'what to tell of, repeatable; failed, error and timeout when not given')
    .choices(notificationEvents)
    .argParser((value: string, before?: readonly string[]) => {
      if (notificationEvents.some((one) => one === value)) return collect(value, before);
      throw fail('invalid-request', `--event must be one of ${notificationEvents.join(', ')}`, { field: '--event' });
    });
  notification
    .command('create')
    .description('Makes a notification, or puts another in the place of one; headers and secret stay unless given.')
    .argument('<name>', 'letters, digits, "_" and "-"')
    .requiredOption('--url <url>', 'the web address that is told')
    .addOption(events)
    .option('--task <pattern>', 'only runs of tasks with such names, repeatable: web-*', collect)
    .option('--header-file <file>', 'lines "Name: value" that go with each delivery; - for stdin')
    .option('--secret-file <file>', 'the signing secret (whsec_…); one is made when not given; - for stdin')
    .option('--rotate-secret', 'make a new signing secret; the old one signs too for a day')
    .option('--disabled', 'tell it of nothing yet')
    .action((name: string, flags: CreateFlags, command: Command) => start(command, (cli) => create(cli, name, flags)));
}

/** Adds `slipway notification …`. */
export function addNotification(program: Command, start: Start): void {
  const notification = program
    .command('notification')
    .summary('tell web addresses of runs')
    .description(
      'Web addresses that are told when runs are queued, start and end; what they miss is kept and tried again.',
    )
    .addHelpText('after', examples);
  addCreate(notification, start);
  notification
    .command('list')
    .description('Lists notifications.')
    .action((_flags: unknown, command: Command) => start(command, list));
  const ofName = [
    ['show', 'Shows a notification, without its secret.', show],
    ['delete', 'Deletes a notification and its deliveries.', remove],
  ] as const;
  for (const [verb, description, work] of ofName)
    notification
      .command(verb)
      .description(description)
      .argument('<name>', 'its name')
      .action((name: string, _flags: unknown, command: Command) => start(command, (cli) => work(cli, name)));
  addDeliveryCommands(notification, start);
}
