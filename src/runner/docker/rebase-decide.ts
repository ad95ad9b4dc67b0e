import type { Digest } from '../../domain/digest.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import { readDependencies } from '../../dockerfile/dependencies.ts';
import type { ImageDocuments } from '../../rebase/documents.ts';
import { judge, type Verdict } from '../../rebase/judge.ts';
import { compareLayouts, type Layout } from '../../rebase/layout.ts';
import { refuse } from '../../rebase/refusal.ts';
import { readOptionsOf } from './build-bases.ts';
import type { Job, Known } from './rebase-job.ts';
import { readImage } from './rebase-images.ts';
import { findDoubts } from './rebase-known.ts';

/** An image that may be rebased, and how. */
export type Safe = Extract<Verdict, { kind: 'safe' }>;

/** Asks the registry for everything at the same time, but for what one answer leads to. */
export async function readAll({ build, source, client, means, made, base }: Known) {
  const options = readOptionsOf(build);
  const { platform } = options;
  const of = (repository: string, digest: Digest, what: string): Promise<ImageDocuments> =>
    readImage(client, { repository, digest, what, platform }, means.documents);
  const { repository, tag = 'latest' } = base.image;
  const readNewBase = async () => {
    const newDigest = await client.resolve(repository, tag);
    if (newDigest === undefined) return refuse('its base is not in the registry any more');
    if (newDigest === made.base.digest) return refuse('its base has not changed');
    return { newDigest, newBase: await of(repository, newDigest, 'the new base') };
  };
  const [{ newDigest, newBase }, oldBase, image, doubts, found] = await Promise.all([
    readNewBase(),
    of(repository, made.base.digest, 'the old base'),
    of(made.repository, made.digest, 'the image'),
    findDoubts(build, client, readDependencies(source.text, options), made),
    client.resolve(made.repository, made.digest),
  ]);
  // Its documents may be known from before; nothing else asks for its layers.
  if (found === undefined) refuse('the image is not in the registry any more');
  return { newDigest, newBase, oldBase, image, doubts };
}

/** What the registry has answered. */
export type Read = Awaited<ReturnType<typeof readAll>>;

/** Judges by the documents of bases and image. @throws Refusal */
export function decide(
  job: Job,
  { oldBase, newBase, image, doubts }: Read,
  labels: Readonly<Record<string, string>>,
): Safe {
  const options = readOptionsOf(job.build);
  const verdict = judge({
    ...{ oldBase, newBase, image, givenLabels: Object.keys(labels) },
    recipe: { ...options, text: job.source.text },
    doubtOf: (one) => doubts.get(formatImageIdentity(one)),
  });
  return verdict.kind === 'safe' ? verdict : refuse(verdict.because);
}

/** Compares the bases where the Dockerfile writes. Rejects with a Refusal where they differ. */
export async function checkLayouts({ client, means, base }: Job, { rebase, destinations }: Safe): Promise<void> {
  if (destinations.length === 0) return;
  const read = async (side: 'oldBase' | 'newBase'): Promise<Layout> =>
    Promise.all(
      rebase[side].layers.map((layer) => means.layers.of({ client, repository: base.image.repository, layer })),
    );
  const [before, after] = await Promise.all([read('oldBase'), read('newBase')]);
  const difference = compareLayouts(destinations, before, after);
  if (difference !== undefined) refuse(difference);
}
