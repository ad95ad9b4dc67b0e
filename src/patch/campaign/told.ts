import { referenceKeyOf, updateIdOf, type BaseUpdate, type ObservedImage } from '../../domain/base-image.ts';
import { fail } from '../../domain/failure.ts';
import type { ToldUpdate } from '../../queue/ports.ts';
import { addPlatforms } from '../platforms/add-platforms.ts';
import type { BoardDesk, DeskDeps, Seen } from './board-desk.ts';

/** What became of something told. */
export type Told =
  /** The tag has stood for this before it was told, or stands for something newer by now; a campaign's own push is none either. */
  | { readonly kind: 'ignored'; readonly because: string }
  /** No task is to be rebuilt for it. */
  | { readonly kind: 'nothing-to-do' }
  /** The campaign that has taken it up. */
  | { readonly kind: 'taken'; readonly campaign: string };

/** How often the tag may turn out to be known otherwise, by the time that it is noted. */
const maxTries = 5;

const ignored = (because: string): Told => ({ kind: 'ignored', because });

/** True when the run of a campaign that is at work has pushed it: the campaign sees to that when the run has ended. */
async function isOfCampaign({ runs }: DeskDeps, { board, graph }: Seen, { image }: ToldUpdate): Promise<boolean> {
  const key = referenceKeyOf(image) ?? '';
  for (const name of graph.makers(key)) {
    for (const { nodes } of board.campaigns.values()) {
      const state = nodes.get(name)?.state;
      if (state?.kind !== 'running' || state.runId === undefined) continue;
      const run = await runs.get(state.runId);
      const isPushed = run?.outputImages.some((one) => one.digest === image.digest && referenceKeyOf(one) === key);
      if (isPushed === true) return true;
    }
  }
  return false;
}

/** Why what was told is no news; undefined: it is. */
async function reasonAgainst(
  deps: DeskDeps,
  desk: BoardDesk,
  told: ToldUpdate,
  before: ObservedImage | undefined,
): Promise<string | undefined> {
  if (before?.image.digest === told.image.digest) return 'it is known already';
  if (before !== undefined && Date.parse(told.at) < Date.parse(before.since)) {
    const { digest: _digest, ...tag } = told.image;
    if ((await deps.tags.digestOf(tag)) === before.image.digest) return 'the tag stands for something newer by now';
  }
  return (await isOfCampaign(deps, await desk.see(), told)) ? 'a run of a campaign has pushed it' : undefined;
}

function toUpdate({ image, source, at, by }: ToldUpdate, before: ObservedImage | undefined): BaseUpdate {
  return {
    id: updateIdOf(image, before),
    image,
    ...(before !== undefined && { previousDigest: before.image.digest }),
    at,
    source,
    ...(by !== undefined && { by }),
  };
}

/** Gives an update to a campaign, once: another process may have done so and died before anybody was told. */
async function takeUp(
  deps: DeskDeps,
  desk: BoardDesk,
  update: BaseUpdate,
  countsUnknown: boolean,
): Promise<string | undefined> {
  const earlier = await deps.campaigns.findByUpdate(update.id);
  if (earlier !== undefined) {
    await desk.start(desk.findUnstarted(await desk.see()));
    return earlier;
  }
  const { takenBy } = await desk.act(async () => [{ kind: 'update', update, countsUnknown }]);
  return takenBy;
}

/** True when some task stands on the tag, or follows such tags: only then is it worth remembering what the tag stands for. */
function isOfInterest({ graph }: Seen, { image }: ToldUpdate): boolean {
  const found = [graph.dependants(referenceKeyOf(image) ?? ''), graph.followers(image)];
  return found.some((dependants) => dependants[Symbol.iterator]().next().done !== true);
}

/** What was told, with what it has for the platforms that images which stand on it are built for. */
async function withPlatforms(deps: DeskDeps, desk: BoardDesk, told: ToldUpdate): Promise<ToldUpdate> {
  const { graph } = await desk.see();
  return { ...told, image: await addPlatforms(graph, told.image, deps.platformsOf) };
}

/** Remembers what a tag stands for, unless it is no matter to anybody; false: it is known otherwise by now. */
async function note(deps: DeskDeps, desk: BoardDesk, told: ToldUpdate, before: ObservedImage | undefined) {
  if (before === undefined && !isOfInterest(await desk.see(), told)) return true;
  return deps.baseImages.observe({ image: told.image, since: told.at }, before?.changes ?? 0);
}

/**
 * Looks at what somebody has told: when the tag was not known to stand for that digest, the change is given to a campaign, and only then
 * noted, so that nothing is lost when the process dies in between. What is first seen by polling was there before: it only counts for
 * tasks that are known to be built on something else.
 */
export async function takeTold(deps: DeskDeps, desk: BoardDesk, told: ToldUpdate): Promise<Told> {
  if (referenceKeyOf(told.image) === undefined) return ignored('without a tag nothing can change');
  for (let count = 0; count < maxTries; count += 1) {
    const [before] = await deps.baseImages.observed([told.image]);
    const because = await reasonAgainst(deps, desk, told, before);
    if (because !== undefined) return ignored(because);
    const whole = await withPlatforms(deps, desk, told);
    const update = toUpdate(whole, before);
    const campaign = await takeUp(deps, desk, update, before !== undefined || told.source !== 'poll');
    if (await note(deps, desk, whole, before))
      return campaign === undefined ? { kind: 'nothing-to-do' } : { kind: 'taken', campaign };
  }
  throw fail('conflict', `what ${referenceKeyOf(told.image) ?? ''} stands for changes too quickly`);
}
