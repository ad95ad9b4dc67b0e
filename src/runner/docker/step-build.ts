import { FailureError } from '../../domain/failure.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { BuildStep } from '../../domain/step.ts';
import { createMasker } from '../../secret/mask.ts';
import { runBuild } from './build.ts';
import { givenLabels, labelsOfBase, labelsQuery } from './base-labels.ts';
import { findBases, findRuntimeBase, readDockerfile, reportBases, type BuildBases } from './build-bases.ts';
import { describeContextFault } from './build-context.ts';
import { secretArguments, type BuildReport, type StepBuild } from './build-job.ts';
import { buildOptions, cacheReference } from './build-options.ts';
import type { BuildSource } from './build-source.ts';
import { canceledBy, isAborted, pause } from './canceled.ts';
import { holdEnd } from './held-context.ts';
import { findImageIds, removeDangling, removeQuietly } from './images.ts';
import { limitsQuery } from './limits/build-limits.ts';
import { identify } from './local-bases.ts';
import { waitForOurs } from './passing.ts';
import { runPush } from './push.ts';
import { tryRebase } from './rebase.ts';

/** The engine's words about an instruction have the values of its arguments in them. */
function withoutSecrets(outcome: Outcome, step: BuildStep): Outcome {
  if (outcome.kind !== 'failed') return outcome;
  const mask = createMasker([...secretArguments(step).values()]);
  return { ...outcome, message: mask(outcome.message) };
}

/**
 * Ids of images that a build leaves without a name: the one its tags have moved away from, its own when it got none, and what a failed
 * one had come to. The latter may only go when it was made since the build's start.
 */
function findLeftovers(
  { imageId, remains }: BuildReport,
  step: BuildStep,
  before: ReadonlySet<string>,
): readonly [readonly string[], 'ever' | 'start'] {
  if (imageId === undefined) return [remains === undefined ? [] : [remains], 'start'];
  return [step.tags.length === 0 ? [imageId] : [...before].filter((id) => id !== imageId), 'ever'];
}

/** What a build came to, with the image that it made. */
function outcomeOf({ outcome, imageId }: BuildReport): Outcome {
  return outcome.kind === 'succeeded' && imageId !== undefined ? { ...outcome, imageId } : outcome;
}

/** Keeps the layers of a build in its registry; that they cannot be kept is no failure of the build. */
async function keepCache({ scope, step, io, signal }: StepBuild): Promise<void> {
  const reference = cacheReference(step);
  if (reference === undefined) return;
  const { engine, setup, now } = scope;
  const silent = { output: () => {}, pushed: () => {}, builtOn: () => {} };
  const job = { engine, images: [reference], credentials: setup.registryCredentials, io: silent, signal, now };
  const outcome = await runPush({ ...job, backoffMs: () => [] });
  if (outcome.kind === 'failed') io.output('system', `warning: the cache was not kept: ${outcome.message}`);
  else io.output('system', `cache kept as ${reference}`);
  await removeQuietly(engine, `/images/${reference}`, { noprune: '1' });
}

/** The labels that are given to the image; which image it stands on is known by then. */
async function labelsOf(build: StepBuild, bases: BuildBases): Promise<Readonly<Record<string, string>>> {
  const isWanted = build.scope.settings.labelsBases === true && bases.kind === 'known';
  return givenLabels(build.step, isWanted ? labelsOfBase(await findRuntimeBase(build, bases), bases.text) : {});
}

/** Sees to it that the build stands on what it should before it begins; where nothing hangs on that, it goes on beside it. */
async function settleBases(build: StepBuild, bases: Promise<BuildBases>): Promise<StepLabels | { fault: string }> {
  const { settings, setup } = build.scope;
  if (settings.labelsBases !== true && setup.baseUpdate === undefined) return { labels: givenLabels(build.step, {}) };
  const known = await bases;
  return known.kind === 'stale' ? { fault: known.why } : { labels: await labelsOf(build, known) };
}

interface StepLabels {
  readonly labels: Readonly<Record<string, string>>;
}

/** The image is made in the registry where that can be; undefined: it must be built. */
async function rebaseFrom(build: StepBuild, source: BuildSource): Promise<Outcome | undefined> {
  const strategy = build.scope.setup.baseUpdate?.strategy ?? 'rebuild';
  if (strategy === 'rebuild') return undefined;
  const text = await readDockerfile(source);
  return text === undefined ? undefined : tryRebase(build, { text, context: source.context });
}

/** What an earlier try of the step has made in the registry is not what is pushed. */
function forgetRebased({ scope, step }: StepBuild): void {
  for (const image of step.tags.flatMap((tag) => identify(tag) ?? []))
    scope.rebased?.delete(formatImageIdentity(image));
}

async function buildImage(build: StepBuild, source: BuildSource): Promise<Outcome> {
  const { scope, step, io, signal, buildId } = build;
  const { engine, settings, setup, now } = scope;
  const options = buildOptions(step, settings.allowPrivileged ?? false, io);
  forgetRebased(build);
  const { dockerfile } = source;
  const bases = findBases(build, source);
  const settled = await settleBases(build, bases);
  if ('fault' in settled) return { kind: 'failed', message: settled.fault };
  const query = { ...options, ...limitsQuery(scope.limits.of(step)), ...labelsQuery(settled.labels) };
  const context = holdEnd(source.context, bases);
  const startedAt = now();
  const before = findImageIds(engine, step.tags).catch(() => new Set<string>());
  const shared = { engine, step, context, io, signal, buildId, now, query };
  const job = { ...shared, credentials: setup.registryCredentials, ...(dockerfile !== undefined && { dockerfile }) };
  const report = await runBuild(job, build.createBuilder);
  const [left, since] = findLeftovers(report, step, await before);
  if (left.length > 0) {
    const remove = (): Promise<void> => removeDangling(engine, left, since === 'start' ? startedAt : 0);
    void scope.inBackground('removing images that have no name', remove);
  }
  if (report.outcome.kind === 'succeeded') {
    await reportBases(build, await bases, report, source.context);
    await keepCache(build);
  }
  return withoutSecrets(outcomeOf(report), step);
}

async function buildFrom(build: StepBuild): Promise<Outcome> {
  const source = await build.sources.open(build.step, build.signal);
  try {
    return (await rebaseFrom(build, source)) ?? (await buildImage(build, source));
  } finally {
    await source.context.dispose();
  }
}

/** Milliseconds before a build is tried again whose base could not be had while our registry was away; undefined: it is not. */
function waitForBase({ registryHost }: StepBuild, outcome: Outcome, tries: number): number | undefined {
  const isOfBase =
    outcome.kind === 'failed' && outcome.exitCode === undefined && outcome.message.includes(`${registryHost}/`);
  return isOfBase
    ? waitForOurs({ registry: registryHost.toLowerCase(), ours: registryHost }, outcome.message, tries)
    : undefined;
}

/**
 * Does a build step: finds its context, builds (or makes the image in the registry), keeps its cache. Our own registry is waited for while it
 * is away. Rejects as {@link runBuild} does.
 */
export async function runStepBuild(build: StepBuild): Promise<Outcome> {
  for (let tries = 1; ; tries += 1) {
    const buildId = tries === 1 ? build.buildId : `${build.buildId}-${String(tries)}`;
    const outcome = await tryStepBuild({ ...build, buildId });
    const wait = build.signal.aborted ? undefined : waitForBase(build, outcome, tries);
    if (wait === undefined || outcome.kind !== 'failed') return outcome;
    build.io.output('system', `${outcome.message}; trying again in ${String(wait / 1000)} s`);
    await pause(wait, build.signal);
  }
}

async function tryStepBuild(build: StepBuild): Promise<Outcome> {
  if (build.signal.aborted) return canceledBy(build.signal);
  try {
    return await buildFrom(build);
  } catch (error) {
    if (isAborted(build.signal)) return canceledBy(build.signal);
    if (error instanceof FailureError) return describeContextFault(error);
    throw error;
  }
}
