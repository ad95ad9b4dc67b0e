import { FailureError } from '../../domain/failure.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { BuildStep } from '../../domain/step.ts';
import { createMasker } from '../../secret/mask.ts';
import { runBuild } from './build.ts';
import { findBases, reportBases } from './build-bases.ts';
import { describeContextFault } from './build-context.ts';
import { secretArguments, type BuildReport, type StepBuild } from './build-job.ts';
import { buildOptions, cacheReference } from './build-options.ts';
import { canceledBy, isAborted } from './canceled.ts';
import { holdEnd } from './held-context.ts';
import { findImageIds, removeDangling, removeQuietly } from './images.ts';
import { runPush } from './push.ts';

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

/** Keeps the layers of a build in its registry; that they cannot be kept is no failure of the build. */
async function keepCache({ scope, step, io, signal }: StepBuild): Promise<void> {
  const reference = cacheReference(step);
  if (reference === undefined) return;
  const { engine, setup, now } = scope;
  const silent = { output: () => {}, pushed: () => {}, builtOn: () => {} };
  const job = { engine, images: [reference], credentials: setup.registryCredentials, io: silent, signal, now };
  const outcome = await runPush({ ...job, backoffMs: [] });
  if (outcome.kind === 'failed') io.output('system', `warning: the cache was not kept: ${outcome.message}`);
  else io.output('system', `cache kept as ${reference}`);
  await removeQuietly(engine, `/images/${reference}`, { noprune: '1' });
}

async function buildFrom(build: StepBuild): Promise<Outcome> {
  const { scope, sources, step, io, signal, buildId } = build;
  const { engine, settings, setup, now } = scope;
  const query = buildOptions(step, settings.allowPrivileged ?? false, io);
  const source = await sources.open(step, signal);
  try {
    const { dockerfile } = source;
    const bases = findBases(build, source);
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
      await reportBases(build, await bases, report, source.context.commit);
      await keepCache(build);
    }
    return withoutSecrets(report.outcome, step);
  } finally {
    await source.context.dispose();
  }
}

/** Does a build step: finds its context, builds, keeps its cache. Rejects as {@link runBuild} does. */
export async function runStepBuild(build: StepBuild): Promise<Outcome> {
  if (build.signal.aborted) return canceledBy(build.signal);
  try {
    return await buildFrom(build);
  } catch (error) {
    if (isAborted(build.signal)) return canceledBy(build.signal);
    if (error instanceof FailureError) return describeContextFault(error);
    throw error;
  }
}
