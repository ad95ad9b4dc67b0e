import { isDigest } from '../../domain/digest.ts';
import { fail, FailureError } from '../../domain/failure.ts';
import { identifyImage, parseImageReference } from '../../domain/image-reference.ts';
import type { Heard, NoticeReader } from './heard.ts';
import { listOf, memberOf, textOf } from './members.ts';

/** Reads `{image, digest?}`, where the image is a name as it stands in a Dockerfile. Undefined when there is no image. */
export function readGeneric(entry: unknown): Heard | undefined {
  const name = textOf(entry, 'image');
  if (name === undefined) return undefined;
  const digest = textOf(entry, 'digest');
  try {
    if (digest !== undefined && !isDigest(digest)) throw fail('invalid-request', 'digest is no digest');
    const image = identifyImage(parseImageReference(name));
    if (image.tag === undefined) return { subject: name, because: 'it has no tag, and what has none never changes' };
    return { image: { ...image, ...(digest !== undefined && { digest }) } };
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return { subject: name.slice(0, 200), because: error.failure.message };
  }
}

/** The documented notice of anything else: `{"image": "ghcr.io/o/base:1", "digest"?: "sha256:…"}`, or many of these as `images`. */
export const generic: NoticeReader = {
  name: 'generic',
  recognises: ({ body }) => textOf(body, 'image') !== undefined || Array.isArray(memberOf(body, 'images')),
  read: ({ body }) => {
    const entries = memberOf(body, 'images') === undefined ? [body] : listOf(body, 'images');
    return entries.map((entry) => {
      const heard = readGeneric(typeof entry === 'string' ? { image: entry } : entry);
      if (heard !== undefined) return heard;
      throw fail('invalid-request', 'image is missing: the name of the image that has changed', { field: 'image' });
    });
  },
};
