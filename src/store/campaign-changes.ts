import {
  isOver,
  type BoardChange,
  type Campaign,
  type CampaignBoard,
  type CampaignNode,
  type CampaignWithNodes,
} from '../domain/campaign.ts';
import { taskKeyOf } from './task-changes.ts';

/** How long it is remembered which campaign took an update up, from the last time that the campaign was written. */
export const updateLifeSeconds = 30 * 24 * 60 * 60;

/** 12 for `cp12`; undefined for what is no campaign's id. */
export function campaignNumberOf(id: string): number | undefined {
  const digits = /^cp([1-9]\d{0,14})$/.exec(id)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The number of a campaign that is to be written. */
export function numberOfWritten({ id }: Pick<Campaign, 'id'>): number {
  const number = campaignNumberOf(id);
  if (number === undefined) throw new Error(`"${id}" is no id of a campaign`);
  return number;
}

/** Milliseconds since the epoch at which a campaign was over; undefined: it is not. */
export function overSince({ status, createTime, finishTime }: Campaign): number | undefined {
  return isOver(status) ? Date.parse(finishTime ?? createTime) : undefined;
}

/** The mistake of whoever writes nodes of a campaign that there is not. */
export function nodesWithoutCampaign(): Error {
  return new Error('there are nodes for a campaign that does not exist');
}

type Campaigns = ReadonlyMap<string, CampaignWithNodes>;

function mergeNodes(
  before: ReadonlyMap<string, CampaignNode>,
  changed: readonly CampaignNode[],
): ReadonlyMap<string, CampaignNode> {
  if (changed.length === 0) return before;
  const after = new Map(before);
  for (const node of changed) after.set(taskKeyOf(node.task), node);
  return after;
}

/** The campaigns that `change` touches, as they are after it; those that are neither in `before` nor written by it are left out. */
export function changedCampaigns({ campaigns, nodes }: BoardChange, before: Campaigns): Campaigns {
  const written = new Map(campaigns.map((campaign) => [campaign.id, campaign]));
  const changed = new Map<string, CampaignWithNodes>();
  for (const id of new Set([...written.keys(), ...nodes.keys()])) {
    const earlier = before.get(id);
    const campaign = written.get(id) ?? earlier?.campaign;
    if (campaign) changed.set(id, { campaign, nodes: mergeNodes(earlier?.nodes ?? new Map(), nodes.get(id) ?? []) });
  }
  return changed;
}

/** The board of `version` after these campaigns have changed: those that are over leave it. */
export function changeBoard(board: CampaignBoard, changed: Campaigns, version: number): CampaignBoard {
  const all = [...new Map([...board.campaigns, ...changed])];
  const open = all.filter(([, { campaign }]) => !isOver(campaign.status));
  const numbers = [...changed.values()].map(({ campaign }) => numberOfWritten(campaign) + 1);
  return {
    version,
    nextNumber: Math.max(board.nextNumber, ...numbers),
    campaigns: new Map(open.sort(([a], [b]) => (campaignNumberOf(a) ?? 0) - (campaignNumberOf(b) ?? 0))),
  };
}
