import { Option, type Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import { webhookActions, webhookFormats } from '../../domain/webhook.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseHeaders, readGiven } from '../header-file.ts';
import { pickWord } from '../task-options.ts';
import type { WebhookBody, WebhookView } from '../webhook-client.ts';
import { addWebhookName, readWebhookName } from '../webhook-options.ts';
import { addEventCommands } from './webhook-events.ts';
import { addLookCommands, describeWebhook } from './webhook-look.ts';

const examples = `
Examples:
  slipway webhook create deploys --uri https://hooks.example.com/acr --actions push --scope 'web-app:*'
  slipway webhook create audit1 --uri https://siem.example.com/in --actions push delete untag --format cloudevents
  slipway webhook ping deploys                  send a test event now, and see whether it is taken
  slipway webhook list-events deploys           what was sent, and what came of it
  slipway webhook redeliver deploys 0b7a3c1e-…  deliver it again
  slipway webhook get-config deploys            its URL, headers and signing secret

The commands and flags are those of "az acr webhook"; payloads and signatures: docs/webhooks.md. What git forges tell of
pushes is set up with slipway task webhook; who is told of runs with slipway notification.`;

interface WriteFlags {
  readonly name?: string;
  readonly uri?: string;
  readonly actions?: readonly string[];
  readonly scope?: string;
  readonly status?: string;
  readonly format?: string;
  readonly headers?: readonly string[];
  readonly headerFile?: string;
  readonly secretFile?: string;
  readonly rotateSecret?: true;
  readonly tags?: readonly string[];
}

/** Words `name=value`; no value is shown, for it may be a secret. */
function parsePairs(words: readonly string[], flag: string): Record<string, string> {
  return Object.fromEntries(
    words
      .filter((word) => word !== '')
      .map((word, index) => {
        const at = word.indexOf('=');
        if (at > 0) return [word.slice(0, at), word.slice(at + 1)];
        throw fail('invalid-request', `word ${index + 1} of ${flag} is no name=value`, { field: flag });
      }),
  );
}

async function readHeaders(cli: Cli, { headers, headerFile }: WriteFlags) {
  if (headers === undefined && headerFile === undefined) return undefined;
  const ofFile = headerFile === undefined ? {} : parseHeaders(await readGiven(cli, headerFile, '--header-file'));
  return { ...ofFile, ...parsePairs(headers ?? [], '--headers') };
}

async function readBody(cli: Cli, flags: WriteFlags): Promise<WebhookBody> {
  const { uri, actions, scope, status, format, secretFile, tags } = flags;
  const customHeaders = await readHeaders(cli, flags);
  return {
    ...(tags && { tags: parsePairs(tags, '--tags') }),
    properties: {
      ...(uri !== undefined && { serviceUri: uri }),
      ...(actions && { actions: actions.map((one) => pickWord(one, webhookActions, '--actions')) }),
      ...(scope !== undefined && { scope }),
      ...(status !== undefined && { status: pickWord(status, ['enabled', 'disabled'], '--status') }),
      ...(format !== undefined && { format: pickWord(format, webhookFormats, '--format') }),
      ...(customHeaders && { customHeaders }),
      ...(secretFile !== undefined && { secret: (await readGiven(cli, secretFile, '--secret-file')).trim() }),
      ...(flags.rotateSecret && { rotateSecret: true }),
    },
  };
}

async function report({ screen }: Cli, webhook: WebhookView, what: string): Promise<ExitCode> {
  await screen.result(webhook);
  if (!screen.json) await screen.print(`Webhook ${webhook.name} ${what}: ${describeWebhook(webhook)}.`);
  return 0;
}

async function create(cli: Cli, name: string, flags: WriteFlags): Promise<ExitCode> {
  const body = await readBody(cli, flags);
  const made = await (await cli.client()).putWebhook(name, body);
  await report(cli, made, 'is there');
  if (!cli.screen.json) cli.screen.note(`slipway webhook get-config ${name} shows what its deliveries are signed with`);
  return 0;
}

async function update(cli: Cli, name: string, flags: WriteFlags): Promise<ExitCode> {
  const body = await readBody(cli, flags);
  if (Object.keys(body.properties).length === 0 && body.tags === undefined)
    throw fail('invalid-request', 'nothing is to be changed');
  return report(cli, await (await cli.client()).patchWebhook(name, body), 'is changed');
}

function addSettings(command: Command): Command {
  return command
    .option('--scope <scope>', 'repository:tag, repository:*, or repository for its tag latest; empty is everything')
    .option('--status <status>', 'enabled, or disabled: it is kept and told of nothing')
    .option('--format <format>', 'azure (the default), cloudevents or distribution')
    .option('--headers <name=value...>', 'headers that go with each delivery; sealed at rest')
    .option('--header-file <file>', 'lines "Name: value", for what no command line may hold; - for stdin')
    .option('--secret-file <file>', 'the signing secret (whsec_…); one is made when not given; - for stdin')
    .option('--tags <name=value...>', 'words of your own')
    .addOption(new Option('-l, --location <name>', 'taken for scripts that were written for Azure').hideHelp());
}

function addWrite(webhook: Command, start: Start): void {
  const actions = `what to tell of: ${webhookActions.join(', ')}`;
  addSettings(addWebhookName(webhook.command('create')))
    .description('Makes a webhook, or puts another in the place of one; its signing secret stays.')
    .requiredOption('--uri <url>', 'the web address that is told')
    .requiredOption('--actions <action...>', actions)
    .action((name: string | undefined, flags: WriteFlags, command: Command) =>
      start(command, (cli) => create(cli, readWebhookName(name, flags), flags)),
    );
  addSettings(addWebhookName(webhook.command('update')))
    .description('Changes what is named of a webhook.')
    .option('--uri <url>', 'the web address that is told')
    .option('--actions <action...>', actions)
    .option('--rotate-secret', 'make a new signing secret; the old one signs too for a day')
    .action((name: string | undefined, flags: WriteFlags, command: Command) =>
      start(command, (cli) => update(cli, readWebhookName(name, flags), flags)),
    );
}

/** Adds `slipway webhook …`. */
export function addWebhook(program: Command, start: Start): void {
  const webhook = program
    .command('webhook')
    .summary('tell others of pushes to the registry, and of deletions')
    .description('Webhooks are web addresses that are told of what happens in the registry.')
    .addHelpText('after', examples);
  addWrite(webhook, start);
  addLookCommands(webhook, start);
  addEventCommands(webhook, start);
}
