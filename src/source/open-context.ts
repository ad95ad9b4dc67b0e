import { isDigest } from '../domain/digest.ts';
import { fail } from '../domain/failure.ts';
import type { DownloadOptions } from './download.ts';
import { openGitContext, type GitContextOptions } from './git.ts';
import { joinSecret } from './location-secret.ts';
import { parseSourceLocation, type GitLocation, type SourceLocation } from './location.ts';
import { openOciContext } from './oci.ts';
import type { OciLocation } from './oci-location.ts';
import type { Context, ContextWish, OwnRegistry } from './ports.ts';
import { openTarballContext } from './tarball.ts';
import { openUploadContext, type UploadedContexts } from './upload.ts';

export interface OpenContextOptions extends GitContextOptions {
  readonly uploads: UploadedContexts;
  /** A token kept apart from the location (`splitToken`); it takes the place of one in the URL. */
  readonly token?: string;
  /** See {@link ContextWish.commit}. */
  readonly commit?: string;
  /** Absent: there is none, and a registry is reached like any other host. */
  readonly ownRegistry?: OwnRegistry;
  readonly credentialFor?: NonNullable<ContextWish['credentialFor']>;
  /** See {@link DownloadOptions.waiting}. */
  readonly waiting?: NonNullable<DownloadOptions['waiting']>;
}

/**
 * Opens what a source location stands for. Dispose of the context whatever becomes of the run.
 * @throws `invalid-request`, `source-unavailable`, `invalid-context`, `too-large`, `timed-out`; the signal's reason.
 */
export async function openContext(text: string, options: OpenContextOptions): Promise<Context> {
  const location = withToken(parseSourceLocation(text), options.token);
  switch (location.kind) {
    case 'upload':
      return openUploadContext(location, options.uploads);
    case 'git':
      return await openGitContext(atCommit(location, options.commit), options);
    case 'tarball':
      return await openTarballContext(location, options);
    case 'oci':
      return await openOciContext(atDigest(location, options.commit), options);
  }
}

/** Makes the function that opens the context of a stored location; see {@link openContext}. */
export function createContextOpener(
  options: Omit<OpenContextOptions, 'token' | 'dockerfile' | 'signal' | 'credentialFor'>,
): (masked: string, wish: ContextWish) => Promise<Context> {
  return (masked, { secret, dockerfile, commit, credentialFor, signal }) => {
    const { location, token } = joinSecret(masked, secret);
    return openContext(location, {
      ...options,
      signal,
      ...(dockerfile !== undefined && { dockerfile }),
      ...(token !== undefined && { token }),
      ...(commit !== undefined && { commit }),
      ...(credentialFor !== undefined && { credentialFor }),
    });
  };
}

function atCommit(location: GitLocation, commit: string | undefined): GitLocation {
  return commit === undefined ? location : { ...location, ref: commit };
}

function atDigest(location: OciLocation, digest: string | undefined): OciLocation {
  return digest === undefined || !isDigest(digest) ? location : { ...location, reference: digest };
}

function withToken(location: SourceLocation, token: string | undefined): SourceLocation {
  if (token === undefined || location.kind === 'upload') return location;
  if (location.kind !== 'oci' && location.url.startsWith('http://')) {
    throw fail('invalid-request', 'a token is never sent over http; use https', { field: 'sourceLocation' });
  }
  return { ...location, token };
}
