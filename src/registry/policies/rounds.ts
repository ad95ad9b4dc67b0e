import type { RepositoryName } from '../../domain/image-reference.ts';
import type { Decision } from '../ledger.ts';
import { pullsNotedSince } from '../pulls.ts';
import type { RegistryState } from '../state.ts';
import type { Scene } from './plan.ts';
import { parsePurge, planPurge, type ParsedPurge } from './purge.ts';
import { readPolicy } from './records.ts';
import { batchSize, batchUnits, removeUnits, type RemovalUnit, type Removed } from './removal.ts';
import { planRetention } from './retention.ts';
import { lastOccurrence } from './schedule.ts';
import { forgetExpired } from './soft-delete.ts';

/** Where it is written down for which occurrence of its schedule the purge was last run. */
const purgeRun = { kind: 'policy-run', name: 'purge' } as const;

/** A repository, and what is to go from it. */
export type RepositoryPlan = (scene: Scene) => RemovalUnit[];

/** Applies the policies: every few minutes, in commits of bounded size, each of which looks again at what it takes. */
export class PolicyRounds {
  readonly #state: RegistryState;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(state: RegistryState) {
    this.#state = state;
  }

  start(): void {
    const { intervalMs } = this.#state.care;
    if (intervalMs <= 0) return;
    this.#timer = setInterval(() => {
      this.run().catch((error: unknown) => {
        this.#state.logger.warn(
          { err: error },
          'the policies of the registry could not be applied; the next round tries again',
        );
      });
    }, intervalMs).unref();
  }

  /** One round now, after the one that is under way. */
  run(): Promise<{ readonly removed: number; readonly forgotten: number }> {
    return this.#inTurn(async () => {
      await this.#state.ledger.refresh();
      const retained = await this.#retain();
      const purged = await this.#purgeWhenDue();
      return { removed: retained + purged, forgotten: await this.#forget() };
    });
  }

  /** Removes what a plan takes from each repository; other work goes on between. @param onPlan is told of each plan before. */
  async remove(
    plan: RepositoryPlan,
    by: string,
    onPlan: (units: readonly RemovalUnit[]) => void = () => undefined,
  ): Promise<(Removed & { readonly repository: RepositoryName })[]> {
    const removed: (Removed & { readonly repository: RepositoryName })[] = [];
    for (const [repository, units] of this.plan(plan)) {
      if (units.length > 0) onPlan(units);
      for (const batch of batchUnits(units)) {
        if (this.#stop.signal.aborted) return removed;
        removed.push({ repository, ...(await removeUnits(this.#state, batch, by)) });
      }
      await new Promise(setImmediate);
    }
    return removed;
  }

  /** What a plan takes from each repository as it is when its turn comes. */
  *plan(plan: RepositoryPlan): Generator<[RepositoryName, RemovalUnit[]]> {
    const { index, clock } = this.#state;
    const pullsSince = pullsNotedSince(index);
    for (const name of [...index.repositories.keys()].sort()) {
      const [contents, repository] = [index.repository(name), name as RepositoryName];
      if (contents !== undefined) yield [repository, plan({ repository, contents, now: clock.now(), pullsSince })];
    }
  }

  /** Waits for the commit that is under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#running.catch(() => undefined);
  }

  async #retain(): Promise<number> {
    const policy = readPolicy(this.#state.index, 'retentionPolicy');
    if (policy.status !== 'enabled') return 0;
    if ((policy.notPulledDays ?? 0) > 0) await this.#state.pulls.flush();
    return countAll(await this.remove((scene) => planRetention(scene, policy), 'retention policy'));
  }

  async #purgeWhenDue(): Promise<number> {
    const { status, schedule, rules } = readPolicy(this.#state.index, 'purgePolicy');
    if (status !== 'enabled' || !(await this.#claimPurge(schedule))) return 0;
    let count = 0;
    for (const rule of rules) {
      const purge: ParsedPurge = parsePurge(rule);
      if (purge.notPulledForMs !== undefined) await this.#state.pulls.flush();
      count += countAll(await this.remove((scene) => planPurge(scene, purge), 'purge policy'));
    }
    return count;
  }

  /** True for the one process that runs the purge of an occurrence; the first look after it was enabled only notes the time. */
  #claimPurge(schedule: string): Promise<boolean> {
    const { index, clock, ledger } = this.#state;
    const at = lastOccurrence(schedule, clock.now());
    return ledger.commit((): Decision<boolean> => {
      const before = index.document(purgeRun.kind, purgeRun.name) as { readonly occurrence?: number } | undefined;
      if (before?.occurrence !== undefined && before.occurrence >= at) return { changes: [], result: false };
      const change = { is: 'document', ...purgeRun, record: { occurrence: at } } as const;
      return { changes: [change], result: before?.occurrence !== undefined };
    });
  }

  async #forget(): Promise<number> {
    let count = 0;
    while (!this.#stop.signal.aborted) {
      const forgotten = await this.#state.ledger.commit((): Decision<number> => {
        const changes = forgetExpired(this.#state, batchSize);
        return { changes, result: changes.length };
      });
      count += forgotten;
      if (forgotten < batchSize) break;
    }
    return count;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#running.then(work);
    this.#running = turn.catch(() => undefined);
    return turn;
  }
}

function countAll(removed: readonly Removed[]): number {
  return removed.reduce((sum, { tags, manifests }) => sum + tags.length + manifests.length, 0);
}
