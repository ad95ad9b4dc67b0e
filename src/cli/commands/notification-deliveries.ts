import type { Command } from 'commander';
import type { Cli, Start } from '../cli.ts';
import { showPing, showSent } from '../deliveries.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseTop } from '../options.ts';

async function ping(cli: Cli, name: string): Promise<ExitCode> {
  return showPing(cli, await (await cli.client()).pingNotification(name));
}

interface DeliveriesFlags {
  readonly top: string;
  readonly dead?: true;
}

async function deliveries(cli: Cli, name: string, flags: DeliveriesFlags): Promise<ExitCode> {
  const query = { top: parseTop(flags.top), ...(flags.dead && { status: 'dead' }) };
  const all = await (await cli.client()).notificationDeliveries(name, query);
  return showSent(cli, all, {
    tellsOf: ({ event, runId = '' }) => [event, runId],
    none: 'There are no such deliveries.',
  });
}

async function replay({ screen, client }: Cli, name: string, id: string): Promise<ExitCode> {
  const delivery = await (await client()).replayDelivery(name, id);
  await screen.result(delivery);
  if (!screen.json) await screen.print(`Delivery ${id} will be made again.`);
  return 0;
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
    .option('--top <n>', 'how many', '20')
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
