import { referenceKeyOf, type TaskImages } from '../../domain/base-image.ts';
import type { ImageDependencies, ImageIdentity } from '../../domain/dependencies.ts';
import type { Task } from '../../domain/task.ts';
import type { Learned } from './learn-task.ts';

/** A record with the trigger and the status that the task has. */
export function withTrigger(record: TaskImages, { trigger, status }: Task): TaskImages {
  const { trigger: _, ...rest } = record;
  const { baseImageTrigger } = trigger;
  return { ...rest, ...(baseImageTrigger && { trigger: baseImageTrigger }), isEnabled: status === 'Enabled' };
}

/** What is known of a task of which nothing was learned yet. */
export function emptyRecord(task: Task, at: string): TaskImages {
  const record: TaskImages = {
    task: task.name,
    taskVersion: task.version,
    learned: { from: 'context', at },
    images: [],
    stepImages: [],
    problems: [],
    isEnabled: true,
    failuresInRow: 0,
  };
  return withTrigger(record, task);
}

/** What is known of references, by their keys: their digests, and what these have for platforms. */
type Digests = ReadonlyMap<string, Pick<ImageIdentity, 'digest' | 'platforms'>>;

/** Of a reference that stands there more than once, the last digest counts, with all platforms that it was read for; without one of them, none. */
function joinKnown(
  before: Pick<ImageIdentity, 'digest' | 'platforms'> | undefined,
  { digest, platforms }: Pick<ImageIdentity, 'digest' | 'platforms'>,
): Pick<ImageIdentity, 'digest' | 'platforms'> {
  if (before === undefined) return { ...(digest && { digest }), ...(platforms && { platforms }) };
  if (before.digest !== digest || before.platforms === undefined || platforms === undefined)
    return digest === undefined ? {} : { digest };
  const all = new Map([...before.platforms, ...platforms].map((one) => [one.platform, one]));
  return { ...(digest && { digest }), platforms: [...all.values()] };
}

function digestsOf(images: Iterable<ImageIdentity | undefined>): Digests {
  const found = new Map<string, Pick<ImageIdentity, 'digest' | 'platforms'>>();
  for (const image of images) {
    const key = image && referenceKeyOf(image);
    if (key !== undefined && image?.digest !== undefined && image.isPinned !== true)
      found.set(key, joinKnown(found.get(key), image));
  }
  return found;
}

function withDigest(image: ImageIdentity, known: Digests): ImageIdentity {
  const found = image.isPinned === true ? undefined : known.get(referenceKeyOf(image) ?? '');
  if (found === undefined) return image;
  const { platforms: _, ...rest } = image;
  return { ...rest, ...found };
}

/** The images as they stand there, with the digests that `from` has for them and for what they stand on. */
export function carryDigests(
  images: readonly ImageDependencies[],
  from: readonly ImageDependencies[],
): readonly ImageDependencies[] {
  const made = digestsOf(from.map(({ image }) => image));
  const bases = digestsOf(from.flatMap(({ runtime, buildTime }) => [runtime, ...buildTime]));
  return images.map(({ image, runtime, buildTime, ...rest }) => ({
    ...(image && { image: withDigest(image, made) }),
    ...(runtime && { runtime: withDigest(runtime, bases) }),
    buildTime: buildTime.map((one) => withDigest(one, bases)),
    ...rest,
  }));
}

/**
 * What is known of a task after its context was read; undefined where a newer version of it is known. What a run of the same version has
 * found stands: it has seen more. What the tags of its images stood for at their last build stays known. A context that could not be read
 * takes nothing away.
 */
export function afterLearning(
  before: TaskImages | undefined,
  task: Task,
  learned: Learned,
  at: string,
): TaskImages | undefined {
  if (before === undefined) {
    const { images, stepImages, problems } = learned;
    return { ...emptyRecord(task, at), images, stepImages, problems };
  }
  if (before.taskVersion > task.version) return undefined;
  if (before.taskVersion === task.version && before.learned.from === 'run') {
    return withTrigger({ ...before, stepImages: learned.isRead ? learned.stepImages : before.stepImages }, task);
  }
  // No run of this version has said anything, also where what is known comes from a run of an older one.
  const record = { ...before, taskVersion: task.version, learned: { from: 'context', at } as const };
  const { stepImages, problems } = learned;
  if (!learned.isRead) return withTrigger({ ...record, problems }, task);
  return withTrigger({ ...record, images: carryDigests(learned.images, before.images), stepImages, problems }, task);
}
