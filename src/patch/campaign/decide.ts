import { isOver, type CampaignBoard } from '../../domain/campaign.ts';
import { admitUpdate } from './admit.ts';
import { beginCampaign } from './begin.ts';
import { obey, rollBackNode } from './command.ts';
import type { Decision, DecisionContext, Input, Turn } from './decision.ts';
import { BoardDraft, type CampaignDraft } from './draft.ts';
import { endRun } from './end.ts';
import { finishCampaign, holdCampaign } from './hold.ts';
import { resolveNodes } from './resolve.ts';
import { listReturns, noteReturns } from './tag-returns.ts';
import { noteStart, startNodes } from './start.ts';

/** Takes in what has happened; gives the campaign that took an update up. */
function take(turn: Turn, input: Input): string | undefined {
  switch (input.kind) {
    case 'update':
      return admitUpdate(turn, input.update, { countsUnknown: input.countsUnknown });
    case 'ended':
      endRun(turn, input);
      return undefined;
    case 'started':
      noteStart(turn, input);
      return undefined;
    case 'command':
      obey(turn, input);
      return undefined;
    case 'returned':
      noteReturns(turn, input);
      return undefined;
    case 'look':
      for (const draft of turn.draft.active()) draft.look();
      return undefined;
  }
}

/** Works out what follows for one campaign from what has happened to it. */
function settle(turn: Turn, draft: CampaignDraft): void {
  const { status, cancelRequested } = draft.campaign;
  if (isOver(status) || (status === 'Queued' && !cancelRequested)) return;
  if (cancelRequested?.rollsBack) for (const key of draft.ended) rollBackNode(draft, key);
  const ready = resolveNodes(draft);
  holdCampaign(draft);
  startNodes(turn, draft, ready);
  finishCampaign(turn, draft);
  draft.ended.clear();
}

/** Works out what follows for all: one that is over lets others begin. */
function settleAll(turn: Turn): void {
  for (let isStirred = true; isStirred;) {
    isStirred = false;
    for (const draft of turn.draft.active().filter((one) => one.takeStir())) settle(turn, draft);
    for (const draft of turn.draft.active().filter(({ campaign }) => campaign.status === 'Queued')) {
      beginCampaign(turn.draft, draft);
      isStirred ||= draft.isStirred;
    }
  }
}

/**
 * Decides what follows from what has happened. Pure: the same board, inputs and context give the same decision. A node is claimed in the
 * decision that starts it, so that of several who decide at the same time only the one whose change is written starts anything.
 * @throws `not-found` or `conflict` for a command that cannot be obeyed
 */
export function decide(board: CampaignBoard, inputs: readonly Input[], context: DecisionContext): Decision {
  const draft = new BoardDraft(board, context.graph, context.now);
  const turn: Turn = { draft, policy: context.policy, starts: [], cancels: [] };
  let takenBy: string | undefined;
  for (const input of inputs) takenBy = take(turn, input) ?? takenBy;
  settleAll(turn);
  return {
    isChange: draft.touched().length > 0,
    change: draft.change(),
    returns: listReturns(draft.touched().map(({ campaign }) => campaign)),
    starts: turn.starts,
    cancels: turn.cancels,
    ...(takenBy !== undefined && { takenBy }),
  };
}
