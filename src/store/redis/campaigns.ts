import type { Redis } from 'ioredis';
import type { BoardChange, Campaign, CampaignNode } from '../../domain/campaign.ts';
import {
  campaignNumberOf,
  nodesWithoutCampaign,
  numberOfWritten,
  overSince,
  updateLifeSeconds,
} from '../campaign-changes.ts';
import type { CampaignStore } from '../ports.ts';
import { taskKeyOf } from '../task-changes.ts';
import { Board } from './board.ts';
import { formatEntry, noChange } from './board-log.ts';
import { commitBoardScript, removeCampaignsScript } from './campaign-scripts.ts';
import { guard } from './connection.ts';
import type { Keys } from './keys.ts';
import { readFields } from './read-fields.ts';
import { runScript } from './script.ts';

/** How many campaigns are forgotten at once: nothing else is done by Redis meanwhile. */
const mostAtOnce = 100;
/** How many nodes one command writes: Lua hands on no more than some thousand arguments. */
const nodesInBlock = 500;

function campaignArguments(campaign: Campaign, keys: Keys): readonly (string | number)[] {
  const updates = campaign.updates.map(({ id }) => keys.campaignUpdate(id));
  const json = JSON.stringify(campaign);
  return [campaign.id, numberOfWritten(campaign), overSince(campaign) ?? '', json, updates.length, ...updates];
}

/** Thousands of nodes are few arguments: JSON has no line breaks, and so lines keep them apart. */
function nodeArguments([id, nodes]: readonly [string, readonly CampaignNode[]]): readonly (string | number)[] {
  const blocks: string[] = [];
  for (let at = 0; at < nodes.length; at += nodesInBlock) {
    const lines = nodes.slice(at, at + nodesInBlock).map((node) => `${taskKeyOf(node.task)}\n${JSON.stringify(node)}`);
    blocks.push(lines.join('\n'));
  }
  return [id, blocks.length, ...blocks];
}

function scriptKeys(keys: Keys): readonly string[] {
  const { boardVersion, boardLog, campaignCount, campaigns, openCampaigns, overCampaigns, campaignRecords } = keys;
  return [boardVersion, boardLog, campaignCount, campaigns, openCampaigns, overCampaigns, campaignRecords];
}

async function commit(redis: Redis, keys: Keys, expected: number, change: BoardChange): Promise<boolean> {
  const withNodes = [...change.nodes].filter(([, nodes]) => nodes.length > 0);
  const reply = await runScript(redis, commitBoardScript, scriptKeys(keys), [
    expected,
    formatEntry(change),
    keys.campaignNodes(''),
    updateLifeSeconds,
    change.campaigns.length,
    withNodes.length,
    ...change.campaigns.flatMap((campaign) => campaignArguments(campaign, keys)),
    ...withNodes.flatMap(nodeArguments),
  ]);
  if (reply === -1) throw nodesWithoutCampaign();
  return reply === 1;
}

async function list(redis: Redis, keys: Keys, { limit, after }: Parameters<CampaignStore['list']>[0]) {
  const number = after === undefined ? undefined : campaignNumberOf(after);
  const before = number === undefined ? '+inf' : `(${number}`;
  const ids = await redis.zrevrangebyscore(keys.campaigns, before, '-inf', 'LIMIT', 0, limit + 1);
  const page = ids.slice(0, limit);
  const records = await readFields(redis, keys.campaignRecords, page);
  const campaigns = records.flatMap((json) => (json === null ? [] : [JSON.parse(json) as Campaign]));
  const last = page.at(-1);
  return { campaigns, ...(ids.length > limit && last !== undefined && { next: last }) };
}

async function removeOld(redis: Redis, keys: Keys, before: string, limit: number): Promise<number> {
  let removed = 0;
  while (removed < limit) {
    const count = Math.min(mostAtOnce, limit - removed);
    const args = [Date.parse(before), count, keys.campaignNodes(''), formatEntry(noChange)];
    const gone = (await runScript(redis, removeCampaignsScript, scriptKeys(keys), args)) as number;
    removed += gone;
    if (gone < count) break;
  }
  return removed;
}

/** The campaigns of a Redis store: {@link CampaignStore} to the letter. */
export function createRedisCampaigns(redis: Redis, keys: Keys): CampaignStore {
  const board = new Board(redis, keys);
  return {
    readBoard: (known) => guard(() => board.read(known)),
    commit: (expected, change) =>
      guard(async () => {
        const isWritten = await commit(redis, keys, expected, change);
        if (isWritten) board.wrote(expected, change);
        return isWritten;
      }),
    get: (id) =>
      guard(async () => {
        const json = await redis.hget(keys.campaignRecords, id);
        return json === null ? undefined : (JSON.parse(json) as Campaign);
      }),
    nodes: (id) =>
      guard(async () => (await redis.hvals(keys.campaignNodes(id))).map((json) => JSON.parse(json) as CampaignNode)),
    list: (query) => guard(() => list(redis, keys, query)),
    findByUpdate: async (updateId) => (await guard(() => redis.get(keys.campaignUpdate(updateId)))) ?? undefined,
    removeOld: (before, limit) => guard(() => removeOld(redis, keys, before, limit)),
  };
}
