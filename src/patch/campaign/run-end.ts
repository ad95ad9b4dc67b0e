import { referenceKeyOf, type ImageAtDigest } from '../../domain/base-image.ts';
import type { CampaignBoard, CampaignNode, CampaignWithNodes } from '../../domain/campaign.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { Digest } from '../../domain/digest.ts';
import type { Run } from '../../domain/run.ts';
import type { ImageGraph } from '../graph/image-graph.ts';
import type { Input, RunEnd } from './decision.ts';
import { movedImages, nodeKeyOf, onlyReads } from './node.ts';
import { noteTags, type TagDeps } from './observed-tags.ts';

/** A run of a campaign that is over, and the node that it is of. */
export interface EndedRun {
  readonly run: Run;
  readonly node: CampaignNode;
  readonly campaign: CampaignWithNodes;
}

export interface RunEndDeps extends TagDeps {
  readonly board: CampaignBoard;
  readonly graph: ImageGraph;
  readonly now: string;
}

const withoutDigest = ({ registry, repository, tag }: ImageIdentity): ImageIdentity => ({
  registry,
  repository,
  ...(tag !== undefined && { tag }),
});

/** What the node's tags stand for now: those that it had, and those that the run has pushed. */
async function findTags({ tags }: TagDeps, { run, node }: EndedRun): Promise<readonly ImageAtDigest[]> {
  if (run.status !== 'Succeeded' && run.outputImages.length === 0) return node.after;
  const pushed = run.outputImages.filter(({ tag }) => tag !== undefined);
  const images = new Map([...node.before, ...pushed].map((image) => [referenceKeyOf(image), image]));
  const found: ImageAtDigest[] = [];
  for (const [key, image] of images) {
    const named = withoutDigest(image);
    const last = pushed.findLast((one) => referenceKeyOf(one) === key)?.digest;
    const digest = (await tags.digestOf(named)) ?? last;
    if (digest !== undefined) found.push({ ...named, digest });
  }
  return found;
}

/** The digest that a base should have at least: what the node was started for, or what a task of the campaign has made meanwhile. */
function wantedDigest({ node, campaign }: EndedRun, key: string, graph: ImageGraph): Digest | undefined {
  const wanted = node.bases.find((base) => referenceKeyOf(base) === key)?.digest;
  if (wanted !== undefined) return wanted;
  const dependant = graph.dependant(key, nodeKeyOf(node.task));
  if (dependant === undefined) return undefined;
  for (const name of graph.makers(key)) {
    const maker = campaign.nodes.get(name);
    // What it is not rebuilt for counts where it has waited for it.
    const isWanted = maker && (dependant.because === undefined || onlyReads(node, maker.task));
    const made = isWanted && maker.state.kind === 'rebuilt' ? movedImages(maker) : [];
    const image = made.find((one) => referenceKeyOf(one) === key);
    if (image) return image.digest;
  }
  return undefined;
}

function isPrevious({ campaign }: EndedRun, key: string, digest: Digest): boolean {
  return campaign.campaign.updates.some(
    ({ image, previousDigest }) => previousDigest === digest && referenceKeyOf(image) === key,
  );
}

/** True for what a tag stood for before a task of the campaign moved it: a campaign that is held points it back to that. */
function wasBefore({ campaign }: EndedRun, key: string, digest: Digest, graph: ImageGraph): boolean {
  const makers = [...graph.makers(key)].flatMap((name) => campaign.nodes.get(name) ?? []);
  return makers.some(({ before }) => before.some((one) => one.digest === digest && referenceKeyOf(one) === key));
}

/** When an image was told of last among the updates that campaigns see to; undefined: it was not. */
function toldAt({ campaigns }: CampaignBoard, key: string, digest: Digest): number | undefined {
  const updates = [...campaigns.values()].flatMap(({ campaign }) => campaign.updates);
  const last = updates.findLast(({ image }) => image.digest === digest && referenceKeyOf(image) === key);
  return last && Date.parse(last.at);
}

/** True when it is known that an image was told of after another. */
function isLater(board: CampaignBoard, key: string, [digest, other]: readonly [Digest, Digest]): boolean {
  const [at, before] = [toldAt(board, key, digest), toldAt(board, key, other)];
  return at !== undefined && before !== undefined && at > before;
}

/**
 * True when a base that the run was built on is older than what was wanted: it is what a task of the campaign has replaced, or it is neither
 * what was wanted nor what its tag stands for by now. What cannot be asked for is older when it is known to have been there before.
 */
async function isOlder(deps: RunEndDeps, ended: EndedRun, base: ImageIdentity): Promise<boolean> {
  const key = referenceKeyOf(base);
  const { digest } = base;
  if (key === undefined || digest === undefined || base.isPinned === true) return false;
  const wanted = wantedDigest(ended, key, deps.graph);
  if (wanted === undefined || wanted === digest || isLater(deps.board, key, [digest, wanted])) return false;
  if (wasBefore(ended, key, digest, deps.graph)) return true;
  const now = await deps.tags.digestOf(withoutDigest(base));
  return now === undefined ? isPrevious(ended, key, digest) : now !== digest;
}

async function isStale(deps: RunEndDeps, ended: EndedRun): Promise<boolean> {
  const bases = (ended.run.dependencies ?? []).flatMap(({ runtime, buildTime }) => [
    ...(runtime ? [runtime] : []),
    ...buildTime,
  ]);
  for (const base of bases) if (await isOlder(deps, ended, base)) return true;
  return false;
}

async function findEnd(deps: RunEndDeps, ended: EndedRun): Promise<RunEnd> {
  const { status, cancelRequested, runErrorMessage } = ended.run;
  if (status === 'Succeeded') return { kind: 'succeeded', isStale: await isStale(deps, ended) };
  if (status === 'Canceled') return { kind: 'canceled', by: cancelRequested?.by ?? 'somebody' };
  return { kind: 'failed', because: runErrorMessage ?? `its run ended in ${status}` };
}

/** Looks at what a run of a campaign came to. Its tags are known to stand for what it has pushed from then on. */
export async function describeEnd(deps: RunEndDeps, ended: EndedRun): Promise<Input> {
  const [end, after] = await Promise.all([findEnd(deps, ended), findTags(deps, ended)]);
  const { run, node, campaign } = ended;
  await noteTags(deps, movedImages({ ...node, after }), deps.now);
  return { kind: 'ended', campaign: campaign.campaign.id, task: node.task, runId: run.runId, end, after };
}
