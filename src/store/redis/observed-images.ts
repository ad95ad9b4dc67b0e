import type { Redis } from 'ioredis';
import { referenceKeyOf, type ObservedImage } from '../../domain/base-image.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { BaseImageStore } from '../ports.ts';
import { observeScript } from './base-image-scripts.ts';
import { guard } from './connection.ts';
import type { Keys } from './keys.ts';
import { readFields } from './read-fields.ts';
import { runScript } from './script.ts';

/** Kept as the number of changes, a space, and the rest as JSON. */
function parseObserved(text: string | null): ObservedImage | undefined {
  if (text === null) return undefined;
  const space = text.indexOf(' ');
  const rest = JSON.parse(text.slice(space + 1)) as Omit<ObservedImage, 'changes'>;
  return { ...rest, changes: Number(text.slice(0, space)) };
}

/** What references were seen to stand for: that part of a {@link BaseImageStore} in Redis. */
export function createRedisObserved(redis: Redis, keys: Keys): Pick<BaseImageStore, 'observed' | 'observe' | 'forget'> {
  const fieldsOf = (images: readonly ImageIdentity[]) => images.map((image) => referenceKeyOf(image) ?? '');
  return {
    observed: (images) =>
      guard(async () => (await readFields(redis, keys.observedImages, fieldsOf(images))).map(parseObserved)),
    observe: ({ image, since }, changes) =>
      guard(async () => {
        const key = referenceKeyOf(image);
        if (key === undefined) return false;
        const args = [key, JSON.stringify({ image, since }), changes];
        return (await runScript(redis, observeScript, [keys.observedImages], args)) === 1;
      }),
    forget: (images) =>
      guard(async () => {
        if (images.length > 0) await redis.hdel(keys.observedImages, ...fieldsOf(images));
      }),
  };
}
