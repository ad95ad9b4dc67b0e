import type { Digest } from '../../domain/digest.ts';
import type { Exchanged } from '../../rebase/exchange.ts';
import type { Rebase } from '../../rebase/judge.ts';
import { refuse } from '../../rebase/refusal.ts';
import { bringToEngine } from './rebase-engine.ts';
import type { Job } from './rebase-job.ts';

/**
 * Puts all that the new image consists of into the repositories that it is pushed to, but for its manifest. Rejects with a Refusal where a
 * layer cannot be taken over.
 */
export async function putParts(
  { client, names, made, base }: Job,
  { image }: Rebase,
  exchanged: Exchanged,
): Promise<void> {
  const { config, baseLayers, ownLayers } = exchanged;
  const there = new Set(image.layers.map(({ digest }) => digest));
  const placed = [
    ...baseLayers.map(({ digest }) => ({ digest, from: base.image.repository })),
    ...ownLayers.map(({ digest }) => ({ digest, from: made.repository })),
  ];
  const mount = async (repository: string, digest: Digest, from: string): Promise<void> => {
    const isThere = from === repository || (repository === made.repository && there.has(digest));
    if (isThere || (await client.mount(repository, digest, from))) return;
    refuse(`the registry does not take a layer over from ${from}`);
  };
  const repositories = [...new Set(names.map(({ repository }) => repository))];
  await Promise.all(
    repositories.flatMap((repository) => [
      client.putBlob(repository, config),
      ...placed.map(({ digest, from }) => mount(repository, digest, from)),
    ]),
  );
}

/** For the steps that come after: the manifest is put without a tag, and the engine pulls it. Otherwise it comes with its tags. */
export async function showToEngine(
  { build, client, names }: Job,
  { manifest }: Exchanged,
): Promise<string | undefined> {
  const repository = names[0]?.repository ?? '';
  await client.putManifest(repository, manifest.digest, manifest);
  return bringToEngine(build, repository, manifest.digest);
}
