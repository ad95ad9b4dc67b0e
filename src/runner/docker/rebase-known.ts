import type { ImageDependencies, ImageIdentity } from '../../domain/dependencies.ts';
import type { Digest } from '../../domain/digest.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import type { BaseUpdateSetup } from '../../engine/ports.ts';
import type { FileDependencies } from '../../dockerfile/dependencies.ts';
import { refuse } from '../../rebase/refusal.ts';
import { secretArguments, type StepBuild } from './build-job.ts';
import type { ContextState } from './build-source.ts';
import { askRegistry, isMadeHere } from './local-bases.ts';
import type { PushedName } from './rebase-plan.ts';
import { withoutDigest } from './rebase-images.ts';
import type { RegistryClient } from '../../registry-client/client.ts';

/** An image that was made of the same recipe, as it was recorded then. */
export interface MadeImage {
  readonly repository: string;
  readonly digest: Digest;
  readonly base: ImageIdentity & { readonly digest: Digest };
  readonly record: ImageDependencies;
}

/** A revision for people. */
function short(revision: string): string {
  return revision.replace(/^(?:sha256:)?([0-9a-f]{12})[0-9a-f]*/, '$1');
}

function nameOf(image: ImageIdentity): string {
  return formatImageIdentity(withoutDigest(image));
}

/** Finds what was made of this recipe before. @throws Refusal when there is nothing, or not enough is known of it. */
export function findMade(
  { made }: BaseUpdateSetup,
  names: readonly PushedName[],
  { registryHost, recipe }: { readonly registryHost: string; readonly recipe: string },
): MadeImage {
  const repositories = new Set(names.map(({ repository }) => repository));
  const ours = made.filter(({ image }) => image?.registry === registryHost && repositories.has(image.repository));
  if (ours.length === 0) refuse('no earlier run is known to have made it');
  if (ours.every((one) => one.recipe === undefined)) refuse('it is not known of what Dockerfile the image was made');
  const record = ours.find((one) => one.recipe === recipe && one.image?.digest !== undefined);
  if (!record?.image?.digest) return refuse('the Dockerfile, or how it is built, has changed since the image was made');
  const { image, runtime } = record;
  if (runtime === undefined) return refuse('it begins with scratch');
  const { digest } = runtime;
  if (digest === undefined) return refuse('it is not known on which digest of its base the image was built');
  return { repository: image.repository, digest: record.image.digest, base: { ...runtime, digest }, record };
}

/** What `auto` asks: a rebuild would read the same files. */
function checkSameFiles({ before, now }: Revisions, build: StepBuild): void {
  if (now === undefined) refuse('its context has no commit or digest to tell whether its files are the same');
  if (before === undefined) refuse('it is not known of which state of its context the image was made');
  if (before !== now) refuse(`its context has moved on from ${short(before)} to ${short(now)}`);
  if (secretArguments(build.step).size > 0) refuse('it has secret arguments, whose values may have changed');
}

interface Revisions {
  readonly before: string | undefined;
  readonly now: string | undefined;
}

/** What is told of both; records of before revisions were kept have commits alone. */
function revisionsOf(record: ImageDependencies, now: ContextState): Revisions {
  if (record.revision === undefined && record.commit !== undefined) return { before: record.commit, now: now.commit };
  return { before: record.revision, now: now.revision };
}

/**
 * Sees to it that the context is what the image was made of, where a rebuild would read it anew (`auto`). Returns what is to be said where
 * it is not, and need not be (`rebase`). @throws Refusal
 */
export function checkContext({ record }: MadeImage, context: ContextState, build: StepBuild): string | undefined {
  const revisions = revisionsOf(record, context);
  if (build.scope.setup.baseUpdate?.strategy !== 'rebase') checkSameFiles(revisions, build);
  const { before, now } = revisions;
  if (before === undefined || now === undefined || before === now) return undefined;
  const what = record.commit === undefined ? '' : 'commit ';
  return `the image keeps its files of ${what}${short(before)}; its context is at ${short(now)}`;
}

async function doubtOf(
  build: StepBuild,
  client: RegistryClient,
  image: ImageIdentity,
  before: Digest | undefined,
): Promise<string | undefined> {
  if (image.digest !== undefined) return undefined;
  if (isMadeHere(build, image)) return 'which this run makes anew';
  if (before === undefined) return 'whose digest then is not known';
  const isOurs = image.registry === build.registryHost.toLowerCase() && image.tag !== undefined;
  const now = await (isOurs ? client.resolve(image.repository, image.tag) : askRegistry(build, image));
  if (now === undefined) return 'whose registry does not tell whether it has changed';
  return now === before ? undefined : 'which has changed';
}

/** Why images that are read besides the base may not be what they were, by their names; those that surely are have no entry. */
export async function findDoubts(
  build: StepBuild,
  client: RegistryClient,
  { buildTime }: FileDependencies,
  { record }: MadeImage,
): Promise<ReadonlyMap<string, string>> {
  const then = new Map(record.buildTime.map((image) => [nameOf(image), image.digest]));
  const all = buildTime.map(async ({ image }) => {
    const name = formatImageIdentity(image);
    const doubt = await doubtOf(build, client, image, then.get(nameOf(image)));
    return doubt === undefined ? [] : [[name, doubt] as const];
  });
  return new Map((await Promise.all(all)).flat());
}
