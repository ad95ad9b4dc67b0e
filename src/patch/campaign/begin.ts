import { findRebuilds } from '../impact/impact.ts';
import { findOverlaps, isQueued } from './admit.ts';
import { numberOf, type BoardDraft, type CampaignDraft } from './draft.ts';
import { mergePlan, sourcesOf } from './merge.ts';
import { nodeKeyOf, reasonToSkip, type NodeKey } from './node.ts';

function waitingKeys({ nodes }: CampaignDraft): readonly NodeKey[] {
  return [...nodes].flatMap(([key, { state }]) => (state.kind === 'waiting' ? [key] : []));
}

/** True when nothing of the campaign was ever started. */
function isFresh({ nodes }: CampaignDraft): boolean {
  return [...nodes.values()].every(({ tries }) => tries === 0);
}

/** The campaigns that one may have to wait for: such as have begun, and older ones. So no two wait for each other. */
function findEarlier(board: BoardDraft, draft: CampaignDraft): readonly CampaignDraft[] {
  return board.active().filter((one) => one !== draft && (!isQueued(one) || numberOf(one) < numberOf(draft)));
}

/** The tasks may stand on other images now, and may have been built on the new ones by other runs. */
function planAnew(board: BoardDraft, draft: CampaignDraft) {
  const { breakerAfter } = draft.campaign.policy;
  const plan = findRebuilds(board.graph, sourcesOf(draft), { breakerAfter });
  const keys = new Set(plan.tasks.map(({ task }) => nodeKeyOf(task)));
  const reasons = new Map(plan.notRebuilt.map((one) => [nodeKeyOf(one.task), reasonToSkip(one)]));
  return { plan, keys, reasons };
}

/**
 * Lets a queued campaign begin, when those that it waits for are over and no other stands in its way. One that nothing was started of is
 * planned anew; one that people want to go on with goes on as it was planned.
 */
export function beginCampaign(board: BoardDraft, draft: CampaignDraft): void {
  const earlier = findEarlier(board, draft);
  if (earlier.some(({ id }) => draft.campaign.waitsFor.includes(id))) return;
  const anew = isFresh(draft) ? planAnew(board, draft) : undefined;
  const overlaps = findOverlaps(earlier, anew?.keys ?? new Set(waitingKeys(draft)));
  const waitsFor = overlaps.map(({ id }) => id);
  if (waitsFor.length > 0) {
    draft.change({ waitsFor });
    return;
  }
  draft.change({ status: 'Running', waitsFor });
  if (anew === undefined) return;
  for (const key of waitingKeys(draft)) {
    if (anew.keys.has(key)) continue;
    draft.setState(key, { kind: 'skipped', because: anew.reasons.get(key) ?? 'it does not stand on it any more' });
  }
  mergePlan(draft, anew.plan, () => true);
}
