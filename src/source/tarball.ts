import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { fail } from '../domain/failure.ts';
import type { Egress, EgressResponse } from '../egress/ports.ts';
import {
  assertDockerfile,
  FinalAnswer,
  storeArchive,
  withRetries,
  type Download,
  type DownloadOptions,
} from './download.ts';
import { maskLocation } from './location-secret.ts';
import { contextOfFile } from './file-context.ts';
import type { TarballLocation } from './location.ts';
import type { Context } from './ports.ts';

export interface TarballContextOptions extends DownloadOptions {
  readonly egress: Egress;
  /** An existing directory for the download; one directory in it is made and removed by `dispose`. */
  readonly tempRoot: string;
  readonly dockerfile?: string;
}

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
    const { inspection, digest } = await withRetries(options, (signal) =>
      downloadOnce(location, file, { ...options, signal }),
    );
    assertDockerfile(inspection, options.dockerfile, 'archive');
    return contextOfFile(file, { description: maskLocation(location.url), digest, revision: digest, dispose });
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function downloadOnce(
  location: TarballLocation,
  file: string,
  options: TarballContextOptions & { readonly signal: AbortSignal },
): Promise<Download> {
  const { limits, signal } = options;
  const response = await options.egress.fetch(location.url, {
    headers: headersFor(location),
    maxBytes: limits.maxBytes,
    timeoutMs: limits.timeoutMs,
    signal,
  });
  assertArchiveAnswer(response, location);
  return await storeArchive(response.body, file, options);
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
