import type { ImpactReport, StandingImage } from '../patch/desk/ports.ts';
import type { ImageIdentity } from '../domain/dependencies.ts';
import { imageEntry } from './image-entry.ts';

/** One image and one that it stands on; `schemas/api/base-image.schema.json` is its contract. Absent members are left out. */
export function standingDocument({ image, base, ...rest }: StandingImage): object {
  const { task, ...more } = rest;
  return { task, ...(image !== undefined && { image: imageEntry(image) }), base: imageEntry(base), ...more };
}

/** What a change of an image would rebuild; `schemas/api/base-image-impact.schema.json` is its contract. Times in milliseconds. */
export function impactDocument(image: ImageIdentity, impact: ImpactReport): object {
  const { tasks, notRebuilt, cycles, durationMs, concurrency } = impact;
  return {
    image: imageEntry(image),
    durationMs,
    concurrency,
    tasks: tasks.map(({ bases, images, ...one }) => ({
      ...one,
      bases: bases.map(imageEntry),
      images: images.map(imageEntry),
    })),
    cycles,
    notRebuilt: notRebuilt.map((one) => ({ ...one, image: imageEntry(one.image) })),
  };
}
