import type { Digest } from '../domain/digest.ts';
import type { WriteOnceRule } from '../domain/registry-care.ts';
import type { RepositoryContents } from './repository-contents.ts';
import { oci } from './errors.ts';
import { describeWriteOnceRule, findWriteOnceRule } from './policies/write-once.ts';
import type { Attributes, ManifestRecord } from './records.ts';

/**
 * Locks: what the attributes of a repository, of a tag and of a manifest forbid (registry.md §1.8), and what the policy of write-once tags
 * does. Each speaks for itself, and something can be done when none of those that it concerns forbids it.
 */

/** An attribute, as Azure calls it. */
export type Lock = keyof Attributes;

const keeping: readonly Lock[] = ['deleteEnabled', 'writeEnabled'];

/** What holds a lock, and how to name it on the command line. */
interface Holder {
  readonly what: string;
  /** The argument of `slipway repository update` that reaches it. */
  readonly flag: string;
}

/** Something that is to be done, and what forbids it. */
type Refusal = (Holder & { readonly lock: Lock }) | { readonly what: string; readonly rule: WriteOnceRule };

/** Where it is to be done: a repository that need not be there yet. */
interface Place {
  readonly name: string;
  readonly contents: RepositoryContents | undefined;
}

function lockOf(attributes: Attributes | undefined, locks: readonly Lock[]): Lock | undefined {
  return locks.find((lock) => attributes?.[lock] === false);
}

function refusalOf(
  attributes: Attributes | undefined,
  locks: readonly Lock[],
  name: () => Holder,
): Refusal | undefined {
  const lock = lockOf(attributes, locks);
  return lock && { ...name(), lock };
}

function ofRepository({ name, contents }: Place, locks: readonly Lock[]): Refusal | undefined {
  return refusalOf(contents?.record?.attributes, locks, () => ({
    what: `the repository ${name}`,
    flag: `--repository ${name}`,
  }));
}

function ofTag({ name, contents }: Place, tag: string, locks: readonly Lock[]): Refusal | undefined {
  return refusalOf(contents?.tag(tag)?.attributes, locks, () => ({
    what: `the tag ${name}:${tag}`,
    flag: `--image ${name}:${tag}`,
  }));
}

function ofRule({ name, contents }: Place, tag: string): Refusal | undefined {
  const rule = contents && findWriteOnceRule(contents, { repository: name, tag });
  return rule && { what: `the tag ${name}:${tag}`, rule };
}

/** What keeps a tag that is there where it is. */
function keeperOfTag(place: Place, tag: string): Refusal | undefined {
  return ofTag(place, tag, keeping) ?? ofRule(place, tag);
}

function ofManifest({ name, contents }: Place, digest: Digest, locks: readonly Lock[]): Refusal | undefined {
  return refusalOf(contents?.manifests.get(digest)?.attributes, locks, () => ({
    what: `the manifest ${name}@${digest}`,
    flag: `--image ${name}@${digest}`,
  }));
}

function demand(refusal: Refusal | undefined, verb: string): void {
  if (refusal === undefined) return;
  if ('rule' in refusal) throw writeOnce(refusal.what, refusal.rule, verb);
  const { what, flag, lock } = refusal;
  const word = lock.replace('Enabled', '-enabled');
  throw oci(
    'DENIED',
    `${what} is locked and cannot be ${verb}: ${lock} is false; "slipway repository update ${flag} --${word} true" lifts that`,
    { detail: { lock, locked: what } },
  );
}

function writeOnce(what: string, rule: WriteOnceRule, verb: string): Error {
  const text = describeWriteOnceRule(rule);
  return oci(
    'DENIED',
    `${what} is write-once and cannot be ${verb}, by the rule "${text}" of the registry's policy; use another tag, or have the rule changed`,
    { detail: { writeOnce: what, rule } },
  );
}

/** Throws DENIED where blobs and manifests may not be pushed to a repository, and UNAVAILABLE while it is being deleted. */
export function refuseLockedPush(name: string, contents: RepositoryContents | undefined): void {
  if (contents?.record?.deleting !== undefined) {
    throw oci('UNAVAILABLE', `the repository ${name} is being deleted; try again in a moment`, {
      headers: { 'retry-after': '5' },
    });
  }
  demand(ofRepository({ name, contents }, ['writeEnabled']), 'pushed to');
}

/** Throws DENIED where a tag may not be set to stand for a manifest; its repository is asked too. */
export function refuseLockedTag(
  name: string,
  contents: RepositoryContents | undefined,
  { tag, digest }: { readonly tag: string; readonly digest: Digest },
): void {
  const place = { name, contents };
  refuseLockedPush(name, contents);
  demand(ofTag(place, tag, ['writeEnabled']), 'moved');
  const current = contents?.tag(tag)?.digest;
  if (current !== undefined && current !== digest) demand(ofRule(place, tag), 'moved');
}

/** Throws DENIED where a tag may not be taken away. */
export function refuseLockedUntag(name: string, contents: RepositoryContents, tag: string): void {
  const place = { name, contents };
  demand(ofRepository(place, keeping) ?? keeperOfTag(place, tag), 'deleted');
}

/** What keeps a manifest from being deleted: its own lock, one of a tag that would go with it, or one of an index that needs it. */
function keeperOf(place: Place & { readonly contents: RepositoryContents }, digest: Digest): Refusal | undefined {
  const { contents } = place;
  const seen = new Set<string>();
  const ask = (one: Digest): Refusal | undefined => {
    if (seen.has(one)) return undefined;
    seen.add(one);
    const own = ofManifest(place, one, keeping);
    if (own !== undefined) return own;
    for (const tag of contents.tagsOf(one)) {
      const found = keeperOfTag(place, tag);
      if (found !== undefined) return found;
    }
    for (const user of contents.usersOf(one)) {
      const found = ask(user as Digest);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return ask(digest);
}

/** Throws DENIED where a manifest may not be deleted with its tags, or a blob that manifests name. */
export function refuseLockedDelete(name: string, contents: RepositoryContents, digest: Digest): void {
  const place = { name, contents };
  demand(ofRepository(place, keeping) ?? keeperOf(place, digest), 'deleted');
}

/** Throws DENIED where a repository may not be deleted: nothing in it may be locked. */
export function refuseLockedRepository(name: string, contents: RepositoryContents): void {
  const place = { name, contents };
  demand(ofRepository(place, keeping), 'deleted');
  for (const tag of contents.tags.keys()) demand(keeperOfTag(place, tag), 'deleted');
  for (const digest of contents.manifests.keys()) demand(ofManifest(place, digest as Digest, keeping), 'deleted');
}

/** True when nothing keeps a manifest with its tags from being deleted; for those who look for what can go. */
export function mayDelete(name: string, contents: RepositoryContents, digest: Digest): boolean {
  const place = { name, contents };
  return ofRepository(place, keeping) === undefined && keeperOf(place, digest) === undefined;
}

/** True when nothing keeps a tag from being taken away. */
export function mayUntag(name: string, contents: RepositoryContents, tag: string): boolean {
  const place = { name, contents };
  return (ofRepository(place, keeping) ?? keeperOfTag(place, tag)) === undefined;
}

/** True when a rule keeps a tag from being moved, once it is set. */
export function isWriteOnce(name: string, contents: RepositoryContents, tag: string): boolean {
  return ofRule({ name, contents }, tag) !== undefined;
}

/** True when the blobs of a repository may be pulled. */
export function mayRead(contents: RepositoryContents | undefined): boolean {
  return contents?.record?.attributes?.readEnabled !== false;
}

/** Throws DENIED where the blobs of a repository may not be pulled. */
export function refuseLockedRead(name: string, contents: RepositoryContents | undefined): void {
  demand(ofRepository({ name, contents }, ['readEnabled']), 'pulled from');
}

/** Throws DENIED where a manifest may not be pulled by this tag or digest. */
export function refuseLockedPull(
  name: string,
  contents: RepositoryContents,
  { reference, record }: { readonly reference: string; readonly record: ManifestRecord },
): void {
  const place = { name, contents };
  refuseLockedRead(name, contents);
  demand(ofTag(place, reference, ['readEnabled']) ?? ofManifest(place, record.digest, ['readEnabled']), 'pulled');
}

/** True when something in a repository is shown in lists. */
export function isListed(contents: RepositoryContents, attributes: Attributes | undefined): boolean {
  return contents.record?.attributes?.listEnabled !== false && attributes?.listEnabled !== false;
}

/** True when a repository is shown in the catalog. */
export function isInCatalog(contents: RepositoryContents | undefined): boolean {
  return contents?.record?.attributes?.listEnabled !== false;
}
