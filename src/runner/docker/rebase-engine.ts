import { identifyImage, parseImageReference } from '../../domain/image-reference.ts';
import type { Digest } from '../../domain/digest.ts';
import { refuse } from '../../rebase/refusal.ts';
import type { StepBuild } from './build-job.ts';
import { findImageIds, removeDangling } from './images.ts';
import { nameOnEngine, pull } from './local-bases.ts';

/**
 * Brings an image that was made in our registry to the engine, under all names of the step: for the steps that come after it. Resolves with
 * its id there. Rejects with a Refusal when it cannot be pulled.
 */
export async function bringToEngine(build: StepBuild, repository: string, digest: Digest): Promise<string | undefined> {
  const { scope, step, registryHost } = build;
  const { engine } = scope;
  const before = await findImageIds(engine, step.tags).catch(() => new Set<string>());
  const fault = await pull(build, { registry: registryHost, repository, digest }, undefined);
  if (fault !== undefined) refuse(`the engine could not pull it for the steps that come after it: ${fault}`);
  for (const name of step.tags) {
    const image = identifyImage(parseImageReference(name));
    const repo = nameOnEngine({ registry: image.registry, repository: image.repository });
    const path = `/images/${registryHost}/${repository}@${digest}/tag`;
    await engine.json({ method: 'POST', path, query: { repo, tag: image.tag } });
  }
  const [id] = await findImageIds(engine, [`${registryHost}/${repository}@${digest}`]);
  const left = [...before].filter((one) => one !== id);
  void scope.inBackground('removing images that have no name', () => removeDangling(engine, left));
  return id;
}
