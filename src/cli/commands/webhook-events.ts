import { InvalidArgumentError, type Command } from 'commander';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { WebhookEventView } from '../webhook-client.ts';
import { addWebhookName, readWebhookName } from '../webhook-options.ts';
import { formatAge, formatTable } from '../words.ts';
import { describeTry } from './notification-deliveries.ts';

function describeLast({ tries }: WebhookEventView): string {
  const last = tries.at(-1);
  return last ? describeTry(last) : 'not tried yet';
}

/** The whole digest is in the output of --json. */
function shorten(image: string): string {
  return image.replace(/(@sha\d+:[0-9a-f]{12}).*$/, '$1');
}

async function ping({ screen, client }: Cli, name: string): Promise<ExitCode> {
  const event = await (await client()).pingWebhook(name);
  await screen.result(event);
  const isDelivered = event.status === 'delivered';
  if (!screen.json)
    await screen.print(`${isDelivered ? 'Delivered' : 'Not delivered'}: ${describeLast(event)} (${event.id})`);
  return isDelivered ? 0 : 1;
}

async function listEvents({ screen, client, io }: Cli, name: string, top: number): Promise<ExitCode> {
  const all = await (await client()).webhookEvents(name, top);
  await screen.result(all);
  if (screen.json) return 0;
  if (all.length === 0) screen.note('There are no events yet.');
  const rows = all.map((one) => [
    one.id,
    one.action,
    shorten(one.image ?? ''),
    one.status,
    one.tries.length === 1 ? '1 try' : `${one.tries.length} tries`,
    formatAge(Date.parse(one.createdTime), io.clock.now()),
    describeLast(one),
  ]);
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

async function redeliver({ screen, client }: Cli, name: string, id: string): Promise<ExitCode> {
  const event = await (await client()).redeliverEvent(name, id);
  await screen.result(event);
  if (!screen.json) await screen.print(`Event ${id} will be delivered again.`);
  return 0;
}

function parseTop(value: string): number {
  const top = Number(value);
  if (Number.isInteger(top) && top >= 1 && top <= 1000) return top;
  throw new InvalidArgumentError('It must be a whole number from 1 to 1000.');
}

interface EventsFlags {
  readonly name?: string;
  readonly top: number;
}

/** Adds `ping`, `list-events` and `redeliver` to `slipway webhook`. */
export function addEventCommands(webhook: Command, start: Start): void {
  addWebhookName(webhook.command('ping'))
    .description('Sends a test event now. Exit code 1 when it is not taken.')
    .action((name: string | undefined, flags: EventsFlags, command: Command) =>
      start(command, (cli) => ping(cli, readWebhookName(name, flags))),
    );
  addWebhookName(webhook.command('list-events'))
    .description('Lists what was sent, or will be, the newest first; --json shows requests and answers.')
    .option('--top <n>', 'how many', parseTop, 20)
    .action((name: string | undefined, flags: EventsFlags, command: Command) =>
      start(command, (cli) => listEvents(cli, readWebhookName(name, flags), flags.top)),
    );
  webhook
    .command('redeliver')
    .description('Delivers an event again, with the same id and content.')
    .argument('<name>', 'the webhook’s name')
    .argument('<event>', 'its id, as "list-events" shows it')
    .action((name: string, id: string, _flags: unknown, command: Command) =>
      start(command, (cli) => redeliver(cli, readWebhookName(name, {}), id)),
    );
}
