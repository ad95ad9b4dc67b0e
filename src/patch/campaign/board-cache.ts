import type { BoardChange, CampaignBoard } from '../../domain/campaign.ts';
import type { CampaignStore } from '../../store/ports.ts';
import { applyChange, numberOf } from './draft.ts';

/** The board as the store has it, kept in memory between reads. */
export interface BoardCache {
  read(): Promise<CampaignBoard>;
  /** Writes a change of the board that was read last; false when somebody else was quicker. */
  commit(board: CampaignBoard, change: BoardChange): Promise<boolean>;
}

export function createBoardCache(campaigns: Pick<CampaignStore, 'readBoard' | 'commit'>): BoardCache {
  let known: CampaignBoard | undefined;
  return {
    async read() {
      const newer = await campaigns.readBoard(known?.version);
      known = newer ?? known ?? { version: 0, nextNumber: 1, campaigns: new Map() };
      return known;
    },
    async commit(board, change) {
      // Not known again until it is: after a rejection it may have been written.
      known = undefined;
      if (!(await campaigns.commit(board.version, change))) return false;
      // Of a campaign that comes back to the board, the nodes that have not changed are in the store alone.
      const isBack = change.campaigns.some((one) => !board.campaigns.has(one.id) && numberOf(one) < board.nextNumber);
      if (!isBack) known = applyChange(board, change);
      return true;
    },
  };
}
