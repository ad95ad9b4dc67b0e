import type { Poller } from './poller.ts';

export interface FreshPollerOptions {
  /** Opens a poller that has asked for nothing yet; all of them share one lease. */
  readonly open: () => Poller;
  /** What polling depends on, as a text. Rejects with `redis-unavailable`. */
  readonly readVersion: () => Promise<string>;
}

/**
 * Makes a poller that begins anew when something that it depends on has changed: what a registry refused for want of a credential is asked
 * for within an interval of its being set.
 */
export function createFreshPoller({ open, readVersion }: FreshPollerOptions): Poller {
  let poller = open();
  let known: string | undefined;
  return {
    async poll() {
      const version = await readVersion();
      if (known !== undefined && known !== version) poller = open();
      known = version;
      await poller.poll();
    },
    close: () => poller.close(),
  };
}
