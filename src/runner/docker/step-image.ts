import { fail } from '../../domain/failure.ts';
import { formatImageReference, parseImageReference, type ImageReference } from '../../domain/image-reference.ts';
import type { CmdStep } from '../../domain/step.ts';
import type { StepIo } from '../../engine/ports.ts';
import { encodeHeader } from './auth-header.ts';
import { isAborted, pause } from './canceled.ts';
import { EngineRefusal, isMissing } from './errors.ts';
import { errorOf, objectField, readMessages, textField } from './json-lines.ts';
import { waitForOurs } from './passing.ts';
import { oneLine } from './progress-words.ts';
import type { RunScope } from './scope.ts';
import { findCredential } from './session-services.ts';
import { createTransfers } from './transfers.ts';

/** An image that is on the engine. */
export interface StepImage {
  /** `sha256:…`, by which a container is made: what a tag means may change meanwhile. */
  readonly id: string;
  readonly entryPoint: readonly string[];
  readonly command: readonly string[];
  /** `80/tcp` */
  readonly exposed: readonly string[];
}

/** A step that needs an image. */
export interface ImageWish {
  readonly scope: RunScope;
  readonly step: CmdStep;
  readonly io: StepIo;
  readonly signal: AbortSignal;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((word): word is string => typeof word === 'string') : [];
}

interface Found extends StepImage {
  readonly digests: readonly string[];
}

async function inspect({ scope }: ImageWish, reference: string): Promise<Found | undefined> {
  try {
    const answer = await scope.engine.json({ method: 'GET', path: `/images/${reference}/json` });
    const config = objectField(answer, 'Config');
    return {
      id: textField(answer, 'Id') ?? reference,
      entryPoint: texts(objectField(config, 'Entrypoint')),
      command: texts(objectField(config, 'Cmd')),
      exposed: Object.keys(objectField(config, 'ExposedPorts') ?? {}),
      digests: texts(objectField(answer, 'RepoDigests')),
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The real name of a step's image, with the tag that the engine would take. */
function referenceOf({ scope, step }: ImageWish): ImageReference {
  const { images } = scope.settings;
  const mapped = step.agentImage !== undefined && images && Object.hasOwn(images, step.agentImage);
  const image = parseImageReference(mapped ? (images[step.agentImage] ?? step.image) : step.image);
  if (image.tag !== undefined || image.digest !== undefined) return image;
  return parseImageReference(`${formatImageReference(image)}:latest`);
}

/** One try to pull; resolves with what is wrong, in the engine's words. */
async function tryPull({ scope, step, io, signal }: ImageWish, image: ImageReference): Promise<string | undefined> {
  const { tag, digest, ...name } = image;
  const known = findCredential(scope.setup.registryCredentials, image.registry ?? 'docker.io');
  const auth = known ? { username: known.userName, password: known.password } : {};
  const takeTransfer = createTransfers((line) => io.output('system', line), scope.now);
  let fault: string | undefined;
  try {
    const answer = await scope.engine.stream({
      method: 'POST',
      path: '/images/create',
      query: {
        fromImage: formatImageReference(name),
        tag: digest ?? tag,
        platform: step.options.findLast((option) => option.name === 'platform')?.value,
      },
      headers: { 'X-Registry-Auth': encodeHeader(auth) },
      signal,
      deadlineMs: 120_000,
    });
    await readMessages(answer, (message) => {
      fault ??= errorOf(message)?.message;
      takeTransfer(message);
    });
    return fault;
  } catch (error) {
    if (signal.aborted) return 'stopped';
    if (error instanceof EngineRefusal) return error.message;
    throw error;
  }
}

/** Milliseconds before a pull is tried again after so many tries, as the step asks for it or our registry needs it; undefined: it is not. */
function waitBefore({ scope, step }: ImageWish, { registry }: ImageReference, fault: string, tries: number) {
  if (tries <= step.pullRetries) return step.pullRetryDelaySeconds * 1000;
  return waitForOurs({ registry, ours: scope.settings.registryHost }, fault, tries);
}

async function pull(wish: ImageWish, image: ImageReference): Promise<void> {
  const { io, signal } = wish;
  const reference = formatImageReference(image);
  io.output('system', `pulling ${reference}`);
  for (let tries = 1; ; tries += 1) {
    const fault = await tryPull(wish, image);
    if (fault === undefined || signal.aborted) return;
    const wait = waitBefore(wish, image, fault, tries);
    if (wait === undefined) throw fail('unsupported', `the image ${reference} could not be pulled: ${oneLine(fault)}`);
    io.output('system', `${oneLine(fault)}; trying again in ${wait / 1000} s`);
    await pause(wait, signal);
    if (isAborted(signal)) return;
  }
}

/** The digest of the repository that was asked for; without one (an image that was built here) the image's id. */
function describe(found: Found, image: ImageReference): string {
  const digests = found.digests.map((digest) => digest.split('@'));
  const own = digests.find(([name]) => name === image.repository || name?.endsWith(`/${image.repository}`));
  return own?.[1] === undefined ? `id ${found.id}` : `digest ${own[1]}`;
}

/**
 * Makes sure that the engine has a step's image, pulls it where it is missing or the step wants it anew, and notes its digest in the log.
 * Undefined when the signal has aborted meanwhile.
 * @throws `unsupported` when the image cannot be had, `invalid-request` when its name is none.
 */
export async function findStepImage(wish: ImageWish): Promise<StepImage | undefined> {
  const image = referenceOf(wish);
  const reference = formatImageReference(image);
  let found = wish.step.pull ? undefined : await inspect(wish, reference);
  if (!found) {
    await pull(wish, image);
    if (wish.signal.aborted) return undefined;
    found = await inspect(wish, reference);
  }
  if (!found) throw fail('unsupported', `the image ${reference} is not on the engine after it was pulled`);
  wish.io.output('system', `image ${reference}: ${describe(found, image)}`);
  return found;
}
