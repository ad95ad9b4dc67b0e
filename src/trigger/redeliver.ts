import type { Clock } from '../domain/clock.ts';
import { fail } from '../domain/failure.ts';
import type { DeliveryQueue } from '../queue/ports.ts';
import type { Delivery, DeliveryStore } from '../store/ports.ts';

export interface RedeliverDeps {
  readonly deliveries: Pick<DeliveryStore, 'get' | 'payload' | 'receive'>;
  readonly queue: Pick<DeliveryQueue, 'enqueue'>;
  readonly clock: Clock;
}

/** Nobody delivers one happening again as often as this by hand. */
const mostAgain = 1000;

/**
 * Works a delivery off again, as a new one (`<id>.r1`, `<id>.r2`, …) that starts runs of its own; undefined for an unknown one.
 * @throws `expired` when what it carried is not kept any more, `invalid-request` for one that could not be read.
 */
export async function redeliver(
  { deliveries, queue, clock }: RedeliverDeps,
  id: string,
): Promise<Delivery | undefined> {
  const earlier = await deliveries.get(id);
  if (earlier === undefined) return undefined;
  if (earlier.event === 'none') throw fail('invalid-request', `delivery ${id} holds no event that could start a run`);
  const payload = await deliveries.payload(id);
  if (payload === undefined) {
    throw fail('expired', `what delivery ${id} carried is not kept any more`, {
      hint: 'let the forge deliver it again',
    });
  }
  const { arrivals: _, ...kept } = earlier;
  const base = id.replace(/\.r\d+$/, '');
  for (let again = 1; again <= mostAgain; again += 1) {
    const name = `${base}.r${again}`;
    if ((await deliveries.get(name)) !== undefined) continue;
    const receivedTime = new Date(clock.now()).toISOString();
    const fresh = { ...kept, id: name, receivedTime, status: 'received', verdicts: [], notes: [] } as const;
    const { delivery, isNew } = await deliveries.receive(fresh, payload);
    if (!isNew) continue;
    await queue.enqueue(name);
    return delivery;
  }
  throw fail('conflict', `delivery ${id} was delivered again ${mostAgain} times already`);
}
