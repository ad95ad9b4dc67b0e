import { isDigest, type Digest } from '../../domain/digest.ts';
import { FailureError } from '../../domain/failure.ts';
import {
  formatImageIdentity,
  formatImageReference,
  identifyImage,
  parseImageReference,
  type ImageReference,
  type Tag,
} from '../../domain/image-reference.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { RegistryCredential } from '../../domain/run-request.ts';
import type { StepIo } from '../../engine/ports.ts';
import { encodeHeader } from './auth-header.ts';
import { canceledBy, pause } from './canceled.ts';
import { EngineRefusal } from './errors.ts';
import { errorOf, readMessages, textField } from './json-lines.ts';
import { isDenial, isPassing } from './passing.ts';
import { oneLine } from './progress-words.ts';
import type { RebasedImage } from './rebased-image.ts';
import { RegistryRefusal } from '../../registry-client/refusal.ts';
import type { EngineCalls } from './request.ts';
import { findCredential } from './session-services.ts';
import { createTransfers } from './transfers.ts';

/** Images to be pushed. */
export interface PushJob {
  readonly engine: EngineCalls;
  /** Full references, each with its registry. */
  readonly images: readonly string[];
  readonly credentials: Readonly<Record<string, RegistryCredential>>;
  readonly io: StepIo;
  readonly signal: AbortSignal;
  /** Milliseconds, for the pace of progress lines. */
  readonly now: () => number;
  /** Milliseconds to wait before each further try at a registry; as many tries as there are waits, and one. */
  readonly backoffMs: (registry: string) => readonly number[];
  /** Images that are in the registry already, by their names with registry and tag: only their tags are to move. */
  readonly rebased?: ReadonlyMap<string, RebasedImage>;
}

/** What one try to push an image came to. */
type Try =
  | { readonly kind: 'pushed'; readonly digest: Digest }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'stopped' };

function authHeader({ credentials }: PushJob, host: string): string {
  const known = findCredential(credentials, host);
  const config = known ? { username: known.userName, password: known.password, serveraddress: host } : {};
  return encodeHeader(config);
}

/** Where an image goes, with what the engine fills in: Docker Hub, and the tag `latest` (without which it would push all tags). */
function destinationOf(image: ImageReference): ImageReference & { readonly registry: string; readonly tag: Tag } {
  return { ...image, registry: image.registry ?? 'docker.io', tag: image.tag ?? ('latest' as Tag) };
}

async function tryPush(job: PushJob, image: ReturnType<typeof destinationOf>): Promise<Try> {
  const { digest: _, tag, ...name } = image;
  let digest: string | undefined;
  let fault: string | undefined;
  const takeTransfer = createTransfers((line) => job.io.output('system', line), job.now);
  try {
    const answer = await job.engine.stream({
      method: 'POST',
      path: `/images/${formatImageReference(name)}/push`,
      query: { tag },
      headers: { 'X-Registry-Auth': authHeader(job, image.registry) },
      signal: job.signal,
    });
    await readMessages(answer, (message) => {
      fault ??= errorOf(message)?.message;
      digest = textField(message['aux'], 'Digest') ?? digest;
      takeTransfer(message);
    });
  } catch (error) {
    if (job.signal.aborted) return { kind: 'stopped' };
    if (!(error instanceof EngineRefusal)) throw error;
    fault = error.message;
  }
  if (fault === undefined && digest !== undefined && isDigest(digest)) return { kind: 'pushed', digest };
  return { kind: 'refused', message: fault ?? 'the registry did not say which digest it has stored' };
}

/** Makes a tag stand for an image that is in its registry already. */
async function tryMoveTag(
  job: PushJob,
  { repository, tag }: ReturnType<typeof destinationOf>,
  image: RebasedImage,
): Promise<Try> {
  try {
    return { kind: 'pushed', digest: await image.moveTag({ repository, tag }, job.signal) };
  } catch (error) {
    if (job.signal.aborted) return { kind: 'stopped' };
    if (!(error instanceof RegistryRefusal)) throw error;
    return { kind: 'refused', message: error.message };
  }
}

function describeRefusal(reference: string, message: string): Outcome & { readonly kind: 'failed' } {
  if (/does not exist locally|no such image/i.test(message)) {
    return { kind: 'failed', message: `there is no image ${reference} to push: no step has built it` };
  }
  const why = isDenial(message) ? `the registry does not allow it (${oneLine(message)})` : oneLine(message);
  return { kind: 'failed', message: `${reference} could not be pushed: ${why}` };
}

async function pushImage(job: PushJob, text: string): Promise<Outcome> {
  const image = destinationOf(parseImageReference(text));
  const reference = formatImageReference(image);
  const rebased = job.rebased?.get(formatImageIdentity(identifyImage(image)));
  job.io.output('system', `pushing ${reference}`);
  const waits = job.backoffMs(image.registry);
  for (let tries = 0; ; tries += 1) {
    const result = await (rebased ? tryMoveTag(job, image, rebased) : tryPush(job, image));
    if (job.signal.aborted || result.kind === 'stopped') return canceledBy(job.signal);
    if (result.kind === 'pushed') {
      const { registry, repository, tag } = image;
      job.io.output('system', `${reference}: digest ${result.digest}`);
      job.io.pushed({ registry, repository, tag, digest: result.digest });
      return { kind: 'succeeded' };
    }
    const wait = waits[tries];
    if (wait === undefined || !isPassing(result.message)) return describeRefusal(reference, result.message);
    job.io.output('system', `${oneLine(result.message)}; trying again in ${wait / 1000} s`);
    await pause(wait, job.signal);
  }
}

/**
 * Pushes images one after the other (their layers are mostly the same), telling `io.pushed` of each. Resolves with what it came to;
 * rejects when the engine went away.
 */
export async function runPush(job: PushJob): Promise<Outcome> {
  try {
    for (const image of job.images) {
      if (job.signal.aborted) return canceledBy(job.signal);
      const outcome = await pushImage(job, image);
      if (outcome.kind !== 'succeeded') return outcome;
    }
    return { kind: 'succeeded' };
  } catch (error) {
    if (error instanceof FailureError && error.failure.reason === 'invalid-request') {
      return { kind: 'failed', message: error.failure.message };
    }
    throw error;
  }
}
