import type { Command } from 'commander';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { WebhookView } from '../webhook-client.ts';
import { addWebhookName, registryOption, readWebhookName } from '../webhook-options.ts';
import { formatAge, formatTable } from '../words.ts';

/** What it is told of, in words. */
export function describeWebhook({ properties }: WebhookView): string {
  const { actions, scope, status } = properties;
  const what = `${actions.join(', ')} of ${scope === '' ? 'everything' : scope}`;
  return status === 'enabled' ? what : `${what}, disabled`;
}

async function list({ screen, client }: Cli): Promise<ExitCode> {
  const all = await (await client()).webhooks();
  await screen.result(all);
  if (screen.json) return 0;
  if (all.length === 0) screen.note('There are no webhooks.');
  const rows = all.map(({ name, properties: { status, actions, scope, format } }) => [
    name,
    status,
    actions.join(' '),
    scope === '' ? '(everything)' : scope,
    format,
  ]);
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

function rowsOf({ name, tags, properties }: WebhookView, now: number): readonly (readonly string[])[] {
  const { status, disabledBecause, actions, scope, format, lastUpdatedTime, updatedBy } = properties;
  const words = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
  return [
    ['name', name],
    ['status', disabledBecause === undefined ? status : `${status}: ${disabledBecause}`],
    ['actions', actions.join(' ')],
    ['scope', scope === '' ? '(everything)' : scope],
    ['format', format],
    ...(words.length > 0 ? [['tags', words.join(' ')]] : []),
    ['changed', `${formatAge(Date.parse(lastUpdatedTime), now)} by ${updatedBy}`],
  ];
}

async function show({ screen, client, io }: Cli, name: string): Promise<ExitCode> {
  const one = await (await client()).webhook(name);
  await screen.result(one);
  if (screen.json) return 0;
  for (const line of formatTable(rowsOf(one, io.clock.now()))) await screen.print(line);
  return 0;
}

async function showConfig({ screen, client }: Cli, name: string): Promise<ExitCode> {
  const config = await (await client()).webhookConfig(name);
  await screen.result(config);
  if (screen.json) return 0;
  const headers = Object.entries(config.customHeaders).map(([key, value]) => ['header', `${key}: ${value}`]);
  const rows = [['url', config.serviceUri], ...headers, ['secret', config.secret]];
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

async function remove({ screen, client }: Cli, name: string): Promise<ExitCode> {
  const deleted = await (await client()).deleteWebhook(name);
  await screen.result({ name, deleted });
  if (!screen.json) await screen.print(deleted ? `Webhook ${name} is deleted.` : `There is no webhook ${name}.`);
  return deleted ? 0 : 3;
}

/** Adds `list`, `show`, `get-config` and `delete` to `slipway webhook`. */
export function addLookCommands(webhook: Command, start: Start): void {
  webhook
    .command('list')
    .description('Lists webhooks.')
    .addOption(registryOption())
    .action((_flags: unknown, command: Command) => start(command, list));
  const ofName = [
    ['show', 'Shows a webhook, without its URL, headers and secret.', show],
    ['get-config', 'Shows the URL, the headers and the signing secret of a webhook.', showConfig],
    ['delete', 'Deletes a webhook and its events.', remove],
  ] as const;
  for (const [verb, description, work] of ofName)
    addWebhookName(webhook.command(verb))
      .description(description)
      .action((name: string | undefined, flags: { readonly name?: string }, command: Command) =>
        start(command, (cli) => work(cli, readWebhookName(name, flags))),
      );
}
