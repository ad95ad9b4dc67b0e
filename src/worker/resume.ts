import { fail } from '../domain/failure.ts';
import type { SequencedEvent } from '../domain/event.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { OutputImage, Run, RunId } from '../domain/run.ts';
import { resumedFrom } from '../domain/resumed-from.ts';
import type { Step, StepId } from '../domain/step.ts';
import { hasFailed } from '../engine/conditions.ts';
import { fillOutputs } from '../engine/outputs.ts';
import type { NamedAttempt, RunSetup } from '../engine/ports.ts';
import { readProgress } from '../engine/progress.ts';
import { carryEvents, chooseTaken, findLostCommands, type TakenOver } from '../engine/resume.ts';
import type { KeptPlan } from './plan-keeper.ts';
import { readEvents } from './read-events.ts';
import { registryCredentials, type Work, type WorkRunOptions } from './work.ts';

/** What a run that goes on from where another failed begins with. */
export interface Resumption {
  readonly kept: KeptPlan;
  readonly takenOver: TakenOver;
  /** The run whose workspace is copied; undefined: it begins with its context's files. */
  readonly workspaceOf: NamedAttempt | undefined;
  /** What is said of it in the log. */
  readonly lines: readonly string[];
}

/** The run that failed, as far as it is still known. */
interface Past {
  readonly from: RunId;
  readonly kept: KeptPlan;
  readonly events: readonly SequencedEvent[];
  readonly outcomes: ReadonlyMap<StepId, Outcome>;
}

function gone(from: RunId, what: string): Error {
  return fail('not-found', `${what} of run ${from} is not kept any more, so no run can go on from there`, {
    hint: 'run it again whole',
  });
}

/** Its live log while there is one, the archived one afterwards. */
async function findEvents(from: RunId, options: WorkRunOptions): Promise<readonly SequencedEvent[]> {
  const live = await readEvents(options.store.events, from);
  return live.at(-1)?.kind === 'run-ended' ? live : ((await options.loadArchived(from)) ?? []);
}

async function findPast(from: RunId, options: WorkRunOptions): Promise<Past> {
  const [run, kept] = await Promise.all([options.store.runs.get(from), options.plans.find(from)]);
  if (kept === undefined || kept.attempt !== run?.plannedAttempt) throw gone(from, 'the plan');
  const events = await findEvents(from, options);
  const progress = readProgress(events);
  if (progress === undefined) throw gone(from, 'the log');
  return { from, kept, events, outcomes: progress.finished };
}

/** Whether a step's image, or the output that others read, has gone; commands are looked at elsewhere. */
async function isLost(
  step: Step,
  { events, outcomes }: Past,
  credentials: RunSetup['registryCredentials'],
  { runner }: WorkRunOptions,
): Promise<boolean> {
  const outcome = outcomes.get(step.id);
  if (outcome?.kind !== 'succeeded') return false;
  if ((outcome.withheld ?? []).length > 0) return true;
  const filled = fillOutputs(step, outcomes);
  if (!filled.ok) return true;
  if (filled.step.kind === 'build') {
    const { imageId } = outcome;
    return imageId === undefined || !(await runner.hasBuilt({ names: filled.step.tags, imageId }));
  }
  if (filled.step.kind === 'cmd') return false;
  const images = events.flatMap((event): readonly OutputImage[] =>
    event.kind === 'image-pushed' && event.step === step.id ? [event.image] : [],
  );
  const found = await Promise.all(images.map((image) => runner.hasPushed(image, credentials)));
  return images.length < filled.step.images.length || found.includes(false);
}

async function findLost(past: Past, isWorkspaceKept: boolean, work: Work, options: WorkRunOptions) {
  const { steps } = past.kept.plan;
  const credentials = await registryCredentials(work, options);
  const looks = await Promise.all(steps.map((step) => isLost(step, past, credentials, options)));
  const others = steps.filter((_, index) => looks[index] === true).map(({ id }) => id);
  return new Set([...findLostCommands(past.kept.plan, isWorkspaceKept), ...others]);
}

/** Says what is taken over, and which steps run again although they had succeeded. */
function describeChoice({ from, kept, outcomes }: Past, taken: ReadonlyMap<StepId, Outcome>, hasWorkspace: boolean) {
  const done = kept.plan.steps.filter((step) => {
    const outcome = outcomes.get(step.id);
    return outcome !== undefined && !hasFailed(step, outcome);
  });
  const list = (isTaken: boolean): string =>
    done.flatMap(({ id }) => (taken.has(id) === isTaken ? [id] : [])).join(', ');
  const [over, again] = [list(true), list(false)];
  return [
    `going on from run ${from}; taken over: ${over === '' ? 'nothing' : over}`,
    ...(again === '' ? [] : [`run again, because their effect is gone or what they need is made anew: ${again}`]),
    ...(hasWorkspace ? [`the workspace begins as run ${from} left it`] : []),
  ];
}

/**
 * Finds out what a run takes over from the one that it goes on from (`from`), by what is left of that: its plan, its log, its images, and on
 * this engine its workspace. Rejects with `not-found` when plan or log are gone, and as the runner does when it cannot look.
 */
export async function prepareResumption(from: RunId, work: Work, options: WorkRunOptions): Promise<Resumption> {
  const past = await findPast(from, options);
  const { kept, events, outcomes } = past;
  work.mask.learn(kept.secrets);
  const named = { runId: from, attempt: kept.attempt };
  const isWorkspaceKept = await options.runner.keeps(named);
  const lost = await findLost(past, isWorkspaceKept, work, options);
  const finished = chooseTaken({ plan: kept.plan, outcomes, lost });
  const hasCommand = kept.plan.steps.some(
    ({ id, kind }) => kind === 'cmd' && finished.get(id)?.kind !== 'skipped' && finished.has(id),
  );
  const workspaceOf = isWorkspaceKept && hasCommand ? named : undefined;
  return {
    kept,
    takenOver: { finished, events: carryEvents(events, finished, from) },
    workspaceOf,
    lines: describeChoice(past, finished, workspaceOf !== undefined),
  };
}

/** How long a run waits for the worker whose engine has the workspace that it goes on with. */
const homeGraceMs = 20_000;

/** A worker's name without what changes when it is started again. */
function hostOf(worker: string): string {
  return worker.replace(/-\d+$/, '');
}

/** True when a run may have left a workspace, it is not here, and the worker that did the run is up. */
async function hasHomeElsewhere({ runId, worker, plannedAttempt, steps }: Run, options: WorkRunOptions) {
  const hasWorkspace = steps.some(({ kind, outcome }) => kind === 'cmd' && outcome?.kind === 'succeeded');
  if (!hasWorkspace || worker === undefined || plannedAttempt === undefined) return false;
  const home = hostOf(worker);
  if (home === hostOf(options.name) || (await options.runner.keeps({ runId, attempt: plannedAttempt }))) return false;
  return (await options.listWorkers()).some((one) => hostOf(one.name) === home && one.engine.ok);
}

/**
 * True when a run should be left to another worker for now: it goes on from a run whose workspace is not here, and the worker that did that
 * run is up. Never for longer than some seconds: without the workspace, more steps run again.
 */
export async function isBetterElsewhere(run: Run, options: WorkRunOptions): Promise<boolean> {
  const from = resumedFrom(run.cause);
  if (from === undefined || run.attempt > 0 || run.cancelRequested) return false;
  const { store, waitingSince, clock } = options;
  const old = await store.runs.get(from);
  const isElsewhere = old !== undefined && (await hasHomeElsewhere(old, options));
  const since = waitingSince.get(run.runId) ?? clock.now();
  waitingSince.set(run.runId, since);
  if (isElsewhere && clock.now() - since < homeGraceMs) return true;
  waitingSince.delete(run.runId);
  return false;
}
