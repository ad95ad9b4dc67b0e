import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { RepositoryName, Tag } from '../../src/domain/image-reference.ts';
import type { RegistryEvent } from '../../src/domain/event.ts';
import type { RegistryEventQueue } from '../../src/queue/ports.ts';

/** A push event; its id has the colons of a digest, as real ones may. */
export function anEvent(id: string): RegistryEvent {
  const digest = `sha256:${'a'.repeat(64)}` as Digest;
  const repository = 'app' as RepositoryName;
  const what = {
    id: `sha256:${id}`,
    repository,
    digest,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    size: 2,
  };
  return { ...what, kind: 'push', tag: 'v1' as Tag, at: '2026-11-21T09:00:00Z', by: 'admin' };
}

/** What every queue of registry events does; `open` gives an empty one that tries three times with pauses of a few milliseconds. */
export function describeRegistryEvents(name: string, open: () => Promise<RegistryEventQueue>): void {
  describe(name, () => {
    let queue: RegistryEventQueue;
    let closers: (() => Promise<void>)[];
    beforeEach(async () => {
      queue = await open();
      closers = [];
    });
    afterEach(async () => {
      for (const close of closers) await close();
      await queue.close();
    });
    const consume = async (handle: (event: RegistryEvent) => Promise<void>, errors: string[] = []): Promise<void> => {
      const consumer = await queue.consume(handle, (error) => errors.push(error.message));
      closers.push(() => consumer.close());
    };

    it('hands out events as they were published, those from before the consumer too', async () => {
      const seen: RegistryEvent[] = [];
      await queue.publish(anEvent('1'));
      await consume(async (event) => void seen.push(event));
      await expect.poll(() => seen).toEqual([anEvent('1')]);
      await queue.publish(anEvent('2'));
      await expect.poll(() => seen).toEqual([anEvent('1'), anEvent('2')]);
    });

    it('hands out an event once however often it is published, also after it was handled', async () => {
      const seen: string[] = [];
      await consume(async ({ id }) => void seen.push(id));
      await Promise.all([1, 2, 3].map(() => queue.publish(anEvent('1'))));
      await expect.poll(() => seen.length).toBe(1);
      await queue.publish(anEvent('1'));
      await queue.publish(anEvent('2'));
      await expect.poll(() => seen).toEqual(['sha256:1', 'sha256:2']);
    });

    it('hands out an event again when its handling failed, and gives up in the end', async () => {
      const errors: string[] = [];
      let count = 0;
      await consume(async ({ id }) => {
        count++;
        if (id === 'sha256:never' || count < 2) throw new Error(`no ${id}`);
      }, errors);
      await queue.publish(anEvent('1'));
      await expect.poll(() => count).toBe(2);
      await queue.publish(anEvent('never'));
      await expect.poll(() => count).toBe(5);
      await expect.poll(() => errors).toEqual(['no sha256:1', 'no sha256:never', 'no sha256:never', 'no sha256:never']);
    });
  });
}
