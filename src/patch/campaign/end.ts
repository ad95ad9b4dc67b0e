import type { CampaignNode, NodeState } from '../../domain/campaign.ts';
import type { RunId } from '../../domain/run.ts';
import type { Input, Turn } from './decision.ts';
import type { CampaignDraft } from './draft.ts';
import { takeIn } from './newcomers.ts';
import { movedImages, nodeKeyOf } from './node.ts';

type Ended = Extract<Input, { kind: 'ended' }>;

function retry(draft: CampaignDraft, node: CampaignNode): NodeState | undefined {
  const { cancelRequested, policy, retriesUsed } = draft.campaign;
  if (cancelRequested || node.tries > policy.retries || retriesUsed >= policy.retryBudget) return undefined;
  draft.change({ retriesUsed: retriesUsed + 1 });
  return { kind: 'waiting' };
}

/** A run that was built on an old base is repeated at least once, and outside of the budget: it is no fault of the task's. */
function stateOfStale(draft: CampaignDraft, { tries }: CampaignNode, runId: RunId): NodeState {
  const { cancelRequested, policy } = draft.campaign;
  if (cancelRequested) return { kind: 'canceled' };
  if (tries <= policy.retries + 1) return { kind: 'waiting' };
  return { kind: 'failed', runId, because: 'it was built on an old base' };
}

function stateAfter(draft: CampaignDraft, node: CampaignNode, { end, runId }: Ended): NodeState {
  switch (end.kind) {
    case 'succeeded':
      if (end.isStale) return stateOfStale(draft, node, runId);
      return { kind: node.after.length > 0 && movedImages(node).length === 0 ? 'unchanged' : 'rebuilt', runId };
    case 'canceled':
      if (draft.campaign.cancelRequested) return { kind: 'canceled' };
      return { kind: 'failed', runId, because: `its run was canceled by ${end.by}` };
    case 'failed':
      return retry(draft, node) ?? { kind: 'failed', runId, because: end.because };
  }
}

/** Notes what a run of a campaign came to. One that is not the latest of its task, or was noted before, changes nothing. */
export function endRun(turn: Turn, input: Ended): void {
  const draft = turn.draft.get(input.campaign);
  const key = nodeKeyOf(input.task);
  const node = draft?.nodes.get(key);
  if (!draft || node?.state.kind !== 'running' || node.state.runId !== input.runId) return;
  const ended = { ...node, after: input.after };
  const state = stateAfter(draft, ended, input);
  draft.setNode({ ...ended, state });
  draft.ended.add(key);
  if (state.kind === 'rebuilt' && !draft.campaign.cancelRequested) takeIn(turn, draft, { ...ended, state });
}
