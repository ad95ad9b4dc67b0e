import { referenceKeyOf } from '../../domain/base-image.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import { isDigest, type Digest } from '../../domain/digest.ts';
import { FailureError } from '../../domain/failure.ts';
import { formatImageIdentity, identifyImage, parseImageReference } from '../../domain/image-reference.ts';
import { encodeHeader } from './auth-header.ts';
import type { StepBuild } from './build-job.ts';
import { pause } from './canceled.ts';
import { EngineRefusal, isMissing } from './errors.ts';
import { errorOf, objectField, readMessages, textField } from './json-lines.ts';
import { waitForOurs } from './passing.ts';
import { findCredential } from './session-services.ts';

/** What the engine knows of an image that it has. */
export interface LocalImage {
  /** By which its repository knows it; none for one that was never pulled or pushed. */
  readonly digests: readonly Digest[];
  /** The `ONBUILD` triggers of its configuration. */
  readonly triggers: readonly string[];
}

/** A name under which the engine finds an image: Docker Hub's own go without their registry. */
export function nameOnEngine(image: ImageIdentity): string {
  return formatImageIdentity(image).replace(/^docker\.io\/(?:library\/)?/, '');
}

/** True when both are names in one repository. */
export function isSameRepository(a: ImageIdentity, b: ImageIdentity): boolean {
  return a.registry === b.registry && a.repository === b.repository;
}

/** The identity that a name means; undefined when it is none. */
export function identify(name: string): ImageIdentity | undefined {
  try {
    return identifyImage(parseImageReference(name));
  } catch {
    return undefined;
  }
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

function digestsIn(names: readonly string[], image: ImageIdentity): readonly Digest[] {
  const same = names.map(identify).filter((one) => one !== undefined && isSameRepository(one, image));
  return same.flatMap((one) => (one?.digest !== undefined && isDigest(one.digest) ? [one.digest] : []));
}

/** Looks for an image among those of the engine. */
export async function inspectLocal({ scope }: StepBuild, image: ImageIdentity): Promise<LocalImage | undefined> {
  try {
    const answer = await scope.engine.json({ method: 'GET', path: `/images/${nameOnEngine(image)}/json` });
    const digests = digestsIn(texts(objectField(answer, 'RepoDigests')), image);
    return { digests, triggers: texts(objectField(objectField(answer, 'Config'), 'OnBuild')) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function authHeader({ scope }: StepBuild, registry: string): Record<string, string> {
  const known = findCredential(scope.setup.registryCredentials, registry);
  const auth = known ? { username: known.userName, password: known.password, serveraddress: registry } : {};
  return { 'X-Registry-Auth': encodeHeader(auth) };
}

/** Our own registry is asked by ourselves, which takes a tenth of the time. `unknown`: it could not be. */
async function askOurs({ scope, signal, registryHost, rebase }: StepBuild, image: ImageIdentity) {
  const reference = image.tag ?? image.digest;
  if (rebase === undefined || reference === undefined || image.registry !== registryHost.toLowerCase())
    return 'unknown';
  try {
    const client = rebase.connect(scope.setup.registryCredentials, signal);
    return await client.resolve(image.repository, reference);
  } catch {
    return 'unknown';
  }
}

/** What an image's name stands for in its registry; undefined when that cannot be learned. */
export async function askRegistry(build: StepBuild, image: ImageIdentity): Promise<Digest | undefined> {
  const { scope, signal } = build;
  const ours = await askOurs(build, image);
  if (ours !== 'unknown') return ours;
  const headers = authHeader(build, image.registry);
  try {
    const path = `/distribution/${nameOnEngine(image)}/json`;
    const answer = await scope.engine.json({ method: 'GET', path, headers, signal, deadlineMs: 10_000 });
    const digest = textField(objectField(answer, 'Descriptor'), 'digest');
    return digest !== undefined && isDigest(digest) ? digest : undefined;
  } catch {
    return undefined;
  }
}

/** True when the run itself makes an image of that name: the engine's copy is then the one that is meant. */
export function isMadeHere({ scope }: StepBuild, image: ImageIdentity): boolean {
  const name = formatImageIdentity(image);
  return scope.plan.steps.some((step) => {
    if (step.kind === 'cmd') return step.usesEngine && step.cmd.includes(image.repository);
    return step.kind === 'build' && step.tags.map(identify).some((tag) => tag && formatImageIdentity(tag) === name);
  });
}

/** The digest of a base that this run was made for: nothing of it may stand on an older one. */
export function wantedDigest({ scope }: StepBuild, image: ImageIdentity): Digest | undefined {
  if (image.digest !== undefined || image.tag === undefined) return undefined;
  const key = referenceKeyOf(image);
  return scope.setup.baseUpdate?.images.find((one) => referenceKeyOf(one) === key)?.digest;
}

/**
 * True when the engine would take a copy that its registry may have replaced meanwhile: engines do not ask while they have one. We ask our
 * own registry each time, others for what the run was made for.
 */
export function mayBeStale(build: StepBuild, image: ImageIdentity): boolean {
  const { registryHost, step } = build;
  if (image.digest !== undefined || isMadeHere(build, image)) return false;
  if (wantedDigest(build, image) !== undefined) return true;
  return image.registry === registryHost.toLowerCase() && !step.pull;
}

/** Pulls an image, waiting for our own registry while it is away; resolves with what is wrong, in the engine's words. */
export async function pull(
  build: StepBuild,
  image: ImageIdentity,
  platform: string | undefined,
): Promise<string | undefined> {
  const asked = { registry: image.registry, ours: build.registryHost };
  for (let tries = 1; ; tries += 1) {
    const fault = await tryPull(build, image, platform);
    const wait = fault === undefined || build.signal.aborted ? undefined : waitForOurs(asked, fault, tries);
    if (wait === undefined) return fault;
    await pause(wait, build.signal);
  }
}

async function tryPull(
  build: StepBuild,
  image: ImageIdentity,
  platform: string | undefined,
): Promise<string | undefined> {
  const { scope, signal } = build;
  const { registry, repository, tag } = image;
  let fault: string | undefined;
  try {
    const answer = await scope.engine.stream({
      method: 'POST',
      path: '/images/create',
      query: { fromImage: `${registry}/${repository}`, tag: tag ?? image.digest, platform },
      headers: authHeader(build, registry),
      signal,
      deadlineMs: 120_000,
    });
    await readMessages(answer, (message) => {
      fault ??= errorOf(message)?.message;
    });
    return fault;
  } catch (error) {
    if (error instanceof EngineRefusal || error instanceof FailureError) return error.message;
    throw error;
  }
}

/**
 * Brings the engine's copy of an image up to what its registry has: pulls it when the registry names another digest. What the registry does
 * not have, or does not tell, stays as it is.
 * @returns the digest that the copy has in the registry, undefined when that is not known.
 */
export async function refreshLocal(
  build: StepBuild,
  image: ImageIdentity,
  copy: LocalImage,
  platform: string | undefined,
): Promise<Digest | undefined> {
  const digest = await askRegistry(build, image);
  if (digest === undefined || copy.digests.includes(digest)) return digest;
  const name = formatImageIdentity(image);
  build.io.output('system', `base image ${name} has changed in its registry; pulling it anew`);
  const fault = await pull(build, image, platform);
  if (fault === undefined) return digest;
  if (!build.signal.aborted) {
    build.io.output('system', `warning: ${name} could not be pulled, and is used as the engine has it: ${fault}`);
  }
  return undefined;
}
