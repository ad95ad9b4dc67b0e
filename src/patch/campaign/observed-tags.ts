import { referenceKeyOf, type ImageAtDigest, type TaskImages } from '../../domain/base-image.ts';
import type { BoardChange, CampaignBoard, CampaignNode, TagReturn } from '../../domain/campaign.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { Digest } from '../../domain/digest.ts';
import type { BaseImageStore } from '../../store/ports.ts';
import type { ImageGraph } from '../graph/image-graph.ts';
import type { TagKeeper } from '../ports.ts';
import { inParallel } from './in-parallel.ts';
import { toImageAtDigest } from './node.ts';
import { recordReturn, standingOf } from './returned-records.ts';

/** How many tags are asked for at a time. */
const atATime = 16;

export interface TagDeps {
  readonly baseImages: Pick<BaseImageStore, 'observed' | 'observe' | 'update'>;
  readonly tags: TagKeeper;
}

/** Notes what tags of a campaign's own stand for now, so that nobody who tells it again tells news. */
export async function noteTags({ baseImages }: TagDeps, images: readonly ImageAtDigest[], at: string): Promise<void> {
  if (images.length === 0) return;
  const seen = await baseImages.observed(images);
  await inParallel([...images.entries()], atATime, async ([index, image]) => {
    const before = seen[index];
    if (before?.image.digest === image.digest) return;
    await baseImages.observe({ image, since: at }, before?.changes ?? 0);
  });
}

async function returnTag({ baseImages, tags }: TagDeps, one: TagReturn): Promise<boolean> {
  const { digest, ...tag } = one.image;
  const isBack = await tags.pointBack(one);
  // A process that has died may have pointed it back.
  if (isBack || (await tags.digestOf(tag)) === digest) await recordReturn(baseImages, one);
  return isBack;
}

/**
 * Points tags back, or to what they were pointed back from, and keeps what their images stand on then. Doing it again does no harm. For each,
 * in order, whether this call has pointed it back.
 */
export async function returnTags(
  deps: TagDeps,
  returns: readonly TagReturn[],
  at: string,
): Promise<readonly boolean[]> {
  await noteTags(
    deps,
    returns.map(({ image }) => image),
    at,
  );
  return inParallel(returns, atATime, (one) => returnTag(deps, one));
}

/** What the record of a task says that its tags stand for, where the store has not seen anything newer. */
function newer(record: TaskImages, image: ImageIdentity, seen: { digest: Digest; since: string } | undefined) {
  const isKnownLater =
    seen !== undefined && Date.parse(seen.since) >= Date.parse(record.builtTime ?? record.learned.at);
  return isKnownLater ? seen.digest : (image.digest ?? seen?.digest);
}

/** A node that is about to run for the first time, and a tag that its task makes. */
interface Claimed {
  readonly node: CampaignNode;
  readonly record: TaskImages;
  readonly image: ImageIdentity;
  /** True when the tag may have to be pointed back: then it is looked at, now. */
  readonly isExact: boolean;
}

/** True for a campaign of several waves: it may point tags back. */
function hasWaves(nodes: Iterable<CampaignNode>): boolean {
  return new Set([...nodes].map(({ wave }) => wave)).size > 1;
}

function isNewlyClaimed({ state, tries }: CampaignNode): boolean {
  return state.kind === 'running' && state.runId === undefined && tries === 1;
}

function* listTags(node: CampaignNode, graph: ImageGraph, isExact: boolean): Generator<Claimed> {
  const task = graph.task(node.task);
  if (!task) return;
  for (const [key, image] of task.images) {
    const [dependant] = graph.dependants(key);
    if (isExact || dependant !== undefined) yield { node, record: task.record, image, isExact };
  }
}

function* listClaimed(change: BoardChange, graph: ImageGraph, board: CampaignBoard): Generator<Claimed> {
  for (const [id, nodes] of change.nodes) {
    const claimed = nodes.filter(isNewlyClaimed);
    if (claimed.length === 0) continue;
    const isExact = hasWaves([...nodes, ...(board.campaigns.get(id)?.nodes.values() ?? [])]);
    for (const node of claimed) yield* listTags(node, graph, isExact);
  }
}

async function findDigests({ baseImages, tags }: TagDeps, claimed: readonly Claimed[]) {
  const seen = await baseImages.observed(claimed.map(({ image }) => image));
  return inParallel([...claimed.entries()], atATime, async ([index, { record, image, isExact }]) => {
    const { digest: _digest, ...tag } = image;
    const one = seen[index];
    const known = newer(record, image, one && { digest: one.image.digest, since: one.since });
    return isExact || known === undefined ? ((await tags.digestOf(tag)) ?? known) : known;
  });
}

/**
 * Completes a change by what the tags of nodes that are about to run stand for before, and what that stands on. Tags on which nothing stands
 * are left as the task's record has them, unless the campaign has several waves: they can be very many.
 */
export async function completeBefore(
  deps: TagDeps,
  change: BoardChange,
  { graph, board }: { readonly graph: ImageGraph; readonly board: CampaignBoard },
): Promise<BoardChange> {
  const claimed = [...listClaimed(change, graph, board)];
  if (claimed.length === 0) return change;
  const digests = await findDigests(deps, claimed);
  const found = new Map<CampaignNode, Map<string, ImageAtDigest>>();
  for (const [index, { node, image }] of claimed.entries()) {
    const known = found.get(node) ?? new Map(node.before.map((one) => [referenceKeyOf(one) ?? '', one]));
    found.set(node, known);
    const digest = digests[index];
    if (digest !== undefined) known.set(referenceKeyOf(image) ?? '', toImageAtDigest(image, digest));
  }
  const complete = (node: CampaignNode): CampaignNode => {
    const tags = found.get(node);
    if (tags === undefined) return node;
    const before = [...tags.values()];
    const record = graph.task(node.task)?.record;
    const standing = record ? standingOf(record, before) : [];
    return { ...node, before, ...(standing.length > 0 && { standing }) };
  };
  return { ...change, nodes: new Map([...change.nodes].map(([id, nodes]) => [id, nodes.map(complete)])) };
}
