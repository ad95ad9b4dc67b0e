import type { Installation } from '../installation.ts';
import type { ForeignRegistries } from '../patch/poll/foreign-registries.ts';
import { createFreshPoller } from '../patch/poll/fresh-poller.ts';
import { createIntervalOf } from '../patch/poll/intervals.ts';
import { createLease } from '../patch/poll/lease.ts';
import { createPoller, type Poller } from '../patch/poll/poller.ts';
import { createWatchList } from '../patch/poll/watch-list.ts';
import type { PatchQueue, QueueConsumer } from '../queue/ports.ts';
import { periodically } from '../worker/periodically.ts';

const roundMs = 5000;

/** Asks registries that tell nothing whether bases have changed, until it is closed; one of several processes does. */
export function startPolling(
  { clock, config, logger, store }: Installation,
  { registries, patches }: { readonly registries: ForeignRegistries; readonly patches: PatchQueue },
): QueueConsumer {
  const lease = createLease(store.once, 'polling', clock);
  const open = (): Poller =>
    createPoller({
      watchList: createWatchList(store.baseImages, config.registryHost),
      baseImages: store.baseImages,
      registries,
      publish: (job) => patches.publish(job),
      lease,
      clock,
      random: Math.random,
      intervalOf: createIntervalOf(config.patching),
      onUnanswered: (subject, because) => {
        logger.warn({ subject, because }, 'a registry could not say whether a base has changed');
      },
    });
  const readVersion = async (): Promise<string> => JSON.stringify(await store.registryCredentials.list());
  const poller = createFreshPoller({ open, readVersion });
  const polling = periodically(
    roundMs,
    () => poller.poll(),
    (error) => {
      logger.warn({ err: error }, 'registries could not be asked this time');
    },
  );
  return {
    async close() {
      await polling.close();
      await poller.close();
    },
  };
}
