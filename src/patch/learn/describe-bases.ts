import { beingLearned, referenceKeyOf, type TaskImages } from '../../domain/base-image.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import type { BaseImageTrigger, Task } from '../../domain/task.ts';
import { isLoopback, originOf } from '../../registry-client/place.ts';
import type { Watch } from '../../trigger/describe-watch.ts';
import { parseTagPattern } from '../graph/followed-tags.ts';
import { basesOf, reasonAgainst, type TaskBase } from '../graph/task-bases.ts';

/** How this installation notices that an image has changed. */
export interface Noticing {
  /** Our registry's host as it stands in image names. */
  readonly registryHost: string;
  /** How often other registries are asked, milliseconds; undefined: never. */
  readonly pollMs: number | undefined;
  /** The same for single registries, by host. */
  readonly pollMsOf: Readonly<Record<string, number | undefined>>;
  /** Where other registries' webhooks come to; undefined: that is shut. */
  readonly hookUrl: string | undefined;
  /** Why nothing at a URL may be reached: see `createReach` of the egress. */
  readonly whyUnreachable: (url: string) => string | undefined;
  /** Whether tasks are read before their first run. */
  readonly readsTasks: boolean;
}

const units = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const;

/** `15 min`, `2 h`, `90 s`: in the largest unit that it is a whole number of. */
function formatPause(ms: number): string {
  const [size, name] = units.find(([unit]) => ms % unit === 0) ?? ([1, 'ms'] as const);
  return `${String(ms / size)} ${name}`;
}

const unnoticed =
  'its registry is not asked (SLIPWAY_POLL_INTERVAL), and webhooks of registries are shut (SLIPWAY_REGISTRY_HOOK_SECRET)';

/** By what a change of an image is noticed, or why it is not. */
type Noticed = { readonly how: string } | { readonly because: string };

/** True for our own registry by another of its machine's names: `localhost:5080` for `127.0.0.1:5080`. */
function isOursOtherwise(registry: string, own: string): boolean {
  const port = (host: string): number => Number(/:(\d+)$/.exec(host)?.[1] ?? 80);
  return isLoopback(registry) && isLoopback(own) && port(registry) === port(own);
}

/** In what ways a change of an image of another registry is noticed. */
function waysOf(registry: string, isAsked: boolean, noticing: Noticing): readonly string[] {
  const pollMs = Object.hasOwn(noticing.pollMsOf, registry) ? noticing.pollMsOf[registry] : noticing.pollMs;
  return [
    ...(pollMs === undefined || !isAsked ? [] : [`by asking its registry every ${formatPause(pollMs)}`]),
    ...(noticing.hookUrl === undefined ? [] : [`by its registry’s webhook to ${noticing.hookUrl}`]),
  ];
}

function howNoticed({ registry }: Pick<ImageIdentity, 'registry'>, noticing: Noticing): Noticed {
  const { registryHost } = noticing;
  if (registry === registryHost.toLowerCase()) return { how: 'by each push to this registry' };
  const refused = noticing.whyUnreachable(originOf(registry));
  const isOurs = refused !== undefined && isOursOtherwise(registry, registryHost);
  const ways = isOurs ? [] : waysOf(registry, refused === undefined, noticing);
  if (ways.length > 0) return { how: ways.join(', and ') };
  if (refused === undefined) return { because: unnoticed };
  const otherwise = isOurs ? '' : ', another one has to be allowed (SLIPWAY_EGRESS_ALLOW)';
  const hint = `images of this installation’s own registry are named ${registryHost}/…${otherwise}`;
  return { because: `its registry is not asked: ${refused}; ${hint}` };
}

/** Why a change of an image is not noticed, as a half-sentence in which "its" is the image's; undefined: it is. */
export function whyUnnoticed(image: Pick<ImageIdentity, 'registry'>, noticing: Noticing): string | undefined {
  const noticed = howNoticed(image, noticing);
  return 'because' in noticed ? noticed.because : undefined;
}

const untilRun = 'not learned yet: the first run that succeeds says which they are';

function describeImage(image: ImageIdentity, because: string | undefined, noticing: Noticing): Watch {
  const noticed = because === undefined ? howNoticed(image, noticing) : { because };
  return {
    what: `base image ${formatImageIdentity(image)}`,
    isWatched: 'how' in noticed,
    ...noticed,
    ...(image.digest !== undefined && { digest: image.digest }),
  };
}

function describeBase(record: TaskImages, base: TaskBase, noticing: Noticing): Watch {
  const reason = reasonAgainst(record, base);
  const { digest: _, ...named } = base.image;
  // Where the task's images were built on different ones, there is no one digest to tell.
  const [digest, ...more] = base.digests;
  const image = digest === undefined || more.length > 0 ? named : { ...named, digest };
  return describeImage(image, reason === undefined ? undefined : `the task ${reason}`, noticing);
}

/** Bases that are named by a digest alone. */
function untaggedOf({ images, stepImages }: TaskImages): readonly ImageIdentity[] {
  const all = [
    ...images.flatMap(({ runtime, buildTime }) => [...(runtime ? [runtime] : []), ...buildTime]),
    ...stepImages,
  ];
  const untagged = all.filter((image) => referenceKeyOf(image) === undefined);
  return [...new Map(untagged.map((image) => [formatImageIdentity(image), image])).values()];
}

function describeFollowed({ follow = [] }: BaseImageTrigger, noticing: Noticing): readonly Watch[] {
  return follow.flatMap(({ pattern, argument }) => {
    const found = parseTagPattern(pattern);
    const noticed = found === undefined ? { because: unnoticed } : howNoticed(found, noticing);
    const what = `newer tags like ${pattern}, as build argument ${argument}`;
    return { what, isWatched: 'how' in noticed, ...noticed };
  });
}

function describeKnown(record: TaskImages, trigger: BaseImageTrigger, noticing: Noticing): readonly Watch[] {
  const known = [
    ...[...basesOf(record).values()].map((base) => describeBase(record, base, noticing)),
    ...untaggedOf(record).map((image) => describeImage(image, 'the task pins it by its digest', noticing)),
    ...describeFollowed(trigger, noticing),
    ...record.problems.map((because) => ({ what: 'base images', isWatched: false, because })),
  ];
  if (known.length > 0) return known;
  const because = record.images.length === 0 ? 'the task builds no image' : 'its images stand on no other image';
  return [{ what: 'base images', isWatched: false, because }];
}

/** True when what is known of a task's images is of the task as it is. */
export function isLearned(task: Task, record: TaskImages | undefined): record is TaskImages {
  return record !== undefined && record.taskVersion >= task.version;
}

/** Which base images start runs of a task, how their changes are noticed and what its images were built on, and why others do not. */
export function describeBases(task: Task, record: TaskImages | undefined, noticing: Noticing): readonly Watch[] {
  const { baseImageTrigger: trigger } = task.trigger;
  const nothing = (because: string): readonly Watch[] => [{ what: 'base images', isWatched: false, because }];
  if (trigger === undefined) return nothing('the task has no base-image trigger');
  if (!isLearned(task, record)) return nothing(noticing.readsTasks ? beingLearned : untilRun);
  return describeKnown(record, trigger, noticing);
}
