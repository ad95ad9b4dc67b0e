import type { Clock } from '../../domain/clock.ts';
import type { DeliveryLimits } from '../delivery-limits.ts';
import type { Delivery, DeliveryStore } from '../ports.ts';
import { taskKeyOf } from '../task-changes.ts';

interface KeptDelivery {
  delivery: Delivery;
  payload: string | undefined;
  /** Counts up from 1 in the order of arrival. */
  readonly number: number;
  /** Milliseconds since the epoch at which it is forgotten. */
  readonly until: number;
}

/** Lets the oldest payloads of deliveries that are worked off go until the rest is small enough. */
function dropPayloads(entries: Iterable<KeptDelivery>, most: number): void {
  const finished = [...entries].filter(({ delivery }) => delivery.status !== 'received');
  const sizeOf = ({ payload }: KeptDelivery): number => Buffer.byteLength(payload ?? '');
  let bytes = finished.reduce((sum, entry) => sum + sizeOf(entry), 0);
  for (const entry of finished) {
    if (bytes <= most) return;
    bytes -= sizeOf(entry);
    entry.payload = undefined;
  }
}

function removeOld(kept: Map<string, KeptDelivery>, most: number, isOld: (entry: KeptDelivery) => boolean): void {
  for (const [id, entry] of kept) {
    if (kept.size <= most && !isOld(entry)) return;
    kept.delete(id);
  }
}

/** The deliveries of a memory store: {@link DeliveryStore} to the letter. */
export function createMemoryDeliveries(clock: Clock, limits: DeliveryLimits): DeliveryStore {
  /** In the order of arrival. */
  const kept = new Map<string, KeptDelivery>();
  let count = 0;
  const isOld = ({ until }: KeptDelivery): boolean => until <= clock.now();
  const find = (id: string): KeptDelivery | undefined => {
    const entry = kept.get(id);
    return entry && !isOld(entry) ? entry : undefined;
  };
  return {
    async receive(delivery, payload) {
      const earlier = find(delivery.id);
      if (earlier) {
        earlier.delivery = { ...earlier.delivery, arrivals: earlier.delivery.arrivals + 1 };
        return { delivery: earlier.delivery, isNew: false };
      }
      const first = { ...delivery, arrivals: 1 };
      kept.delete(delivery.id);
      kept.set(delivery.id, { delivery: first, payload, number: ++count, until: clock.now() + limits.ageMs });
      removeOld(kept, limits.count, isOld);
      return { delivery: first, isNew: true };
    },
    get: async (id) => find(id)?.delivery,
    payload: async (id) => find(id)?.payload,
    async finish(id, { status, verdicts, notes }) {
      const entry = find(id);
      if (entry) entry.delivery = { ...entry.delivery, status, verdicts, notes };
      dropPayloads(kept.values(), limits.payloadBytes);
    },
    async list({ limit, after, hook }) {
      const before = Number(after ?? Infinity);
      const isWanted = (entry: KeptDelivery): boolean => {
        const ofHook = hook === undefined || taskKeyOf(entry.delivery.hook ?? '') === taskKeyOf(hook);
        return ofHook && !isOld(entry) && entry.number < before;
      };
      const matching = [...kept.values()].reverse().filter(isWanted);
      const page = matching.slice(0, limit);
      const last = page.at(-1);
      return {
        deliveries: page.map(({ delivery }) => delivery),
        ...(matching.length > limit && last && { next: String(last.number) }),
      };
    },
  };
}
