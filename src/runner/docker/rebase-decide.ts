import type { Digest } from '../../domain/digest.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import type { Descriptor, ImageDocuments } from '../../rebase/documents.ts';
import { judge, type Verdict } from '../../rebase/judge.ts';
import { compareLayouts, compareOwn, needsOwn, type Layout } from '../../rebase/layout.ts';
import { refuse } from '../../rebase/refusal.ts';
import { readOptionsOf } from './build-bases.ts';
import type { Job, Known } from './rebase-job.ts';
import { readImage } from './rebase-images.ts';
import { findDoubts } from './rebase-known.ts';

/** An image that may be rebased, and how. */
export type Safe = Extract<Verdict, { kind: 'safe' }>;

/** What the registry says of the things as they are now. */
export interface State {
  readonly newDigest: Digest;
  readonly doubts: ReadonlyMap<string, string>;
}

/** Asks the registry what stands for the base now, and whether all that is read is still there. Rejects with a Refusal. */
export async function askState({ build, dependencies, client, made, base }: Known): Promise<State> {
  const { repository, tag = 'latest' } = base.image;
  const [newDigest, found, doubts] = await Promise.all([
    client.resolve(repository, tag),
    client.resolve(made.repository, made.digest),
    findDoubts(build, client, dependencies, made),
  ]);
  if (newDigest === undefined) refuse('its base is not in the registry any more');
  if (newDigest === made.base.digest) refuse('its base has not changed');
  // Its documents may be known from before; nothing else asks for its layers.
  if (found === undefined) refuse('the image is not in the registry any more');
  return { newDigest, doubts };
}

/** The digest that the base has by what the run was started for; undefined: it does not say. */
export function expectedDigest({ build, made, base }: Known): Digest | undefined {
  const name = formatImageIdentity(base.image);
  const { images = [] } = build.scope.setup.baseUpdate ?? {};
  const found = images.find(({ digest: _, ...image }) => formatImageIdentity(image) === name)?.digest;
  return found === made.base.digest ? undefined : found;
}

/** Reads the documents of both bases and of the image, at the same time. Rejects with a Refusal. */
export async function readDocuments({ build, client, means, made, base, newDigest }: Job) {
  const { platform } = readOptionsOf(build);
  const { repository } = base.image;
  const of = (repository: string, digest: Digest, what: string): Promise<ImageDocuments> =>
    readImage(client, { repository, digest, what, platform }, means.documents);
  const [newBase, oldBase, image] = await Promise.all([
    of(repository, newDigest, 'the new base'),
    of(repository, made.base.digest, 'the old base'),
    of(made.repository, made.digest, 'the image'),
  ]);
  return { newBase, oldBase, image };
}

type Documents = Awaited<ReturnType<typeof readDocuments>>;

/** Judges by the documents of bases and image. @throws Refusal */
export function decide(
  job: Job,
  { oldBase, newBase, image }: Documents,
  { doubts, labels }: Pick<State, 'doubts'> & { readonly labels: Readonly<Record<string, string>> },
): Safe {
  const options = readOptionsOf(job.build);
  const verdict = judge({
    ...{ oldBase, newBase, image, givenLabels: Object.keys(labels) },
    recipe: { ...options, text: job.source.text },
    dependencies: job.dependencies,
    doubtOf: (one) => doubts.get(formatImageIdentity(one)),
  });
  return verdict.kind === 'safe' ? verdict : refuse(verdict.because);
}

/** Compares the bases where the Dockerfile writes, and with what it has written where need be. Rejects with a Refusal where they differ. */
export async function checkLayouts({ client, means, base, made }: Job, safe: Safe): Promise<void> {
  const { rebase, destinations } = safe;
  if (destinations.length === 0) return;
  const { oldBase, newBase, image } = rebase;
  const read = async (repository: string, layers: readonly Descriptor[]): Promise<Layout> =>
    Promise.all(layers.map((layer) => means.layers.of({ client, repository, layer })));
  const { repository } = base.image;
  const [before, after] = await Promise.all([read(repository, oldBase.layers), read(repository, newBase.layers)]);
  const difference = compareLayouts(destinations, before, after);
  if (difference !== undefined) refuse(difference);
  if (!needsOwn(destinations, before, after)) return;
  const own = await read(made.repository, image.layers.slice(oldBase.layers.length));
  const doubt = compareOwn(destinations, { before, after, own });
  if (doubt !== undefined) refuse(doubt);
}
