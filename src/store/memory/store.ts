import type { Clock } from '../../domain/clock.ts';
import type { RunId } from '../../domain/run.ts';
import { usualDeliveryLimits, type DeliveryLimits } from '../delivery-limits.ts';
import { usualOutputLimit, type OutputLimit } from '../output-limit.ts';
import { beatLifeMs, type OnceLedger, type Store, type WorkerBeat, type WorkerDirectory } from '../ports.ts';
import { runIdOf } from '../run-number.ts';
import { createMemoryBaseImages } from './base-images.ts';
import { createMemoryCampaigns } from './campaigns.ts';
import { createMemoryDeliveries } from './deliveries.ts';
import { createMemoryEvents } from './events.ts';
import { createMemoryNotifications } from './notifications.ts';
import { MemoryRuns } from './runs.ts';
import { createMemorySecrets } from './secrets.ts';
import type { MemoryState } from './state.ts';
import { createMemoryTasks } from './tasks.ts';

function createMemoryWorkers(clock: Clock): WorkerDirectory {
  const beats = new Map<string, { beat: WorkerBeat; until: number }>();
  return {
    async beat(beat) {
      beats.set(beat.name, { beat, until: clock.now() + beatLifeMs });
    },
    async leave(name) {
      beats.delete(name);
    },
    async list() {
      const living = [...beats.values()].filter(({ until }) => until > clock.now());
      return living.map(({ beat }) => beat).sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };
}

function createMemoryLedger(clock: Clock): OnceLedger {
  const claims = new Map<string, number>();
  return {
    async claim(key, ttlSeconds) {
      if ((claims.get(key) ?? 0) > clock.now()) return false;
      claims.set(key, clock.now() + ttlSeconds * 1000);
      return true;
    },
    async release(key) {
      claims.delete(key);
    },
  };
}

export interface MemoryStoreOptions {
  readonly clock: Clock;
  readonly outputLimit?: OutputLimit;
  readonly deliveryLimits?: DeliveryLimits;
  /** Names the n-th run (n = 1, 2, …), each differently; as the other stores do when not given. */
  readonly nameRun?: (number: number) => RunId;
}

/** A store in this process's memory, for tests and for trying things out: everything the ports promise, but it is gone with the process. */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  const { clock, nameRun = runIdOf } = options;
  const state: MemoryState = {
    runs: new Map(),
    lastRun: 0,
    keys: new Map(),
    plans: new Map(),
    places: new Map(),
    cancelListeners: new Set(),
    nameRun,
    isOpen: true,
  };
  return {
    baseImages: createMemoryBaseImages(),
    campaigns: createMemoryCampaigns(clock),
    tasks: createMemoryTasks(),
    deliveries: createMemoryDeliveries(clock, options.deliveryLimits ?? usualDeliveryLimits),
    runs: new MemoryRuns(state, clock, options.outputLimit ?? usualOutputLimit),
    events: createMemoryEvents(state, clock),
    workers: createMemoryWorkers(clock),
    once: createMemoryLedger(clock),
    notifications: createMemoryNotifications(),
    secrets: createMemorySecrets('secret', clock),
    registryCredentials: createMemorySecrets('registry-credential', clock),
    ping: async () => undefined,
    async close() {
      state.isOpen = false;
      for (const entry of state.runs.values()) for (const listener of entry.listeners) listener();
    },
  };
}
