import type { Redis } from 'ioredis';
import { guard } from './connection.ts';

/** A message of a channel; undefined: the connection was lost for a while and messages may have been missed. */
export type Listener = (message: string | undefined) => void;

export interface Subscriber {
  /** Hears the channel from the moment this resolves until the returned function is called. */
  subscribe(channel: string, listener: Listener): Promise<() => Promise<void>>;
  /** Tells every listener that something may have been missed, and hears nothing more. */
  close(): void;
}

interface Channel {
  readonly listeners: Set<Listener>;
  readonly subscribed: Promise<unknown>;
}

/**
 * Shares one connection between all who listen to channels. When the connection was lost, the channels are subscribed again first and
 * the listeners told then, so that what they read next has everything that the lost messages were about.
 */
export function createSubscriber(redis: Redis): Subscriber {
  const channels = new Map<string, Channel>();

  const tellAll = (): void => {
    for (const { listeners } of channels.values()) for (const listener of [...listeners]) listener(undefined);
  };
  redis.on('message', (name: string, message: string) => {
    for (const listener of [...(channels.get(name)?.listeners ?? [])]) listener(message);
  });
  redis.on('ready', () => {
    if (channels.size > 0) redis.subscribe(...channels.keys()).then(tellAll, () => redis.disconnect(true));
  });

  const leave = async (name: string, channel: Channel, listener: Listener): Promise<void> => {
    channel.listeners.delete(listener);
    if (channel.listeners.size > 0 || channels.get(name) !== channel) return;
    channels.delete(name);
    // When the connection is gone, so is the subscription.
    await redis.unsubscribe(name).catch(() => undefined);
  };
  return {
    async subscribe(name, listener) {
      let channel = channels.get(name);
      if (!channel) {
        channel = { listeners: new Set(), subscribed: guard(() => redis.subscribe(name)) };
        channels.set(name, channel);
      }
      const joined = channel;
      joined.listeners.add(listener);
      try {
        await joined.subscribed;
      } catch (error) {
        joined.listeners.delete(listener);
        if (channels.get(name) === joined) channels.delete(name);
        throw error;
      }
      return () => leave(name, joined, listener);
    },
    close() {
      tellAll();
      channels.clear();
    },
  };
}
