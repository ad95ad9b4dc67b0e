import type { Command } from 'commander';
import type { Cli, Start } from '../cli.ts';
import { showPing, showSent } from '../deliveries.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseTop } from '../options.ts';
import { addWebhookName, readWebhookName } from '../webhook-options.ts';

/** The whole digest is in the output of --json. */
function shorten(image: string): string {
  return image.replace(/(@sha\d+:[0-9a-f]{12}).*$/, '$1');
}

async function ping(cli: Cli, name: string): Promise<ExitCode> {
  return showPing(cli, await (await cli.client()).pingWebhook(name));
}

async function listEvents(cli: Cli, name: string, top: string): Promise<ExitCode> {
  const all = await (await cli.client()).webhookEvents(name, parseTop(top));
  return showSent(cli, all, {
    tellsOf: ({ action, image = '' }) => [action, shorten(image)],
    none: 'There are no events yet.',
  });
}

async function redeliver({ screen, client }: Cli, name: string, id: string): Promise<ExitCode> {
  const event = await (await client()).redeliverEvent(name, id);
  await screen.result(event);
  if (!screen.json) await screen.print(`Event ${id} will be delivered again.`);
  return 0;
}

interface EventsFlags {
  readonly name?: string;
  readonly top: string;
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
    .option('--top <n>', 'how many', '20')
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
