import { isOver, type CampaignNode, type CampaignWithNodes } from '../../../src/domain/campaign.ts';
import type { Run } from '../../../src/domain/run.ts';
import type { ToldUpdate } from '../../../src/queue/ports.ts';
import type { Conductor } from '../../../src/patch/campaign/conductor.ts';
import type { CampaignAction } from '../../../src/patch/campaign/decision.ts';
import { FailureError } from '../../../src/domain/failure.ts';
import { Death, keyOf, type TestRun, type World } from './world.ts';

/** One thing that happens. `which` picks among what there is. */
export type Happening =
  | { readonly kind: 'push'; readonly base: number; readonly diesAt: number }
  | { readonly kind: 'begin'; readonly which: number }
  | { readonly kind: 'end'; readonly which: number; readonly how: 'new' | 'same' | 'bad'; readonly diesAt: number }
  | { readonly kind: 'command'; readonly action: CampaignAction; readonly which: number; readonly diesAt: number }
  | { readonly kind: 'look'; readonly diesAt: number };

type Work = (conductor: Conductor) => Promise<unknown>;

const betweenLooksMs = 15_000;
/** After it, every task that waits to be tried again may begin. */
const longestPauseMs = 300_000;

/** Lets things happen to a world, as its queues and workers would: what a dead process was at is handed out again later. */
export class Storm {
  readonly world: World;
  readonly #undone: Work[] = [];
  readonly #started = new Set<string>();
  readonly #processes: Conductor[];
  #next = 0;
  #diesAt = 0;
  /** True when somebody died who was told of a base: a run can then be built on what nobody has heard of, and be built again. */
  hasUnheard = false;
  /** What went wrong. */
  readonly faults: string[] = [];

  constructor(world: World, processes = 1) {
    this.world = world;
    this.#processes = Array.from({ length: processes }, () => this.#newProcess());
  }

  async happen(one: Happening): Promise<void> {
    switch (one.kind) {
      case 'push':
        return this.#push(one.base, one.diesAt);
      case 'begin':
        this.#begin(one.which);
        return undefined;
      case 'end':
        return this.#end(one.which, one.how, one.diesAt);
      case 'command':
        return this.#command(one.action, one.which, one.diesAt);
      case 'look':
        this.world.clock.advance(betweenLooksMs);
        return this.#work((conductor) => conductor.look(), one.diesAt);
    }
  }

  /** Lets everything come to its end, with nobody dying and nothing failing. False: it does not come to one. */
  async calm(): Promise<boolean> {
    for (let round = 0; round < 60; round += 1) {
      for (const work of this.#undone.splice(0)) await this.#work(work, 0);
      this.world.clock.advance(longestPauseMs);
      await this.#work((conductor) => conductor.look(), 0);
      for (const one of [...this.world.active()]) await this.#finish(one, 'new', 0);
      const { campaigns } = await this.world.store.campaigns.list({ limit: 1000 });
      const stuck = campaigns.filter(({ status }) => status !== 'Succeeded' && status !== 'Canceled');
      if (stuck.length === 0 && this.world.active().length === 0 && this.#undone.length === 0) return true;
      for (const { id, status } of stuck) {
        if (status === 'Paused' || status === 'Held') await this.#try(id, 'resume');
        if (status === 'Failed') await this.#try(id, 'retry');
      }
      await this.#check();
    }
    return false;
  }

  #newProcess(): Conductor {
    return this.world.conductor(() => {
      if (this.#diesAt > 0 && --this.#diesAt === 0) throw new Death();
    });
  }

  async #work(work: Work, diesAt: number): Promise<void> {
    this.#diesAt = diesAt;
    const process = this.#next++ % this.#processes.length;
    try {
      await work(this.#processes[process] ?? this.#newProcess());
    } catch (error) {
      if (!(error instanceof Death)) throw error;
      this.#undone.push(work);
      this.#processes[process] = this.#newProcess();
    }
    this.#diesAt = 0;
    await this.#check();
  }

  async #push(base: number, diesAt: number): Promise<void> {
    const told: ToldUpdate = this.world.push(`base${String(base)}`);
    const undone = this.#undone.length;
    await this.#work((conductor) => conductor.told(told), diesAt);
    this.hasUnheard ||= this.#undone.length > undone;
  }

  #pick(which: number): TestRun | undefined {
    const active = this.world.active();
    return active[which % Math.max(1, active.length)];
  }

  #begin(which: number): void {
    const one = this.#pick(which);
    if (one && !one.built) this.#start(one);
  }

  /** A run begins to build: it must find what it was asked for, or something newer. */
  #start(one: TestRun): void {
    for (const image of one.wanted.images) {
      const history = this.world.history.get(keyOf(image)) ?? [];
      const now = this.world.registry.get(keyOf(image));
      // What a held campaign has pointed back is older for a while.
      if (this.world.returned.length > 0) continue;
      if (now !== undefined && history.lastIndexOf(now) < history.indexOf(image.digest)) {
        this.faults.push(`${one.wanted.task} builds on an older ${image.repository}`);
      }
    }
    this.world.begin(one);
  }

  async #end(which: number, how: 'new' | 'same' | 'bad', diesAt: number): Promise<void> {
    const one = this.#pick(which);
    if (one) await this.#finish(one, how, diesAt);
  }

  async #finish(one: TestRun, how: 'new' | 'same' | 'bad', diesAt: number): Promise<void> {
    if (!one.built) this.#start(one);
    const isCanceled = one.run.cancelRequested !== undefined;
    const run: Run = await this.world.end(one, isCanceled ? 'canceled' : how);
    await this.#work((conductor) => conductor.runEnded(run), diesAt);
  }

  async #command(action: CampaignAction, which: number, diesAt: number): Promise<void> {
    const { campaigns } = await this.world.store.campaigns.list({ limit: 100 });
    const id = campaigns[which % Math.max(1, campaigns.length)]?.id;
    if (id === undefined) return;
    await this.#work((conductor) => this.#obey(conductor, id, action), diesAt);
  }

  async #obey(conductor: Conductor, id: string, action: CampaignAction): Promise<void> {
    try {
      await conductor.command(id, action, 'ann');
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
    }
  }

  async #try(id: string, action: CampaignAction): Promise<void> {
    await this.#work((conductor) => this.#obey(conductor, id, action), 0);
  }

  /** What must be true at any time. */
  async #check(): Promise<void> {
    const board = await this.world.store.campaigns.readBoard();
    const running = new Map<string, string>();
    for (const one of board?.campaigns.values() ?? []) {
      const { campaign, nodes } = one;
      if (isOver(campaign.status)) this.faults.push(`${campaign.id} is over, and on the board`);
      for (const [key, node] of nodes) {
        if (node.state.kind !== 'running') continue;
        const other = running.get(key);
        if (other !== undefined) this.faults.push(`${key} runs in ${other} and ${campaign.id}`);
        running.set(key, campaign.id);
        for (const need of node.needs) {
          const kind = nodes.get(need)?.state.kind;
          if (kind === 'waiting' || kind === 'running') this.faults.push(`${key} runs before ${need}`);
        }
        this.#checkReads(one, node);
      }
    }
    const active = this.world.active().map(({ wanted }) => wanted.task);
    if (new Set(active).size !== active.length) this.faults.push(`two runs of one task: ${active.join()}`);
  }

  /** A task begins after all of its campaign that it reads. */
  #checkReads({ campaign, nodes }: CampaignWithNodes, node: CampaignNode): void {
    const start = `${campaign.id} ${node.task} ${String(node.tries)}`;
    if (this.#started.has(start)) return;
    this.#started.add(start);
    for (const { buildTime } of this.world.record(node.task).images) {
      for (const { repository } of buildTime) {
        const state = nodes.get(`task-${repository}`)?.state;
        const run = state?.kind === 'running' ? state.runId : undefined;
        const isAtWork = this.world.active().some((one) => one.run.runId === run);
        if (state?.kind !== 'waiting' && !isAtWork) continue;
        this.faults.push(`${campaign.id}: ${node.task} is built before ${repository}, an image that it reads`);
      }
    }
  }
}

/**
 * Tasks that a campaign has built more than once: what was built well is not built again, unless tags were pointed back meanwhile.
 */
export function builtTwice({ world, hasUnheard }: Storm): readonly string[] {
  if (hasUnheard || world.returned.length > 0) return [];
  const good = [...world.runs.values()].filter(({ run }) => run.status === 'Succeeded');
  const keys = good.map(({ wanted }) => `${wanted.campaign}/${wanted.task}`);
  return keys.filter((key, at) => keys.indexOf(key) !== at);
}
