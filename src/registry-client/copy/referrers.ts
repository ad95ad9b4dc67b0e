import type { Digest } from '../../domain/digest.ts';
import type { Copy } from './tree.ts';

/** Under which tags cosign keeps what is about an image where it uses no referrers. */
const suffixes = ['sig', 'att', 'sbom'];

async function copyTagged(copy: Copy, digest: Digest): Promise<readonly Digest[]> {
  const found: Digest[] = [];
  for (const suffix of suffixes) {
    const tag = `${digest.replace(':', '-')}.${suffix}`;
    const document = tag.length > 128 ? undefined : await copy.read(tag);
    if (document === undefined) continue;
    await copy.copyParts(document);
    await copy.write(tag, document);
    found.push(document.digest);
  }
  return found;
}

async function copyListed(copy: Copy, digest: Digest): Promise<readonly Digest[]> {
  const found: Digest[] = [];
  for (const one of await copy.from.listReferrers(digest)) {
    if (copy.written.has(one.digest)) continue;
    const document = await copy.read(one.digest, one.size);
    // A list may name what was deleted meanwhile.
    if (document === undefined) continue;
    await copy.copyTree(document);
    found.push(document.digest);
  }
  return found;
}

/** Copies what is about manifests, and what is about that; resolves with how many manifests that were. */
export async function copyReferrers(copy: Copy, subjects: readonly Digest[]): Promise<number> {
  let count = 0;
  let level = subjects;
  for (let depth = 1; depth <= copy.limits.depth && level.length > 0; depth += 1) {
    const next: Digest[] = [];
    for (const digest of level) next.push(...(await copyListed(copy, digest)), ...(await copyTagged(copy, digest)));
    count += next.length;
    level = next;
  }
  return count;
}
