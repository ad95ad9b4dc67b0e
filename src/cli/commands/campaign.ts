import type { Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import { followCampaign } from '../campaign-follow.ts';
import { formatCampaign, formatCampaigns, isStopped } from '../campaign-view.ts';
import type { Cli, Start } from '../cli.ts';
import { confirm } from '../confirm.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseTop } from '../options.ts';
import type { CampaignDetails, CampaignVerb } from '../patching-types.ts';

const examples = `
Examples:
  slipway campaign list
  slipway campaign show cp1
  slipway campaign show cp1 --follow      to its end; exit code 1 when it did not succeed
  slipway campaign pause cp1              start nothing more until resume
  slipway campaign retry cp1 --follow     again what failed, was blocked or canceled
  slipway campaign rollback cp1 --yes     end it, and point the tags that it moved back

A campaign is all that one change of a base image rebuilds: see docs/base-images.md.`;

interface FollowFlags {
  readonly follow?: true;
}

function checkId(id: string): string {
  if (/^cp[1-9][0-9]{0,14}$/.test(id)) return id;
  const hint = 'A campaign’s id looks like cp1: slipway campaign list shows them.';
  throw fail('invalid-request', `"${id.slice(0, 60)}" is no campaign's id`, { field: 'id', hint });
}

async function list({ screen, client, io }: Cli, { top }: { readonly top: string }): Promise<ExitCode> {
  const all = await (await client()).campaigns(parseTop(top));
  await screen.result(all);
  if (screen.json) return 0;
  if (all.length === 0) screen.note('There are no campaigns.');
  else for (const line of formatCampaigns(all, screen.colors, io.clock.now())) await screen.print(line);
  return 0;
}

/** Among how many campaigns, the newest, those are looked for that wait for one. */
const lookedAt = 1000;

async function show(cli: Cli, id: string, { follow }: FollowFlags): Promise<ExitCode> {
  const { screen, io } = cli;
  const client = await cli.client();
  checkId(id);
  if (follow) return followCampaign(cli, client, id);
  const campaign = await client.campaign(id);
  await screen.result(campaign);
  if (screen.json) return 0;
  const others = isStopped(campaign) ? await client.campaigns(lookedAt) : [];
  for (const line of formatCampaign({ campaign, others }, screen.colors, io.clock.now())) await screen.print(line);
  return 0;
}

function stopping({ id, counts, status }: CampaignDetails, done: string): string {
  const running = counts.running ?? 0;
  if (status === 'Canceled' || running === 0) return `Campaign ${id} is ${done}.`;
  const runs = running === 1 ? 'the run that is at work has' : `the ${String(running)} runs that are at work have`;
  return `Campaign ${id} is being ${done}: it is over when ${runs} ended.`;
}

const answers: Readonly<Record<CampaignVerb, (campaign: CampaignDetails) => string>> = {
  pause: ({ id }) => `Campaign ${id} is paused: what is queued or at work goes on, and nothing more is added.`,
  resume: ({ id, status }) => `Campaign ${id} goes on: ${status}.`,
  cancel: (campaign) => stopping(campaign, 'canceled'),
  retry: ({ id, status }) => `Campaign ${id} goes on: ${status}.`,
  rollback: (campaign) => stopping(campaign, 'rolled back'),
};

async function change(cli: Cli, id: string, verb: CampaignVerb, { follow }: FollowFlags): Promise<ExitCode> {
  const { screen } = cli;
  const client = await cli.client();
  const campaign = await client.changeCampaign(checkId(id), verb);
  if (follow) return followCampaign(cli, client, id);
  await screen.result(campaign);
  if (!screen.json) await screen.print(answers[verb](campaign));
  return 0;
}

async function rollback(cli: Cli, id: string, { yes }: { readonly yes?: true }): Promise<ExitCode> {
  const question = `End campaign ${checkId(id)}, and point the tags that it has moved back to what they stood for before?`;
  if (!yes && !(await confirm(cli.io, question))) {
    cli.screen.note('Nothing was changed.');
    return 1;
  }
  return change(cli, id, 'rollback', {});
}

const verbs = [
  ['pause', 'Lets a campaign start nothing more until it is resumed.', false],
  ['resume', 'Lets a campaign that is paused or held go on; of a held one, what failed is done again.', true],
  ['cancel', 'Ends a campaign: what waits is not started, what is at work is stopped.', false],
  ['retry', 'Does again what failed, was blocked or canceled in a campaign that is over or held.', true],
] as const;

function addVerbs(campaign: Command, start: Start): void {
  for (const [verb, description, canFollow] of verbs) {
    const command = campaign
      .command(verb)
      .description(description)
      .argument('<id>', 'the campaign’s id, for example cp1');
    if (canFollow) command.option('-f, --follow', 'go on until it is over');
    command.action((id: string, flags: FollowFlags, self: Command) =>
      start(self, (cli) => change(cli, id, verb, flags)),
    );
  }
  campaign
    .command('rollback')
    .description('Ends a campaign, and points the tags that it moved back to what they stood for before.')
    .argument('<id>', 'the campaign’s id, for example cp1')
    .option('-y, --yes', 'do not ask')
    .action((id: string, flags: { yes?: true }, command: Command) => start(command, (cli) => rollback(cli, id, flags)));
}

/** Adds `slipway campaign …`. */
export function addCampaign(program: Command, start: Start): void {
  const campaign = program
    .command('campaign')
    .summary('follow and steer what changed base images rebuild')
    .description('Shows and steers campaigns: all that one change of a base image rebuilds, once and in order.')
    .addHelpText('after', examples);
  campaign
    .command('list')
    .description('Lists campaigns, the newest first.')
    .option('--top <number>', 'how many, 1 to 1000', '15')
    .action((flags: { top: string }, command: Command) => start(command, (cli) => list(cli, flags)));
  campaign
    .command('show')
    .description('Shows a campaign: what it rebuilds for, and its tasks by level with their runs.')
    .argument('<id>', 'the campaign’s id, for example cp1')
    .option('-f, --follow', 'go on until it is over; its success is the exit code')
    .action((id: string, flags: FollowFlags, command: Command) => start(command, (cli) => show(cli, id, flags)));
  addVerbs(campaign, start);
}
