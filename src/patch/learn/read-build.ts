import type { ImageDependencies, ImageIdentity } from '../../domain/dependencies.ts';
import { toFailure } from '../../domain/failure.ts';
import { formatImageIdentity, identifyImage, parseImageReference } from '../../domain/image-reference.ts';
import type { BuildStep } from '../../domain/step.ts';
import { readDependencies, type FileDependencies, type ReadOptions } from '../../dockerfile/dependencies.ts';
import type { LearnMeans } from './means.ts';
import type { FoundDockerfile } from './read-dockerfile.ts';

/** What one build step makes, and on what. */
export interface ReadBuild {
  readonly names: readonly ImageIdentity[];
  /** What all of its names stand on. */
  readonly bases: Omit<ImageDependencies, 'image'>;
  readonly problems: readonly string[];
}

/** How a build step's file is read. */
export interface ReadBuildOptions extends Pick<LearnMeans, 'architecture'> {
  /** The `ONBUILD` triggers of an image. May reject. */
  readonly triggersOf: (image: ImageIdentity, platform: string) => Promise<readonly string[]>;
  readonly find: (step: BuildStep) => Promise<FoundDockerfile>;
  readonly commit: string | undefined;
}

/** The identity that a name means; undefined when it is none. */
export function identify(name: string): ImageIdentity | undefined {
  try {
    return identifyImage(parseImageReference(name));
  } catch {
    return undefined;
  }
}

/** A reference that names its digest stays what it is, whatever becomes of its tag. */
function withPin(image: ImageIdentity): ImageIdentity {
  return image.digest === undefined ? image : { ...image, isPinned: true };
}

/** The triggers of all images that stages begin with, by their names; an image whose triggers cannot be asked for has none. */
async function findTriggers(
  { runtime, buildTime }: FileDependencies,
  platform: string,
  triggersOf: ReadBuildOptions['triggersOf'],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const bases = [...(runtime ? [runtime] : []), ...buildTime].filter(({ use }) => use === 'from');
  const found = await Promise.all(
    bases.map(async (base) => {
      const triggers = await triggersOf(base.image, base.platform ?? platform).catch(() => []);
      return [formatImageIdentity(base.image), triggers] as const;
    }),
  );
  return new Map(found.filter(([, triggers]) => triggers.length > 0));
}

async function readFile(step: BuildStep, text: string, options: ReadBuildOptions): Promise<FileDependencies> {
  const buildPlatform = `linux/${options.architecture}`;
  const platform = step.platform ?? buildPlatform;
  const how: ReadOptions = {
    arguments: Object.fromEntries(step.arguments.map(({ name, value }) => [name, value])),
    ...(step.target !== undefined && { target: step.target }),
    ...{ platform, buildPlatform },
  };
  const file = readDependencies(text, how);
  const triggers = await findTriggers(file, platform, options.triggersOf);
  if (triggers.size === 0) return file;
  return readDependencies(text, { ...how, triggersOf: (image) => triggers.get(formatImageIdentity(image)) ?? [] });
}

function basesOf({ runtime, buildTime }: FileDependencies, commit: string | undefined): ReadBuild['bases'] {
  const others = new Map(buildTime.map(({ image }) => [formatImageIdentity(image), withPin(image)]));
  if (runtime) others.delete(formatImageIdentity(runtime.image));
  return {
    ...(runtime && { runtime: withPin(runtime.image) }),
    buildTime: [...others.values()],
    ...(commit !== undefined && { commit }),
  };
}

/** Reads what a build step will make, and on what. Never rejects: what cannot be made out is among the problems. */
export async function readBuild(step: BuildStep, options: ReadBuildOptions): Promise<ReadBuild> {
  const names = step.tags.flatMap((tag) => identify(tag) ?? []);
  try {
    const { path, text } = await options.find(step);
    const file = await readFile(step, text, options);
    const problems = file.unresolved.map(({ line, why }) => `line ${String(line)} of ${path}: ${why}`);
    return { names, bases: basesOf(file, step.context.kind === 'local' ? options.commit : undefined), problems };
  } catch (error) {
    return { names, bases: { buildTime: [] }, problems: [`step ${step.id}: ${toFailure(error).message}`] };
  }
}
