import type { BoardChange, Campaign, CampaignBoard, CampaignWithNodes } from '../../domain/campaign.ts';
import type { Clock } from '../../domain/clock.ts';
import {
  campaignNumberOf,
  changeBoard,
  changedCampaigns,
  nodesWithoutCampaign,
  overSince,
  updateLifeSeconds,
} from '../campaign-changes.ts';
import type { CampaignStore } from '../ports.ts';

type Campaigns = ReadonlyMap<string, CampaignWithNodes>;

function numberOf({ id }: Campaign): number {
  return campaignNumberOf(id) ?? 0;
}

function applyChange(board: CampaignBoard, change: BoardChange, kept: Campaigns) {
  const changed = changedCampaigns(change, kept);
  for (const [id, nodes] of change.nodes) if (nodes.length > 0 && !changed.has(id)) throw nodesWithoutCampaign();
  return { changed, board: changeBoard(board, changed, board.version + 1) };
}

function pageOf(kept: Campaigns, { limit, after }: Parameters<CampaignStore['list']>[0]) {
  const before = after === undefined ? Infinity : (campaignNumberOf(after) ?? Infinity);
  const all = [...kept.values()].map(({ campaign }) => campaign);
  const older = all.filter((one) => numberOf(one) < before).sort((a, b) => numberOf(b) - numberOf(a));
  const campaigns = older.slice(0, limit);
  const last = campaigns.at(-1);
  return { campaigns, ...(older.length > limit && last && { next: last.id }) };
}

/** The campaigns of a memory store: {@link CampaignStore} to the letter. */
export function createMemoryCampaigns(clock: Clock): CampaignStore {
  const kept = new Map<string, CampaignWithNodes>();
  /** The campaign that took an update up, and until when that is remembered. */
  const updates = new Map<string, { readonly id: string; readonly until: number }>();
  let board: CampaignBoard = { version: 0, nextNumber: 1, campaigns: new Map() };

  const remember = ({ id, updates: taken }: Campaign): void => {
    for (const update of taken) updates.set(update.id, { id, until: clock.now() + updateLifeSeconds * 1000 });
  };
  return {
    readBoard: async (known) => (known === board.version ? undefined : board),
    async commit(expected, change) {
      if (expected !== board.version) return false;
      const next = applyChange(board, change, kept);
      for (const [id, one] of next.changed) kept.set(id, one);
      for (const campaign of change.campaigns) remember(campaign);
      board = next.board;
      return true;
    },
    get: async (id) => kept.get(id)?.campaign,
    nodes: async (id) => [...(kept.get(id)?.nodes.values() ?? [])],
    list: async (query) => pageOf(kept, query),
    async findByUpdate(updateId) {
      const found = updates.get(updateId);
      return found && found.until > clock.now() ? found.id : undefined;
    },
    async removeOld(before, limit) {
      const all = [...kept.values()].map(({ campaign }) => ({
        id: campaign.id,
        since: overSince(campaign) ?? Infinity,
      }));
      const old = all.filter(({ since }) => since < Date.parse(before)).sort((a, b) => a.since - b.since);
      const gone = old.slice(0, limit);
      for (const { id } of gone) kept.delete(id);
      if (gone.length > 0) board = { ...board, version: board.version + 1 };
      return gone.length;
    },
  };
}
