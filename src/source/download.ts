import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fail, FailureError } from '../domain/failure.ts';
import { patientTries, pauseMs, sleepFor, type RetryOptions } from '../registry-client/retry.ts';
import { inspectArchive, type Inspection } from './inspect.ts';
import type { ContextLimits } from './ports.ts';

/** Within what a download keeps. */
export interface DownloadOptions {
  readonly limits: ContextLimits;
  readonly signal?: AbortSignal;
  /** How it waits between tries; as a registry's client does when left out. */
  readonly waiting?: Pick<RetryOptions, 'random' | 'sleep'>;
}

/** An archive that lies on disk, checked. */
export interface Download {
  readonly inspection: Inspection;
  /** Of its bytes, `sha256:…`. */
  readonly digest: string;
}

/** Tries of a download from elsewhere; refusals (4xx) are final (acr-tasks.md §1.6). */
const usualTries = 3;

/** A status that says no once and for all. */
export class FinalAnswer extends FailureError {}

/** How the tries of one download go. */
type Tries = DownloadOptions & { /** The source is our own registry. */ readonly isOwn?: boolean };

/**
 * Does the work of a download, again after growing pauses where its source broke off or had trouble of its own, all within the time of the
 * limits. Our own registry is waited for as long as it may take to start again.
 * @throws `timed-out`, what `work` rejects with; the signal's reason when it aborts.
 */
export async function withRetries<T>(options: Tries, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { limits, signal: outer, waiting } = options;
  const most = options.isOwn === true ? patientTries : usualTries;
  const timer = AbortSignal.timeout(limits.timeoutMs);
  const signal = outer === undefined ? timer : AbortSignal.any([timer, outer]);
  for (let tries = 1; ; tries += 1) {
    try {
      return await work(signal);
    } catch (error) {
      if (!signal.aborted) await waitFor({ tries, most, error, signal, waiting });
      outer?.throwIfAborted();
      if (timer.aborted) {
        throw fail('timed-out', `the download took longer than ${String(limits.timeoutMs)} ms`, { cause: error });
      }
    }
  }
}

interface Failed {
  /** How many there were. */
  readonly tries: number;
  readonly most: number;
  readonly error: unknown;
  readonly signal: AbortSignal;
  readonly waiting: DownloadOptions['waiting'];
}

/** Waits before another try; ends early when the signal aborts. Rejects with the error when there is to be none. */
async function waitFor({ tries, most, error, signal, waiting = {} }: Failed): Promise<void> {
  if (tries === most || !isWorthRetrying(error)) throw error;
  const { random = Math.random, sleep = sleepFor } = waiting;
  await sleep(pauseMs(tries, random()), signal).catch((reason: unknown) => {
    if (!signal.aborted) throw reason;
  });
}

function isWorthRetrying(error: unknown): boolean {
  return (
    error instanceof FailureError && error.failure.reason === 'source-unavailable' && !(error instanceof FinalAnswer)
  );
}

/**
 * Writes an archive to a file, and checks it on the way.
 * @throws what {@link inspectArchive} rejects with, and the body's own error.
 */
export async function storeArchive(body: Readable, file: string, options: DownloadOptions): Promise<Download> {
  const inspected = new PassThrough();
  const hash = createHash('sha256');
  const inspecting = inspectArchive(inspected, options.limits, options.signal);
  // Told at once when it refuses: the rest need not be downloaded.
  inspecting.catch((error: unknown) => body.destroy(error instanceof Error ? error : undefined));
  const storing = pipeline(
    body,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        if (!inspected.write(chunk)) await drained(inspected);
        yield chunk;
      }
      inspected.end();
    },
    createWriteStream(file),
  );
  const [stored, checked] = await Promise.allSettled([
    storing.catch((error: unknown) => {
      inspected.destroy(error instanceof Error ? error : undefined);
      throw error;
    }),
    inspecting,
  ]);
  if (stored.status === 'rejected') throw stored.reason;
  if (checked.status === 'rejected') throw checked.reason;
  return { inspection: checked.value, digest: `sha256:${hash.digest('hex')}` };
}

/** Resolves when more may be written, or nothing will be read any more. */
async function drained(stream: PassThrough): Promise<void> {
  if (stream.destroyed) return;
  await new Promise<void>((resolve) => {
    stream.once('drain', resolve);
    stream.once('close', resolve);
  });
}

/** @throws `invalid-request` with field `dockerFilePath` when what was read (`archive`, `artifact`) has no such file. */
export function assertDockerfile(inspection: Inspection, dockerfile: string | undefined, what: string): void {
  if (dockerfile === undefined || inspection.hasFile(dockerfile)) return;
  throw fail('invalid-request', `there is no file ${JSON.stringify(dockerfile)} in the ${what}`, {
    field: 'dockerFilePath',
  });
}
