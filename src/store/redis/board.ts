import type { ChainableCommander, Redis } from 'ioredis';
import type { BoardChange, Campaign, CampaignBoard, CampaignNode, CampaignWithNodes } from '../../domain/campaign.ts';
import { taskKeyOf } from '../task-changes.ts';
import { applyLog, applyToBoard } from './board-log.ts';
import { boardStateScript } from './campaign-scripts.ts';
import type { Keys } from './keys.ts';
import { runScript } from './script.ts';

type Snapshot = readonly [
  version: string | null,
  count: string | null,
  open: readonly string[],
  ...rest: readonly (readonly (string | null)[])[],
];

async function execute(transaction: ChainableCommander): Promise<readonly unknown[]> {
  return ((await transaction.exec()) ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}

function parseCampaign(record: string | null, nodes: readonly (string | null)[]): CampaignWithNodes | undefined {
  if (record === null) return undefined;
  const all = nodes.flatMap((json) => (json === null ? [] : [JSON.parse(json) as CampaignNode]));
  return {
    campaign: JSON.parse(record) as Campaign,
    nodes: new Map(all.map((node) => [taskKeyOf(node.task), node])),
  };
}

/**
 * The board as this process knows it: read whole once, then by what each version has changed. Methods reject with what the client throws.
 */
export class Board {
  readonly #redis: Redis;
  readonly #keys: Keys;
  #known: CampaignBoard | undefined;
  /** Redis was away since the board was read: it may lack its last writes, and the same version then be another board. */
  #isDoubtful = false;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
    redis.on('ready', () => {
      this.#isDoubtful = true;
      this.#known = undefined;
    });
  }

  /** `CampaignStore.readBoard`. */
  async read(seen: number | undefined): Promise<CampaignBoard | undefined> {
    if (this.#isDoubtful) return this.#readAnew();
    const known = this.#known;
    const { version, entries } = await this.#readState(known);
    if (version === seen) return undefined;
    if (!known || version < known.version) return this.#readAnew();
    if (version === known.version) return known;
    const board = applyLog(known, entries, version);
    return board ? this.#keep(board) : this.#readAnew();
  }

  /** Notes what this process itself has made of version `expected`. */
  wrote(expected: number, change: BoardChange): void {
    if (this.#known?.version === expected) this.#known = applyToBoard(this.#known, change, expected + 1);
  }

  async #readState(known: CampaignBoard | undefined) {
    const { boardVersion, boardLog } = this.#keys;
    const args = [known?.version ?? ''];
    const reply = await runScript(this.#redis, boardStateScript, [boardVersion, boardLog], args);
    const [version, entries] = reply as readonly [string, readonly string[]];
    return { version: Number(version), entries };
  }

  #keep(board: CampaignBoard): CampaignBoard {
    if (board.version > (this.#known?.version ?? -1)) this.#known = board;
    return board;
  }

  async #readAnew(): Promise<CampaignBoard> {
    this.#isDoubtful = false;
    this.#known = undefined;
    try {
      return this.#keep(await this.#readWhole());
    } catch (error) {
      this.#isDoubtful = true;
      throw error;
    }
  }

  async #readWhole(): Promise<CampaignBoard> {
    let ids: readonly string[] = await this.#redis.zrange(this.#keys.openCampaigns, '0', '-1');
    for (;;) {
      const [version, count, open, records, ...nodes] = await this.#readTogether(ids);
      const isSame = open.length === ids.length && open.every((id, at) => id === ids[at]);
      if (isSame) {
        const campaigns = ids.flatMap((id, at) => {
          const one = parseCampaign(records?.[at] ?? null, nodes[at] ?? []);
          return one ? [[id, one] as const] : [];
        });
        return { version: Number(version), nextNumber: Number(count) + 1, campaigns: new Map(campaigns) };
      }
      ids = open;
    }
  }

  /** The campaigns of these ids with the board's version, and which are on the board, at one moment. */
  async #readTogether(ids: readonly string[]): Promise<Snapshot> {
    const keys = this.#keys;
    const transaction = this.#redis.multi().get(keys.boardVersion).get(keys.campaignCount);
    transaction.zrange(keys.openCampaigns, '0', '-1');
    if (ids.length > 0) transaction.hmget(keys.campaignRecords, ...ids);
    for (const id of ids) transaction.hvals(keys.campaignNodes(id));
    return (await execute(transaction)) as unknown as Snapshot;
  }
}
