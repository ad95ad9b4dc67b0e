import { setTimeout as sleep } from 'node:timers/promises';
import { formatElapsed } from '../domain/event-text.ts';
import { isPassing } from './api-call.ts';
import type { ApiClient } from './api-types.ts';
import { describeTask, formatCounts, formatTasks, inOneLine, isInQueue } from './campaign-task-view.ts';
import { describeEnd, isAtRest } from './campaign-view.ts';
import type { Cli } from './cli.ts';
import type { ExitCode } from './exit-codes.ts';
import { columnsOf, interruptedCode, rowsOf, withInterrupt, type CliOutput } from './io.ts';
import { createBlock, fit } from './live-block.ts';
import type { CampaignDetails, CampaignTaskView } from './patching-types.ts';

type Reader = Pick<ApiClient, 'campaign'>;

const pollMs = 1000;
const mostLines = 16;
/** How many tries in a row to reach the server may fail. */
const mostFailures = 30;

/** Shows how a campaign goes on. */
interface View {
  /** Says what has happened since the last time. */
  readonly update: (campaign: CampaignDetails) => Promise<void>;
  readonly close: () => void;
}

function keyOf({ state, runId, tries }: CampaignTaskView): string {
  return `${state} ${runId ?? ''} ${String(tries)}`;
}

/** What has changed since it was asked last; tasks that have only ever waited are no news. */
function createNews(): (campaign: CampaignDetails) => readonly CampaignTaskView[] {
  const known = new Map<string, string>();
  return ({ tasks }) =>
    tasks.filter((one) => {
      const [key, before] = [keyOf(one), known.get(one.task)];
      known.set(one.task, key);
      return key !== before && (before !== undefined || one.state !== 'waiting');
    });
}

/** The tasks that matter now: those at work, then those that failed, then those that wait, for a worker or for others. */
function chooseTasks(tasks: readonly CampaignTaskView[], room: number): readonly CampaignTaskView[] {
  const states = ['running', 'failed', 'queued', 'waiting'];
  const rank = (one: CampaignTaskView): number => states.indexOf(isInQueue(one) ? 'queued' : one.state);
  return tasks
    .filter((one) => rank(one) >= 0)
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, room);
}

function drawBlock({ screen, io }: Cli, terminal: CliOutput, campaign: CampaignDetails): readonly string[] {
  const { id, status, tasks, estimate } = campaign;
  const room = Math.max(2, Math.min(mostLines, rowsOf(terminal) - 8));
  const left = estimate === undefined ? '' : `; about ${formatElapsed(estimate.remainingMs)} left`;
  const lines = [
    screen.colors.bold(`Campaign ${id} ${status}: ${formatCounts(campaign)}${left}`),
    ...formatTasks(chooseTasks(tasks, room), screen.colors, io.clock.now()),
  ];
  return lines.map((line) => fit(line, columnsOf(terminal, 80)));
}

/** Lines for what happens; on a terminal, below them how it stands. */
function createView(cli: Cli): View {
  const { screen, io } = cli;
  const { terminal } = screen;
  const block = terminal && createBlock(terminal);
  const news = createNews();
  let status: string | undefined;
  return {
    update: async (campaign) => {
      block?.erase();
      if (campaign.status !== status && !isAtRest(campaign)) {
        const why = campaign.because === undefined ? '' : `: ${inOneLine(campaign.because)}`;
        await screen.print(`Campaign ${campaign.id} is ${campaign.status}${why}`);
      }
      ({ status } = campaign);
      for (const one of news(campaign)) await screen.print(describeTask(one, io.clock.now()));
      if (terminal && block && !isAtRest(campaign)) block.draw(drawBlock(cli, terminal, campaign));
    },
    close: () => block?.erase(),
  };
}

/** Waits, and longer where answers take long; a signal that aborts ends the wait. */
async function pause({ wiring }: Cli, took: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(wiring.pollMs ?? pollMs, 3 * took), undefined, { signal }).catch(() => undefined);
}

/** Looks at a campaign until nothing more happens in it by itself; undefined when the signal aborts before. */
async function watch(cli: Cli, client: Reader, id: string, view: View & { readonly signal: AbortSignal }) {
  const { clock } = cli.io;
  let failures = 0;
  while (!view.signal.aborted) {
    const begin = clock.now();
    try {
      const campaign = await client.campaign(id);
      failures = 0;
      await view.update(campaign);
      if (isAtRest(campaign)) return campaign;
    } catch (error) {
      failures += 1;
      if (!isPassing(error) || failures > mostFailures) throw error;
      if (failures === 1) cli.screen.note('The connection to the server was lost; trying again.');
    }
    await pause(cli, clock.now() - begin, view.signal);
  }
  return undefined;
}

/** Follows a campaign until it is over, or held with nothing at work. The exit code is 0 when it succeeded, and 1 when not. */
export async function followCampaign(cli: Cli, client: Reader, id: string): Promise<ExitCode> {
  const { screen, io } = cli;
  return withInterrupt(io, async (signal) => {
    const view = createView(cli);
    const campaign = await watch(cli, client, id, { ...view, signal }).finally(view.close);
    if (campaign === undefined) {
      screen.note(`The campaign goes on. Follow it again with: slipway campaign show ${id} --follow`);
      return interruptedCode;
    }
    await screen.print(describeEnd(campaign, screen.colors, io.clock.now()));
    if (campaign.status === 'Held')
      screen.note(`slipway campaign resume ${id} tries again what failed; cancel ends it.`);
    await screen.result(campaign);
    return campaign.status === 'Succeeded' ? 0 : 1;
  });
}
