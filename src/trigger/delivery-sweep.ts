import type { Clock } from '../domain/clock.ts';
import type { DeliveryQueue } from '../queue/ports.ts';
import type { DeliveryStore } from '../store/ports.ts';

export interface DeliverySweepDeps {
  readonly deliveries: Pick<DeliveryStore, 'list'>;
  readonly queue: Pick<DeliveryQueue, 'enqueue'>;
  readonly clock: Clock;
  /** How long a delivery may wait to be worked off before the queue is told again; 30 s when left out. */
  readonly lostAfterMs?: number;
}

const pageDeliveries = 200;
/** Deliveries this much older than the last look are looked at again. */
const overlapMs = 10 * 60_000;

/**
 * Makes the sweep that queues what was recorded and never reached the queue: a process died between the two, or Redis was away. To queue
 * what is queued already has no effect. The first sweep looks at all that is kept, later ones at what came since.
 */
export function createDeliverySweep({
  deliveries,
  queue,
  clock,
  lostAfterMs = 30_000,
}: DeliverySweepDeps): () => Promise<void> {
  let lookedAt: number | undefined;
  return async () => {
    const now = clock.now();
    const oldest = lookedAt === undefined ? 0 : lookedAt - overlapMs;
    let after: string | undefined;
    do {
      const page = await deliveries.list({ limit: pageDeliveries, ...(after !== undefined && { after }) });
      for (const { id, status, receivedTime } of page.deliveries) {
        if (status === 'received' && now - Date.parse(receivedTime) >= lostAfterMs) await queue.enqueue(id);
      }
      const last = page.deliveries.at(-1);
      after = last !== undefined && Date.parse(last.receivedTime) >= oldest ? page.next : undefined;
    } while (after !== undefined);
    lookedAt = now;
  };
}
