import { fail } from '../domain/failure.ts';
import { openGitContext, type GitContextOptions } from './git.ts';
import { joinSecret } from './location-secret.ts';
import { parseSourceLocation, type SourceLocation } from './location.ts';
import type { Context, ContextWish } from './ports.ts';
import { openTarballContext } from './tarball.ts';
import { openUploadContext, type UploadedContexts } from './upload.ts';

export interface OpenContextOptions extends GitContextOptions {
  readonly uploads: UploadedContexts;
  /** A token kept apart from the location (`splitToken`); it takes the place of one in the URL. */
  readonly token?: string;
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
      return await openGitContext(location, options);
    case 'tarball':
      return await openTarballContext(location, options);
  }
}

/** Makes the function that opens the context of a stored location; see {@link openContext}. */
export function createContextOpener(
  options: Omit<OpenContextOptions, 'token' | 'dockerfile' | 'signal'>,
): (masked: string, wish: ContextWish) => Promise<Context> {
  return (masked, { secret, dockerfile, signal }) => {
    const { location, token } = joinSecret(masked, secret);
    return openContext(location, {
      ...options,
      signal,
      ...(dockerfile !== undefined && { dockerfile }),
      ...(token !== undefined && { token }),
    });
  };
}

function withToken(location: SourceLocation, token: string | undefined): SourceLocation {
  if (token === undefined || location.kind === 'upload') return location;
  if (location.url.startsWith('http://')) {
    throw fail('invalid-request', 'a token is never sent over http; use https', { field: 'sourceLocation' });
  }
  return { ...location, token };
}
