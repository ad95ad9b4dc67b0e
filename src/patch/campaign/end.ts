import type { CampaignNode, NodeState } from '../../domain/campaign.ts';
import type { RunId } from '../../domain/run.ts';
import type { Input, Turn } from './decision.ts';
import type { CampaignDraft } from './draft.ts';
import { orderAgain } from './merge.ts';
import { takeIn } from './newcomers.ts';
import { movedImages, nodeKeyOf } from './node.ts';

type Ended = Extract<Input, { kind: 'ended' }>;

/** How long a task waits after each of its runs that failed, milliseconds; the last goes for all further ones. */
const retryPausesMs = [10_000, 60_000, 300_000] as const;

/** When a task whose last run has failed by `now` may be started again. What kept it may take a while: a registry that starts again. */
function timeOfRetry({ tries }: CampaignNode, now: string): string {
  const pauseMs = retryPausesMs[Math.max(0, tries - 1)] ?? retryPausesMs[2];
  return new Date(Date.parse(now) + pauseMs).toISOString();
}

function retry(draft: CampaignDraft, node: CampaignNode, now: string): NodeState | undefined {
  const { cancelRequested, policy, retriesUsed } = draft.campaign;
  if (cancelRequested || node.tries > policy.retries || retriesUsed >= policy.retryBudget) return undefined;
  draft.change({ retriesUsed: retriesUsed + 1 });
  return { kind: 'waiting', notBefore: timeOfRetry(node, now) };
}

/** A run that was built on an old base is repeated at least once, and outside of the budget: it is no fault of the task's. */
function stateOfStale(draft: CampaignDraft, { tries }: CampaignNode, runId: RunId): NodeState {
  const { cancelRequested, policy } = draft.campaign;
  if (cancelRequested) return { kind: 'canceled' };
  if (tries <= policy.retries + 1) return { kind: 'waiting' };
  return { kind: 'failed', runId, because: 'it was built on an old base' };
}

function stateAfter(draft: CampaignDraft, node: CampaignNode, { end, runId }: Ended, now: string): NodeState {
  switch (end.kind) {
    case 'succeeded':
      if (end.isStale) return stateOfStale(draft, node, runId);
      return { kind: node.after.length > 0 && movedImages(node).length === 0 ? 'unchanged' : 'rebuilt', runId };
    case 'canceled':
      if (draft.campaign.cancelRequested) return { kind: 'canceled' };
      return { kind: 'failed', runId, because: `its run was canceled by ${end.by}` };
    case 'failed':
      return retry(draft, node, now) ?? { kind: 'failed', runId, because: end.because };
  }
}

/** Notes what a run of a campaign came to. One that is not the latest of its task, or was noted before, changes nothing. */
export function endRun(turn: Turn, input: Ended): void {
  const draft = turn.draft.get(input.campaign);
  const key = nodeKeyOf(input.task);
  const node = draft?.nodes.get(key);
  if (!draft || node?.state.kind !== 'running' || node.state.runId !== input.runId) return;
  const ended = { ...node, after: input.after };
  const state = stateAfter(draft, ended, input, turn.draft.now);
  draft.setNode({ ...ended, state });
  draft.ended.add(key);
  if (state.kind === 'waiting') orderAgain(turn.draft.graph, draft, new Set([key]));
  if (state.kind === 'rebuilt' && !draft.campaign.cancelRequested) takeIn(turn, draft, { ...ended, state });
}
