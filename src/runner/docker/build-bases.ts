import type { ImageDependencies, ImageIdentity, PlatformManifest } from '../../domain/dependencies.ts';
import { maskDependencies } from '../../domain/dependency-document.ts';
import { isDigest, type Digest } from '../../domain/digest.ts';
import { toFailure } from '../../domain/failure.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import { readDependencies, type BaseReference, type FileDependencies } from '../../dockerfile/dependencies.ts';
import { normalizeIfPossible } from '../../dockerfile/platform.ts';
import { createMasker } from '../../secret/mask.ts';
import { secretArguments, type BuildReport, type StepBuild } from './build-job.ts';
import type { BuildSource, ContextState } from './build-source.ts';
import {
  askRegistry,
  identify,
  inspectLocal,
  isSameRepository,
  mayBeStale,
  refreshLocal,
  wantedDigest,
  type LocalImage,
} from './local-bases.ts';
import { digestRecipe } from './recipe.ts';

/** What a build stands on, as far as it can be known before it. */
export type BuildBases =
  | {
      readonly kind: 'known';
      readonly file: FileDependencies;
      readonly local: ReadonlyMap<string, LocalImage>;
      /** The Dockerfile. */
      readonly text: string;
    }
  | { readonly kind: 'unknown'; readonly why: string }
  /** The engine has a base older than the one that the run was made for, and cannot get another. */
  | { readonly kind: 'stale'; readonly why: string };

type KnownBases = Extract<BuildBases, { kind: 'known' }>;

const maxDockerfileBytes = 1024 * 1024;

/** How the Dockerfile of a step is read. */
export function readOptionsOf({ step, enginePlatform }: StepBuild) {
  return {
    arguments: Object.fromEntries(step.arguments.map(({ name, value }) => [name, value])),
    ...(step.target !== undefined && { target: step.target }),
    platform: step.platform ?? enginePlatform,
    buildPlatform: enginePlatform,
  };
}

/** The text of the Dockerfile that the build will use; the front end takes a small initial too when none is named. */
export async function readDockerfile({ context, dockerfile }: BuildSource): Promise<string | undefined> {
  if (dockerfile !== undefined) return context.readFile(dockerfile, maxDockerfileBytes);
  const names = ['Dockerfile', 'dockerfile'];
  for (const name of names) {
    const text = await context.readFile(name, maxDockerfileBytes);
    if (text !== undefined) return text;
  }
  return undefined;
}

function allOf({ runtime, buildTime }: FileDependencies): readonly BaseReference[] {
  return [...(runtime ? [runtime] : []), ...buildTime];
}

/** Thrown where a build would stand on an older base than the one that its run was made for. */
class StaleBase extends Error {}

async function lookAt(build: StepBuild, { image, platform }: BaseReference): Promise<LocalImage | undefined> {
  const copy = await inspectLocal(build, image);
  if (!copy || !mayBeStale(build, image)) return copy;
  const digest = await refreshLocal(build, image, copy, platform ?? build.step.platform);
  const wanted = wantedDigest(build, image);
  if (digest === undefined) {
    if (wanted === undefined || copy.digests.includes(wanted)) return copy;
    const name = formatImageIdentity(image);
    throw new StaleBase(`${name} has changed to ${wanted}, and the engine can get neither this nor a newer one`);
  }
  if (!copy.digests.includes(digest)) return inspectLocal(build, image);
  return { ...copy, digests: [digest] };
}

async function lookAtAll(build: StepBuild, file: FileDependencies): Promise<Map<string, LocalImage>> {
  const found = allOf(file).map(async (base) => [formatImageIdentity(base.image), await lookAt(build, base)] as const);
  const known = await Promise.all(found);
  return new Map(known.flatMap(([name, image]) => (image ? [[name, image]] : [])));
}

async function find(build: StepBuild, source: BuildSource): Promise<BuildBases> {
  const text = await readDockerfile(source);
  if (text === undefined) return { kind: 'unknown', why: 'the Dockerfile is not in the context' };
  const options = readOptionsOf(build);
  const file = readDependencies(text, options);
  const local = await lookAtAll(build, file);
  if (![...local.values()].some(({ triggers }) => triggers.length > 0)) return { kind: 'known', file, local, text };
  const triggersOf = (image: ImageIdentity) => local.get(formatImageIdentity(image))?.triggers ?? [];
  const whole = readDependencies(text, { ...options, triggersOf });
  return { kind: 'known', file: whole, local: await lookAtAll(build, whole), text };
}

/**
 * Reads what a build stands on, and sees to it that the engine's copies of our registry's images are what the registry has now. Never
 * rejects: a build is not to fail for what is only to be known of it.
 */
export async function findBases(build: StepBuild, source: BuildSource): Promise<BuildBases> {
  try {
    return await find(build, source);
  } catch (error) {
    if (error instanceof StaleBase) return { kind: 'stale', why: error.message };
    return { kind: 'unknown', why: toFailure(error).message };
  }
}

/**
 * What the target begins with, with the digest that the build will find: as it is pinned, or as the engine's own copy has it, else what its
 * registry has now. Undefined for `scratch`.
 */
export async function findRuntimeBase(
  build: StepBuild,
  { file, local }: KnownBases,
): Promise<ImageIdentity | undefined> {
  if (file.runtime === undefined) return undefined;
  const { image } = file.runtime;
  const copy = local.get(formatImageIdentity(image));
  const isAsked = copy === undefined || build.step.pull;
  const digest = image.digest ?? (isAsked ? await askRegistry(build, image) : copy.digests[0]);
  return { ...image, ...(image.digest !== undefined && { isPinned: true }), ...(digest !== undefined && { digest }) };
}

/** The digest that the builder itself named. */
function resolvedDigest(image: ImageIdentity, { bases }: BuildReport): Digest | undefined {
  const resolved = bases.findLast(({ reference }) => {
    const one = identify(reference);
    return one !== undefined && isSameRepository(one, image) && one.tag === image.tag;
  });
  return resolved !== undefined && isDigest(resolved.digest) ? resolved.digest : undefined;
}

/** The platforms for which a build reads a base. A front end runs where the build does, and may be chosen by either. */
function platformsOf(
  { step, enginePlatform }: StepBuild,
  { platform, use }: BaseReference,
): readonly PlatformManifest[] {
  const target = step.platform ?? enginePlatform;
  const all = use === 'syntax' ? [target, enginePlatform] : [platform ?? target];
  return [...new Set(all.map(normalizeIfPossible))].map((name) => ({ platform: name }));
}

/** An image that is read for several platforms is named once, with all of them. */
function mergeImages(images: readonly ImageIdentity[]): ReadonlyMap<string, ImageIdentity> {
  const merged = new Map<string, ImageIdentity>();
  for (const image of images) {
    const name = formatImageIdentity(image);
    const all = [...(merged.get(name)?.platforms ?? []), ...(image.platforms ?? [])];
    const platforms = [...new Map(all.map((one) => [one.platform, one])).values()];
    merged.set(name, { ...image, ...(platforms.length > 0 && { platforms }) });
  }
  return merged;
}

/**
 * The digest by which the build knew a base: as it is pinned, as the builder resolved it, or as the engine's own copy has it. Of images
 * that are only copied from, BuildKit says none: then it is what the registry has just after the build.
 */
async function withDigest(
  build: StepBuild,
  base: BaseReference,
  local: ReadonlyMap<string, LocalImage>,
  report: BuildReport,
): Promise<ImageIdentity> {
  const { image } = base;
  const copy = local.get(formatImageIdentity(image));
  const known = image.digest ?? resolvedDigest(image, report) ?? copy?.digests[0];
  const digest = known ?? (copy === undefined ? await askRegistry(build, image) : undefined);
  if (image.digest !== undefined) return { ...image, isPinned: true };
  return { ...image, ...(digest !== undefined && { digest }), platforms: platformsOf(build, base) };
}

/** What a finished build stands on: an entry for each of its names, or one without a name. */
async function describeBases(
  build: StepBuild,
  { file, local, text }: KnownBases,
  report: BuildReport,
  { commit, revision }: ContextState,
): Promise<readonly ImageDependencies[]> {
  const runtime = file.runtime && (await withDigest(build, file.runtime, local, report));
  const all = await Promise.all(file.buildTime.map((base) => withDigest(build, base, local, report)));
  const images = mergeImages([...all, ...(runtime ? [runtime] : [])]);
  const begun = runtime && images.get(formatImageIdentity(runtime));
  const shared = {
    ...(begun && { runtime: begun }),
    buildTime: [...images.values()].filter((image) => image !== begun),
    ...(commit !== undefined && { commit }),
    ...(revision !== undefined && { revision }),
    recipe: digestRecipe(build.step, text, build.step.platform ?? build.enginePlatform),
  };
  const names = build.step.tags.flatMap((tag) => identify(tag) ?? []);
  const entries = names.length === 0 ? [shared] : names.map((image) => ({ image, ...shared }));
  return maskDependencies(entries, createMasker([...secretArguments(build.step).values()]));
}

function warningOf(bases: BuildBases): string | undefined {
  if (bases.kind !== 'known') return bases.why;
  const [first, ...more] = bases.file.unresolved;
  if (first === undefined) return undefined;
  return `line ${first.line} of the Dockerfile: ${first.why}${more.length > 0 ? ` (and ${more.length} more)` : ''}`;
}

/** Tells what a build that has succeeded stands on; what is not known is a warning. */
export async function reportBases(
  build: StepBuild,
  bases: BuildBases,
  report: BuildReport,
  context: ContextState,
): Promise<void> {
  const warning = warningOf(bases);
  if (warning !== undefined) {
    const mask = createMasker([...secretArguments(build.step).values()]);
    build.io.output('system', `warning: not all that the image stands on is known: ${mask(warning)}`);
  }
  if (bases.kind === 'known') build.io.builtOn(await describeBases(build, bases, report, context));
}
