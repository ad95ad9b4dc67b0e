import { referenceKeyOf, type ImageAtDigest, type TaskImages } from '../../domain/base-image.ts';
import type { CampaignNode, TagReturn } from '../../domain/campaign.ts';
import type { ImageDependencies } from '../../domain/dependencies.ts';
import type { BaseImageStore } from '../../store/ports.ts';
import { carryDigests } from '../learn/task-images.ts';
import { imagesOfRun, ofUnknownBases } from '../record/images-of-run.ts';
import type { CampaignRuns } from '../ports.ts';

/** Which of these is about an image: its tag, at its digest. */
export function findEntry(
  images: readonly ImageDependencies[],
  { digest, ...tag }: ImageAtDigest,
): ImageDependencies | undefined {
  const key = referenceKeyOf(tag);
  return images.find(({ image }) => image?.digest === digest && referenceKeyOf(image) === key);
}

/** What is known of images at their digests, as far as it says what they were built on. */
export function standingOf({ images }: TaskImages, at: readonly ImageAtDigest[]): readonly ImageDependencies[] {
  return at.flatMap((image) => {
    const { runtime, buildTime = [] } = findEntry(images, image) ?? {};
    const isKnown = [runtime, ...buildTime].some((base) => base?.digest !== undefined);
    return isKnown ? [{ image, ...(runtime && { runtime }), buildTime }] : [];
  });
}

/** The record of a task when a tag of it was pointed back; undefined: it does not say what the tag stood for. */
export function afterReturn(
  before: TaskImages | undefined,
  { image, from, standing }: TagReturn,
): TaskImages | undefined {
  const old = before && findEntry(before.images, { ...image, digest: from });
  if (!before || !old) return undefined;
  // The names of what it stands on may have changed since: they stay, and digests are known of those that have not.
  const returned = carryDigests([ofUnknownBases(image, [old])], standing ? [standing] : []);
  return { ...before, images: before.images.flatMap((one) => (one === old ? returned : [one])) };
}

/** Keeps of a tag that was pointed back what its image stands on. Doing it again does no harm. */
export async function recordReturn(baseImages: Pick<BaseImageStore, 'update'>, done: TagReturn): Promise<void> {
  if (done.task !== undefined) await baseImages.update(done.task, (before) => afterReturn(before, done));
}

/** What the images that the last run of a node has made stand on; nothing when the run is gone. */
export async function standingMade(
  runs: Pick<CampaignRuns, 'get'>,
  { state, after }: CampaignNode,
): Promise<readonly ImageDependencies[]> {
  const run = state.kind === 'rebuilt' ? await runs.get(state.runId) : undefined;
  return run ? imagesOfRun(run, after, []) : [];
}
