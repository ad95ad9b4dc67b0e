import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fail, FailureError } from '../domain/failure.ts';
import type { Egress, EgressResponse } from '../egress/ports.ts';
import { inspectArchive, type Inspection } from './inspect.ts';
import { readArchiveFile } from './archive-file.ts';
import { maskLocation } from './location-secret.ts';
import { openFiltered } from './filter-archive.ts';
import type { TarballLocation } from './location.ts';
import type { Context, ContextLimits } from './ports.ts';

export interface TarballContextOptions {
  readonly egress: Egress;
  /** An existing directory for the download; one directory in it is made and removed by `dispose`. */
  readonly tempRoot: string;
  readonly limits: ContextLimits;
  readonly dockerfile?: string;
  readonly signal?: AbortSignal;
}

/** Tries of a download; refusals (4xx) are final (acr-tasks.md §1.6). */
const maxTries = 3;

/**
 * Downloads an archive and checks it whole before anything reads it.
 * @throws `source-unavailable`, `invalid-context`, `too-large`, `timed-out`, `invalid-request` (host, Dockerfile); the
 * signal's reason when it aborts. Whatever it throws, nothing stays on the disk.
 */
export async function openTarballContext(location: TarballLocation, options: TarballContextOptions): Promise<Context> {
  const directory = await mkdtemp(path.join(options.tempRoot, 'tarball-'));
  const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 5 });
  const file = path.join(directory, 'context');
  try {
    const inspection = await download(location, file, options);
    assertDockerfile(inspection, options.dockerfile);
    const open = async (): Promise<Readable> => createReadStream(file);
    return {
      description: maskLocation(location.url),
      open,
      openForBuild: (dockerfile) => openFiltered(open, dockerfile),
      readFile: (name, maxBytes) => readArchiveFile(createReadStream(file), name, maxBytes),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function download(location: TarballLocation, file: string, options: TarballContextOptions): Promise<Inspection> {
  const { limits } = options;
  const timer = AbortSignal.timeout(limits.timeoutMs);
  const signal = options.signal === undefined ? timer : AbortSignal.any([timer, options.signal]);
  for (let tries = 1; ; tries += 1) {
    try {
      return await downloadOnce(location, file, { ...options, signal });
    } catch (error) {
      options.signal?.throwIfAborted();
      if (timer.aborted) {
        throw fail('timed-out', `the download took longer than ${String(limits.timeoutMs)} ms`, { cause: error });
      }
      if (tries === maxTries || !isWorthRetrying(error)) throw error;
    }
  }
}

/** A status that says no once and for all. */
class FinalAnswer extends FailureError {}

function isWorthRetrying(error: unknown): boolean {
  return (
    error instanceof FailureError && error.failure.reason === 'source-unavailable' && !(error instanceof FinalAnswer)
  );
}

async function downloadOnce(
  location: TarballLocation,
  file: string,
  options: TarballContextOptions & { readonly signal: AbortSignal },
): Promise<Inspection> {
  const { limits, signal } = options;
  const response = await options.egress.fetch(location.url, {
    headers: headersFor(location),
    maxBytes: limits.maxBytes,
    timeoutMs: limits.timeoutMs,
    signal,
  });
  assertArchiveAnswer(response, location);
  return await storeAndInspect(response.body, file, options);
}

async function storeAndInspect(body: Readable, file: string, options: TarballContextOptions): Promise<Inspection> {
  const inspected = new PassThrough();
  const inspecting = inspectArchive(inspected, options.limits, options.signal);
  // Told at once when it refuses: the rest need not be downloaded.
  inspecting.catch((error: unknown) => body.destroy(error instanceof Error ? error : undefined));
  const storing = pipeline(
    body,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
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
  return checked.value;
}

/** Resolves when more may be written, or nothing will be read any more. */
async function drained(stream: PassThrough): Promise<void> {
  if (stream.destroyed) return;
  await new Promise<void>((resolve) => {
    stream.once('drain', resolve);
    stream.once('close', resolve);
  });
}

function headersFor({ user, token }: TarballLocation): Record<string, string> {
  if (token === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${user ?? 'x-access-token'}:${token}`).toString('base64')}` };
}

function assertArchiveAnswer({ status, body }: EgressResponse, location: TarballLocation): void {
  if (status === 200) return;
  body.destroy();
  const message = `${maskLocation(location.url)} answered with status ${String(status)}`;
  if (status >= 500) throw fail('source-unavailable', message);
  throw new FinalAnswer({ reason: 'source-unavailable', message });
}

function assertDockerfile(inspection: Inspection, dockerfile: string | undefined): void {
  if (dockerfile === undefined || inspection.hasFile(dockerfile)) return;
  throw fail('invalid-request', `there is no file ${JSON.stringify(dockerfile)} in the archive`, {
    field: 'dockerFilePath',
  });
}
