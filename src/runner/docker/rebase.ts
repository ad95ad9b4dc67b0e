import { toFailure } from '../../domain/failure.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { readDependencies } from '../../dockerfile/dependencies.ts';
import { exchange, type Exchanged } from '../../rebase/exchange.ts';
import { refuse, Refusal } from '../../rebase/refusal.ts';
import { createMasker } from '../../secret/mask.ts';
import { givenLabels, labelsOfBase } from './base-labels.ts';
import { readOptionsOf } from './build-bases.ts';
import { secretArguments, type StepBuild } from './build-job.ts';
import { canceledBy } from './canceled.ts';
import { EngineRefusal } from './errors.ts';
import { identify, isMadeHere } from './local-bases.ts';
import { askState, checkLayouts, decide, expectedDigest, readDocuments, type State } from './rebase-decide.ts';
import { remember, withoutDigest } from './rebase-images.ts';
import type { Job, Known, RebaseSource } from './rebase-job.ts';
import type { RebaseMeans } from './rebase-means.ts';
import type { RebasedImage } from './rebased-image.ts';
import { checkContext, findMade } from './rebase-known.ts';
import { checkPlan, isNeededOnEngine } from './rebase-plan.ts';
import { putImage, showToEngine } from './rebase-put.ts';
import { digestRecipe } from './recipe.ts';
import { sha256Of } from '../../registry-client/documents.ts';
import { RegistryRefusal } from '../../registry-client/refusal.ts';

function checkBase({ build, base, made }: Pick<Known, 'build' | 'base' | 'made'>): void {
  const { image } = base;
  if (image.digest !== undefined) refuse('its base is pinned by a digest');
  if (formatImageIdentity(image) !== formatImageIdentity(withoutDigest(made.base)))
    refuse('its base is another one now');
  if (image.registry !== build.registryHost.toLowerCase()) refuse('its base is not in our registry');
  if (isMadeHere(build, image)) refuse('this run makes its base itself');
}

/** The labels that a build on the new base would be given. */
function labelsFor({ build, source, base, newDigest }: Job): Readonly<Record<string, string>> {
  const isWanted = build.scope.settings.labelsBases ?? false;
  return givenLabels(build.step, isWanted ? labelsOfBase({ ...base.image, digest: newDigest }, source.text) : {});
}

function tell({ build, made, base, newDigest }: Job, exchanged: Exchanged): void {
  const { io, step } = build;
  const name = formatImageIdentity(base.image);
  io.output(
    'system',
    `rebased: the layers of ${name}@${made.base.digest} were exchanged for those of ${newDigest}, no build`,
  );
  io.output('system', `the image is ${exchanged.manifest.digest}; its tags move when it is pushed`);
  const images = step.tags.flatMap((tag) => identify(tag) ?? []);
  const shared = { ...made.record, runtime: { ...base.image, digest: newDigest } };
  io.builtOn(images.map((image) => ({ ...shared, image })));
}

function prepare(build: StepBuild, source: RebaseSource, means: RebaseMeans): Known {
  const update = build.scope.setup.baseUpdate ?? refuse('no base has changed');
  const names = checkPlan(build);
  const { step, registryHost, enginePlatform } = build;
  const recipe = digestRecipe(step, source.text, step.platform ?? enginePlatform);
  const made = findMade(update, names, { registryHost: registryHost.toLowerCase(), recipe });
  const dependencies = readDependencies(source.text, readOptionsOf(build));
  const base = dependencies.runtime ?? refuse('its base cannot be made out');
  checkBase({ build, base, made });
  const note = checkContext(made, source.context, build);
  if (note !== undefined) build.io.output('system', note);
  const client = means.connect(build.scope.setup.registryCredentials, build.signal);
  return { build, source, names, client, means, made, base, dependencies };
}

/** Makes the documents of the new image. Rejects with a Refusal. */
async function makeImage(job: Job, doubts: State['doubts']): Promise<Exchanged> {
  const labels = labelsFor(job);
  const verdict = decide(job, await readDocuments(job), { doubts, labels });
  await checkLayouts(job, verdict);
  const created = new Date(job.build.scope.now()).toISOString();
  return exchange(verdict.rebase, { labels, created, digestOf: sha256Of });
}

/** What the image is like on the base that the run was started for, while the registry is asked whether that is the one. */
async function makeEarly(known: Known): Promise<{ readonly job: Job; readonly exchanged: Exchanged } | undefined> {
  const newDigest = expectedDigest(known);
  // Images that are read besides would have to be asked about first.
  if (newDigest === undefined || known.dependencies.buildTime.length > 0) return undefined;
  await new Promise(setImmediate); // so that the questions are on their way
  const job = { ...known, newDigest };
  // Why it cannot be is found again, and said, when the registry has answered.
  return makeImage(job, new Map()).then(
    (exchanged) => ({ job, exchanged }),
    () => undefined,
  );
}

async function make(known: Known): Promise<{ readonly job: Job; readonly exchanged: Exchanged }> {
  const [{ newDigest, doubts }, early] = await Promise.all([askState(known), makeEarly(known)]);
  if (early?.job.newDigest === newDigest) return early;
  const job = { ...known, newDigest };
  return { job, exchanged: await makeImage(job, doubts) };
}

async function rebase(build: StepBuild, source: RebaseSource, means: RebaseMeans): Promise<Outcome> {
  const { scope } = build;
  const { job, exchanged } = await make(prepare(build, source, means));
  const { manifest } = exchanged;
  const imageId = isNeededOnEngine(build) ? await showToEngine(job, exchanged) : undefined;
  const moveTag: RebasedImage['moveTag'] = async ({ repository, tag }, signal) => {
    const client = means.connect(scope.setup.registryCredentials, signal);
    return putImage(client, job, exchanged, { repository, reference: tag });
  };
  for (const { repository, tag } of job.names) {
    scope.rebased?.set(formatImageIdentity({ registry: build.registryHost, repository, tag }), { moveTag });
  }
  const { platform } = readOptionsOf(build);
  for (const { repository } of job.names) {
    const parts = { manifest: manifest.bytes, config: exchanged.config.bytes };
    remember(means.documents, { repository, digest: manifest.digest, platform }, parts);
  }
  tell(job, exchanged);
  return { kind: 'succeeded', ...(imageId !== undefined && { imageId }) };
}

/** Why something that was thrown keeps an image from being rebased; what is no reason of that kind is thrown on. */
function reasonOf(error: unknown): string {
  if (error instanceof Refusal || error instanceof RegistryRefusal || error instanceof EngineRefusal)
    return error.message;
  return toFailure(error).message;
}

/**
 * Does a build step in the registry where its run allows that and it is safe: the layers of its base are exchanged, no tag moves yet.
 * Resolves with what the step came to; undefined, with the reason said, when the image must be built. Rejects with `engine-unavailable`.
 */
export async function tryRebase(build: StepBuild, source: RebaseSource): Promise<Outcome | undefined> {
  const { scope, io, signal, rebase: means } = build;
  const strategy = scope.setup.baseUpdate?.strategy ?? 'rebuild';
  if (strategy === 'rebuild' || means === undefined) return undefined;
  try {
    return await rebase(build, source, means);
  } catch (error) {
    if (signal.aborted) return canceledBy(signal);
    if (toFailure(error).reason === 'engine-unavailable') throw error;
    const mask = createMasker([...secretArguments(build.step).values()]);
    io.output('system', `not rebased: ${mask(reasonOf(error))}; building`);
    return undefined;
  }
}
