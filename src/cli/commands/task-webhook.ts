import type { Command } from 'commander';
import { fail, FailureError } from '../../domain/failure.ts';
import { gitProviderNames } from '../../domain/git-repository.ts';
import { isTaskName } from '../../domain/task.ts';
import type { ApiClient } from '../api-types.ts';
import type { Cli, Start } from '../cli.ts';
import { formatDeliveries, formatDelivery, formatSetUp, readSetUp } from '../delivery-view.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseTop } from '../options.ts';
import { readSecretInput } from '../secret-input.ts';
import { addTaskName, pickWord, readTaskName } from '../task-options.ts';
import type { WebhookSetUp } from '../task-types.ts';

const examples = `
Examples:
  slipway task webhook setup web-app                               with the task's own git token
  slipway task webhook setup web-app --git-access-token - < token  with another one, which is not kept
  slipway task webhook setup web-app --manual                      shows what is to be entered at the forge
  slipway task webhook deliveries --task web-app                   what came, and what it came to
  slipway task webhook deliveries web-app.github.72d3162e-cc78-11e3-81ab-4c9367dc0958
  slipway task webhook redeliver web-app.github.72d3162e-cc78-11e3-81ab-4c9367dc0958
  slipway task webhook rotate web-app                              a new secret; the old one stays good
  slipway task webhook rotate web-app --revoke-old                 … until now`;

interface ListFlags {
  readonly top: string;
  readonly task?: string;
}

interface SetUpFlags {
  readonly name?: string;
  readonly gitAccessToken?: string;
  readonly gitAccessTokenFile?: string;
  readonly provider?: string;
  readonly manual?: true;
}

interface RotateFlags {
  readonly name?: string;
  readonly revokeOld?: true;
}

function parseHook(text: string): string {
  if (isTaskName(text) || text === 'shared') return text;
  throw fail('invalid-request', '--task must be the name of a task, or shared', { field: '--task' });
}

function checkId(id: string): string {
  if (/^[\x21-\x7e]{1,200}$/.test(id)) return id;
  throw fail('invalid-request', 'that is no delivery’s id', {
    field: 'id',
    hint: 'slipway task webhook deliveries shows them',
  });
}

async function list({ screen, client, io }: Cli, { top, task }: ListFlags): Promise<ExitCode> {
  const query = { top: parseTop(top), ...(task !== undefined && { hook: parseHook(task) }) };
  const found = await (await client()).deliveries(query);
  await screen.result(found);
  if (screen.json) return 0;
  if (found.length === 0) screen.note('There are no deliveries.');
  else for (const line of formatDeliveries(found, screen.colors, io.clock.now())) await screen.print(line);
  return 0;
}

async function show({ screen, client }: Cli, id: string): Promise<ExitCode> {
  const delivery = await (await client()).delivery(checkId(id));
  await screen.result(delivery);
  if (!screen.json) for (const line of formatDelivery(delivery)) await screen.print(line);
  return 0;
}

async function redeliver({ screen, client }: Cli, id: string): Promise<ExitCode> {
  const delivery = await (await client()).redeliver(checkId(id));
  await screen.result(delivery);
  if (screen.json) return 0;
  await screen.print(`Delivery ${id} is worked off again, as ${delivery.id}.`);
  await screen.print(`  slipway task webhook deliveries ${delivery.id} shows what it comes to`);
  return 0;
}

/** What the task's webhooks are. Throws `conflict` for one that watches no repository. */
async function findSetUp(client: ApiClient, name: string): Promise<WebhookSetUp> {
  const found = readSetUp((await client.taskDetails(name)).document);
  if (found !== undefined) return found;
  throw fail('conflict', `task ${name} watches no repository, so it has no webhook`, {
    hint: `slipway task update ${name} --commit-trigger-enabled true`,
  });
}

/** Says of each repository that it is done, or how people do it. */
async function report({ screen }: Cli, done: WebhookSetUp): Promise<ExitCode> {
  await screen.result(done);
  if (screen.json) return 0;
  for (const one of done.webhooks) {
    if (one.isRegistered) await screen.print(`The webhook ${done.url} is registered at ${one.repositoryUrl}.`);
    else for (const line of formatSetUp(done, one)) await screen.print(line);
  }
  return 0;
}

/** When the forge cannot or will not, what people can do instead is said, and the error is the end. */
function adviseOn({ screen }: Cli, before: WebhookSetUp, error: unknown): void {
  const forge = ['forbidden', 'not-found', 'source-unavailable', 'unsupported'];
  const isForge = error instanceof FailureError && forge.includes(error.failure.reason);
  if (!isForge || screen.json) return;
  for (const one of before.webhooks) for (const line of formatSetUp(before, one)) screen.note(line);
}

async function setUp(cli: Cli, name: string, flags: SetUpFlags): Promise<ExitCode> {
  const { gitAccessToken: given, gitAccessTokenFile: file, provider } = flags;
  const token = await readSecretInput(cli, { what: 'the git token', flag: '--git-access-token', given, file });
  const client = await cli.client();
  const before = await findSetUp(client, name);
  if (flags.manual === true) return report(cli, before);
  const options = {
    ...(token !== undefined && { token }),
    ...(provider !== undefined && { provider: pickWord(provider, gitProviderNames, '--provider') }),
  };
  const done = await client.setUpWebhook(name, options).catch((error: unknown) => {
    adviseOn(cli, before, error);
    throw error;
  });
  return report(cli, done);
}

async function rotate({ screen, client }: Cli, name: string, flags: RotateFlags): Promise<ExitCode> {
  const { url, secrets } = await (await client()).renewWebhookSecret(name, flags.revokeOld === true);
  await screen.result({ url, secrets });
  if (screen.json) return 0;
  if (flags.revokeOld === true) {
    await screen.print('The old secret is not good any more.');
    return 0;
  }
  await screen.print(`The new secret of ${url}:`);
  await screen.print(secrets[0] ?? '');
  if (secrets.length > 1) screen.note(`The old one stays good until slipway task webhook rotate ${name} --revoke-old`);
  return 0;
}

function addDeliveryCommands(webhook: Command, start: Start): void {
  webhook
    .command('deliveries')
    .description('Lists what forges have delivered and what it came to, the newest first; with an id, shows one.')
    .argument('[id]', 'a delivery’s id')
    .option('--task <name>', 'only those to the webhook of a task; shared: to the one for all')
    .option('--top <number>', 'how many, 1 to 1000', '15')
    .action((id: string | undefined, flags: ListFlags, command: Command) =>
      start(command, (cli) => (id === undefined ? list(cli, flags) : show(cli, id))),
    );
  webhook
    .command('redeliver')
    .description('Works a delivery off again, as a new one.')
    .argument('<id>', 'the delivery’s id')
    .action((id: string, _flags: unknown, command: Command) => start(command, (cli) => redeliver(cli, id)));
}

/** Adds `slipway task webhook …`. */
export function addTaskWebhook(task: Command, start: Start): void {
  const webhook = task
    .command('webhook')
    .summary('set up what forges tell of pushes, look at what came')
    .description('Webhooks are how git forges tell of pushes, tags and pull requests.')
    .addHelpText('after', examples);
  addTaskName(webhook.command('setup'))
    .description(
      'Registers a task’s webhook with its forge, where there is a token that may; else shows how to do it by hand.',
    )
    .option('--git-access-token <token>', 'a token for this alone; - reads it from stdin')
    .option('--git-access-token-file <path>', 'the file that it is in')
    .option('--provider <forge>', `where the address does not tell: ${gitProviderNames.slice(0, -1).join(', ')}`)
    .option('--manual', 'register nothing, show URL and secret')
    .action((name: string | undefined, flags: SetUpFlags, command: Command) =>
      start(command, (cli) => setUp(cli, readTaskName(name, flags), flags)),
    );
  addTaskName(webhook.command('rotate'))
    .description('Makes a new secret for a task’s webhook, or ends the old one.')
    .option('--revoke-old', 'make none: end the one before the newest')
    .action((name: string | undefined, flags: RotateFlags, command: Command) =>
      start(command, (cli) => rotate(cli, readTaskName(name, flags), flags)),
    );
  addDeliveryCommands(webhook, start);
}
