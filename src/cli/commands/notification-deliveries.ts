import { InvalidArgumentError, type Command } from 'commander';
import type { DeliveryTry, OutgoingDelivery } from '../../domain/notification.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { formatAge, formatTable } from '../words.ts';

/** What came of a try, in words. */
export function describeTry({ status, because, milliseconds }: DeliveryTry): string {
  return because ?? `${String(status)} after ${milliseconds} ms`;
}

function describeLast({ tries }: OutgoingDelivery): string {
  const last = tries.at(-1);
  return last ? describeTry(last) : 'not tried yet';
}

async function ping({ screen, client }: Cli, name: string): Promise<ExitCode> {
  const delivery = await (await client()).pingNotification(name);
  await screen.result(delivery);
  const isDelivered = delivery.status === 'delivered';
  if (!screen.json)
    await screen.print(`${isDelivered ? 'Delivered' : 'Not delivered'}: ${describeLast(delivery)} (${delivery.id})`);
  return isDelivered ? 0 : 1;
}

interface DeliveriesFlags {
  readonly top: number;
  readonly dead?: true;
}

async function deliveries({ screen, client, io }: Cli, name: string, flags: DeliveriesFlags): Promise<ExitCode> {
  const query = { top: flags.top, ...(flags.dead && { status: 'dead' }) };
  const all = await (await client()).notificationDeliveries(name, query);
  await screen.result(all);
  if (screen.json) return 0;
  if (all.length === 0) screen.note('There are no such deliveries.');
  const rows = all.map((one) => [
    one.id,
    one.event,
    one.runId ?? '',
    one.status,
    one.tries.length === 1 ? '1 try' : `${one.tries.length} tries`,
    formatAge(Date.parse(one.createdTime), io.clock.now()),
    describeLast(one),
  ]);
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

async function replay({ screen, client }: Cli, name: string, id: string): Promise<ExitCode> {
  const delivery = await (await client()).replayDelivery(name, id);
  await screen.result(delivery);
  if (!screen.json) await screen.print(`Delivery ${id} will be made again.`);
  return 0;
}

function parseTop(value: string): number {
  const top = Number(value);
  if (Number.isInteger(top) && top >= 1 && top <= 1000) return top;
  throw new InvalidArgumentError('It must be a whole number from 1 to 1000.');
}

/** Adds `ping`, `deliveries` and `replay` to `slipway notification`. */
export function addDeliveryCommands(notification: Command, start: Start): void {
  notification
    .command('ping')
    .description('Sends a test event now. Exit code 1 when it is not taken.')
    .argument('<name>', 'the notification')
    .action((name: string, _flags: unknown, command: Command) => start(command, (cli) => ping(cli, name)));
  notification
    .command('deliveries')
    .description('Lists what was sent, or will be, the newest first.')
    .argument('<name>', 'the notification')
    .option('--top <n>', 'how many', parseTop, 20)
    .option('--dead', 'those that were given up')
    .action((name: string, flags: DeliveriesFlags, command: Command) =>
      start(command, (cli) => deliveries(cli, name, flags)),
    );
  notification
    .command('replay')
    .description('Makes a delivery again, with the same id and content.')
    .argument('<name>', 'the notification')
    .argument('<delivery>', 'its id, as "deliveries" shows it')
    .action((name: string, id: string, _flags: unknown, command: Command) =>
      start(command, (cli) => replay(cli, name, id)),
    );
}
