import { referenceKeyOf, type ImageAtDigest } from '../../domain/base-image.ts';
import type { Clock } from '../../domain/clock.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { Digest } from '../../domain/digest.ts';
import { fail } from '../../domain/failure.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import type { TaskName } from '../../domain/task.ts';
import type { HeardUpdate, ToldUpdate } from '../../queue/ports.ts';
import type { RegistryDocument } from '../../registry-client/documents.ts';
import type { BaseImageStore } from '../../store/ports.ts';
import type { ImageGraph } from '../graph/image-graph.ts';
import type { ForeignRegistries, Unanswered } from '../poll/foreign-registries.ts';
import type { TagKeeper } from '../ports.ts';

export interface FindUpdateOptions {
  readonly readGraph: () => Promise<ImageGraph>;
  readonly observed: BaseImageStore['observed'];
  /** Our registry's host as it stands in image names. */
  readonly registryHost: string;
  readonly tags: Pick<TagKeeper, 'digestOf'>;
  readonly registries: Pick<ForeignRegistries, 'headTag'>;
  readonly clock: Clock;
  readonly onIgnored: (image: ImageIdentity, because: string) => void;
}

/** A registry may tell of a push a moment before its answers show it. */
const lagMs = 2 * 60_000;
/** What a registry does not answer for so long is left to the next notice or poll. */
const patienceMs = 6 * 60 * 60_000;

/** The tasks for which a registry may be asked about an image: those that stand on it, follow it, or make it. */
export function tasksAround(graph: ImageGraph, image: ImageIdentity): readonly TaskName[] {
  const key = referenceKeyOf(image) ?? '';
  const standing = [...graph.dependants(key), ...graph.followers(image)].map(({ task }) => task.record.task);
  const making = [...graph.makers(key)].flatMap((name) => graph.task(name)?.record.task ?? []);
  return [...new Set([...standing, ...making])];
}

/** A digest that was told and a registry that still shows what was seen before: one of the two is late. */
async function isBehind({ image }: HeardUpdate, shown: Digest, { observed }: FindUpdateOptions): Promise<boolean> {
  if (image.digest === undefined || shown === image.digest) return false;
  const [seen] = await observed([image]);
  return shown === seen?.image.digest;
}

/** What there is when a registry gives nothing: what was told. Throws where nothing was, and it may do better later. */
function fallBack(
  { image }: HeardUpdate,
  asked: Unanswered,
  ageMs: number,
  options: FindUpdateOptions,
): Digest | undefined {
  if (image.digest !== undefined) return image.digest;
  if ((asked.kind === 'busy' || asked.kind === 'failed') && ageMs < patienceMs)
    throw fail('source-unavailable', `what ${formatImageIdentity(image)} stands for is not known: ${asked.because}`);
  options.onIgnored(image, asked.because);
  return undefined;
}

/** What a registry has to say about a notice of it; undefined: nothing that could be used. */
async function ask(
  heard: HeardUpdate,
  tasks: readonly TaskName[],
  options: FindUpdateOptions,
): Promise<Digest | undefined> {
  const { image, at } = heard;
  const ageMs = options.clock.now() - Date.parse(at);
  const asked = await options.registries.headTag(image, tasks);
  if (asked.kind === 'same') return undefined;
  if (asked.kind !== 'found') return fallBack(heard, asked, ageMs, options);
  if (ageMs < lagMs && (await isBehind(heard, asked.digest, options)))
    throw fail('source-unavailable', `${formatImageIdentity(image)} does not show yet what was told of it`);
  return asked.digest;
}

async function findDigest(heard: HeardUpdate, options: FindUpdateOptions): Promise<Digest | undefined> {
  const { image, source } = heard;
  const isOurs = image.registry === options.registryHost.toLowerCase();
  // Our own registry knows better than people, others' notices are hints.
  if (image.digest !== undefined && source !== (isOurs ? 'manual' : 'hook')) return image.digest;
  if (isOurs) return options.tags.digestOf(image);
  const [seen] = await options.observed([image]);
  if (image.digest !== undefined && seen?.image.digest === image.digest) return image.digest;
  const tasks = tasksAround(await options.readGraph(), image);
  if (tasks.length > 0) return ask(heard, tasks, options);
  if (image.digest === undefined) options.onIgnored(image, 'nothing stands on it');
  return image.digest;
}

/**
 * Makes the function that finds what a reference stands for of which something was heard; undefined: nothing comes of it. What a webhook
 * tells is a hint: notices come late and in the wrong order, so its registry is asked, as long as it can be and something stands on the
 * image. Rejects with `source-unavailable` when that should be tried again later, and as the store does.
 */
export function createFindUpdate(options: FindUpdateOptions): (heard: HeardUpdate) => Promise<ToldUpdate | undefined> {
  return async (heard) => {
    if (heard.image.tag === undefined) return undefined;
    const digest = await findDigest(heard, options);
    return digest === undefined ? undefined : { ...heard, image: { ...heard.image, digest } };
  };
}

/** What a tag of a foreign registry stands for, for {@link TagKeeper}: undefined when that cannot be learned now. */
export function createAskForeign(
  options: Pick<FindUpdateOptions, 'readGraph' | 'registries'>,
): (image: ImageIdentity) => Promise<Digest | undefined> {
  return async (image) => {
    const asked = await options.registries.headTag(image, tasksAround(await options.readGraph(), image));
    return asked.kind === 'found' ? asked.digest : undefined;
  };
}

/** Reads manifests and indexes of foreign registries, for the reader of platforms. Rejects with `source-unavailable` where one does not answer. */
export function createReadForeign(options: {
  readonly readGraph: () => Promise<ImageGraph>;
  readonly registries: Pick<ForeignRegistries, 'readManifest'>;
}): (image: ImageAtDigest) => Promise<RegistryDocument | undefined> {
  return async (image) => {
    const asked = await options.registries.readManifest(image, tasksAround(await options.readGraph(), image));
    if (asked.kind === 'busy' || asked.kind === 'failed')
      throw fail('source-unavailable', `${image.registry} does not answer: ${asked.because}`);
    return asked.kind === 'found' ? asked.document : undefined;
  };
}
