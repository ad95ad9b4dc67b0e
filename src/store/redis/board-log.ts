import type { BoardChange, Campaign, CampaignBoard, CampaignNode } from '../../domain/campaign.ts';
import { isOver } from '../../domain/campaign.ts';
import { campaignNumberOf, changeBoard, changedCampaigns } from '../campaign-changes.ts';

/** Of a decision that writes more nodes, readers read the whole board instead. */
const mostNodes = 64;

type Entry = readonly [campaigns: readonly Campaign[], nodes: readonly (readonly [string, readonly CampaignNode[]])[]];

/** What changes nothing. */
export const noChange: BoardChange = { campaigns: [], nodes: new Map() };

/** A decision as the board's log has it; '' for one that is too large. */
export function formatEntry({ campaigns, nodes }: BoardChange): string {
  const count = [...nodes.values()].reduce((sum, each) => sum + each.length, 0);
  return count > mostNodes ? '' : JSON.stringify([campaigns, [...nodes]] satisfies Entry);
}

/** Several decisions as one, oldest first. */
function join(entries: readonly Entry[]): BoardChange {
  const campaigns = new Map<string, Campaign>();
  const nodes = new Map<string, CampaignNode[]>();
  for (const [written, withNodes] of entries) {
    for (const campaign of written) campaigns.set(campaign.id, campaign);
    for (const [id, changed] of withNodes) nodes.set(id, [...(nodes.get(id) ?? []), ...changed]);
  }
  return { campaigns: [...campaigns.values()], nodes };
}

/** True for a campaign that was over when `board` was read: nobody knows its nodes from there. */
function isReopened({ id, status }: Campaign, board: CampaignBoard): boolean {
  return !isOver(status) && !board.campaigns.has(id) && (campaignNumberOf(id) ?? 0) < board.nextNumber;
}

/** The board after `change`; undefined when it cannot be known without reading it whole. */
export function applyToBoard(board: CampaignBoard, change: BoardChange, version: number): CampaignBoard | undefined {
  if (change.campaigns.some((campaign) => isReopened(campaign, board))) return undefined;
  return changeBoard(board, changedCampaigns(change, board.campaigns), version);
}

/** The board of `version` from an earlier one and the log's entries since then, newest first; undefined as above. */
export function applyLog(board: CampaignBoard, entries: readonly string[], version: number): CampaignBoard | undefined {
  if (entries.length !== version - board.version || entries.includes('')) return undefined;
  return applyToBoard(board, join(entries.map((entry) => JSON.parse(entry) as Entry).reverse()), version);
}
