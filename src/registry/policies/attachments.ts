import { isDigest, type Digest } from '../../domain/digest.ts';

/** Tags that say by their name what they are about: cosign's `sha256-<hex>.sig`, and `sha256-<hex>` of clients without the referrers API. */
const attachmentTag = /^(sha256|sha512)-([0-9a-f]{64,128})(?:\.[a-z0-9]{1,16})?$/;

/** The manifest that such a tag is about; undefined for any other tag. */
export function subjectOfTag(tag: string): Digest | undefined {
  const [, algorithm, hex] = attachmentTag.exec(tag) ?? [];
  const digest = `${algorithm ?? ''}:${hex ?? ''}`;
  return isDigest(digest) ? digest : undefined;
}
