import { fail } from '../../domain/failure.ts';
import type { RegistryDocument } from '../documents.ts';
import { readParts } from './parts.ts';
import { choosePlatforms } from './platforms.ts';
import type { CopyEnd, CopyOptions, CopyResult } from './ports.ts';
import { copyReferrers } from './referrers.ts';
import { Copy } from './tree.ts';

async function choose(copy: Copy, document: RegistryDocument, { reference, platforms }: CopyOptions) {
  if (platforms === undefined || platforms.length === 0) return document;
  const what = copy.nameOf(reference);
  const image = { document, parts: readParts(document, what) };
  return choosePlatforms(copy.from, image, { platforms, what });
}

async function run(copy: Copy, options: CopyOptions): Promise<CopyResult> {
  const { reference, tag, referrers: withReferrers = false } = options;
  const source = await copy.read(reference);
  if (source === undefined) throw fail('not-found', `there is no ${copy.nameOf(reference)}`);
  const image = await choose(copy, source, options);
  await copy.copyParts(image);
  if (withReferrers || tag === undefined) await copy.write(image.digest, image);
  // The tag comes last: whoever pulls it finds the signatures that he may ask for.
  const referrers = withReferrers ? await copyReferrers(copy, [...copy.written]) : 0;
  if (tag !== undefined) await copy.write(tag, image);
  const { digest, mediaType } = image;
  return { ...copy.tally.now(), digest, mediaType, sourceDigest: source.digest, referrers };
}

/**
 * Copies an image or another artifact, by tag or digest, with all that it names: blobs first, children before their index, the tag last. What is
 * there is not sent again, so that a copy that broke off is gone on with by asking for it once more. Every digest is checked.
 * @throws `not-found` (reference, platform, something that is named), `too-large` (limits), `unsupported` and `invalid-request` (manifests that
 * cannot be copied), `source-unavailable` (bytes other than their digest says), what the ends reject with; the signal's reason. Nothing goes
 * on then, and no tag has moved.
 */
export async function copyImage(from: CopyEnd, to: CopyEnd, options: CopyOptions): Promise<CopyResult> {
  const stop = new AbortController();
  try {
    return await run(new Copy(from, to, { ...options, stop }), options);
  } catch (error) {
    stop.abort(error);
    options.signal?.throwIfAborted();
    // What failed first, and not what was stopped because of it.
    throw stop.signal.reason;
  }
}
