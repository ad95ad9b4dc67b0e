import type { CampaignNode, CampaignStatus, NodeState } from '../../domain/campaign.ts';
import type { Turn } from './decision.ts';
import type { CampaignDraft } from './draft.ts';
import { isOpen } from './node.ts';
import { returnsOf } from './tag-returns.ts';

/** A task that has failed in a wave after which others come. */
function findEarlyFailure({ nodes }: CampaignDraft): CampaignNode | undefined {
  let last = 0;
  for (const { wave } of nodes.values()) last = Math.max(last, wave);
  return [...nodes.values()].find(({ state, wave }) => state.kind === 'failed' && wave < last);
}

function describeFailure({ task, wave, state }: CampaignNode): string {
  return `${task} of wave ${String(wave)} failed${state.kind === 'failed' ? `: ${state.because}` : ''}`;
}

/**
 * Holds a campaign when a task of an early wave has failed: nothing more is started, and the tags that it has moved are pointed back, also
 * those of runs that end later.
 */
export function holdCampaign(draft: CampaignDraft): void {
  const { status, cancelRequested } = draft.campaign;
  if (cancelRequested) return;
  if (status === 'Held') {
    const ended = [...draft.ended].flatMap((key) => draft.nodes.get(key) ?? []);
    draft.addReturns(ended.flatMap(returnsOf));
    return;
  }
  const failed = status === 'Running' || status === 'Paused' ? findEarlyFailure(draft) : undefined;
  if (failed === undefined) return;
  draft.change({ status: 'Held', because: describeFailure(failed) });
  const atRest = [...draft.nodes.values()].filter(({ state }) => state.kind !== 'running');
  draft.addReturns(atRest.flatMap(returnsOf));
}

const words: readonly (readonly [NodeState['kind'], string])[] = [
  ['rebuilt', 'rebuilt'],
  ['unchanged', 'came out unchanged'],
  ['unneeded', 'did not have to be rebuilt'],
  ['failed', 'failed'],
  ['blocked', 'stand on one that failed'],
  ['skipped', 'skipped'],
  ['canceled', 'canceled'],
];

function describeEnd(states: readonly NodeState[]): string {
  const parts = words.flatMap(([kind, text]) => {
    const count = states.filter((state) => state.kind === kind).length;
    return count === 0 ? [] : [`${String(count)} ${text}`];
  });
  return parts.join(', ');
}

function statusOf(draft: CampaignDraft, states: readonly NodeState[]): CampaignStatus {
  if (draft.campaign.cancelRequested) return 'Canceled';
  return states.some(({ kind }) => kind === 'failed' || kind === 'blocked') ? 'Failed' : 'Succeeded';
}

/** Ends a campaign in which nothing is left to happen. */
export function finishCampaign(turn: Turn, draft: CampaignDraft): void {
  const states = [...draft.nodes.values()].map(({ state }) => state);
  if (states.some(isOpen) || draft.campaign.tagReturns !== undefined) return;
  const { cancelRequested, status, because } = draft.campaign;
  const reasons = [
    ...(cancelRequested ? [`${cancelRequested.rollsBack ? 'rolled back' : 'canceled'} by ${cancelRequested.by}`] : []),
    ...(status === 'Held' && because !== undefined ? [because] : []),
    describeEnd(states),
  ];
  draft.change({
    status: statusOf(draft, states),
    finishTime: turn.draft.now,
    because: reasons.filter((reason) => reason !== '').join('; '),
  });
}
