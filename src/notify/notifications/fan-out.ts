import type { Clock } from '../../domain/clock.ts';
import type { Notification, NotificationEvent, OutgoingDelivery } from '../../domain/notification.ts';
import type { Run } from '../../domain/run.ts';
import type { NotificationQueue, RunNotice } from '../../queue/ports.ts';
import type { NotificationStore, RunStore } from '../../store/ports.ts';
import { eventOf, runCloudEvent, type CloudEvent, type EventSource } from './cloud-event.ts';
import { handOver } from './hand-over.ts';
import { isWanted } from './wanted.ts';

export interface FanOutOptions extends EventSource {
  readonly runs: Pick<RunStore, 'get'>;
  readonly notifications: NotificationStore;
  readonly queue: Pick<NotificationQueue, 'enqueue'>;
  readonly clock: Clock;
}

interface Told {
  readonly event: NotificationEvent;
  readonly run: Run;
  readonly cloudEvent: CloudEvent;
}

/**
 * Makes the handler of notices: each becomes one delivery for each notification that wants it, so that a receiver that fails holds up
 * nothing but its own. May be repeated. A run that is gone by then is not told of. Rejects when the store or the queue is away.
 */
export function createFanOut(options: FanOutOptions): (notice: RunNotice) => Promise<void> {
  const { runs, notifications } = options;
  return async (notice) => {
    const all = (await notifications.list()).filter(({ status }) => status === 'Enabled');
    const run = all.length > 0 ? await runs.get(notice.runId) : undefined;
    const event = run && eventOf(notice, run);
    if (!run || !event) return;
    const cloudEvent = runCloudEvent(event, notice, { ...options, run });
    const wanting = all.filter((one) => isWanted(one, event, run));
    await Promise.all(wanting.map((one) => tell(one, { event, run, cloudEvent }, options)));
  };
}

async function tell({ name }: Notification, { event, run, cloudEvent }: Told, options: FanOutOptions): Promise<void> {
  const delivery: OutgoingDelivery = {
    id: cloudEvent.id,
    notification: name,
    event,
    runId: run.runId,
    createdTime: new Date(options.clock.now()).toISOString(),
    status: 'pending',
    tries: [],
    replays: 0,
  };
  await handOver(delivery, JSON.stringify(cloudEvent), options);
}
