import { isDigest } from '../domain/digest.ts';
import type { RepositoryName } from '../domain/image-reference.ts';
import { oci } from './errors.ts';
import { sendJson, type Exchange } from './exchange.ts';
import { isInCatalog, refuseLockedRead } from './locks.ts';
import type { ReadingRooms } from './manifests.ts';
import { visibleTags } from './policies/quarantine.ts';
import type { ManifestRecord } from './records.ts';
import type { RegistryState } from './state.ts';

const indexType = 'application/vnd.oci.image.index.v1+json';

/** GET `…/tags/list?n=&last=`. */
export function sendTags(rooms: ReadingRooms, exchange: Exchange, repository: RepositoryName): void {
  const { state, access } = rooms;
  const contents = state.index.repository(repository);
  if (contents?.exists !== true)
    throw oci('NAME_UNKNOWN', 'there is no such repository', { detail: { name: repository } });
  const listed = isInCatalog(contents) ? contents.listedTagNames : [];
  const page = pageOf(listed, exchange, state.limits.pageEntries);
  const maySeeAll = access.allows(exchange.principal, repository, 'quarantine-read');
  const tags = maySeeAll ? page.entries : visibleTags(state.index, contents, page.entries);
  sendJson(exchange, { name: repository, tags }, { headers: linkTo(exchange, page.next) });
}

/** GET `/v2/_catalog?n=&last=`, and `/acr/v1/_catalog`. */
export function sendCatalog(state: RegistryState, exchange: Exchange): void {
  const listed = state.index.names().filter((name) => isInCatalog(state.index.repository(name)));
  const page = pageOf(listed, exchange, state.limits.pageEntries);
  sendJson(exchange, { repositories: page.entries }, { headers: linkTo(exchange, page.next) });
}

/** GET `…/referrers/<digest>?artifactType=`: what says that it is about the digest; an empty list when nothing does. */
export async function sendReferrers(
  state: RegistryState,
  exchange: Exchange,
  at: { readonly repository: RepositoryName; readonly digest: string },
): Promise<void> {
  if (!isDigest(at.digest))
    throw oci('DIGEST_INVALID', `"${at.digest.slice(0, 160)}" is no sha256 or sha512 digest`, { status: 400 });
  const type = exchange.query.get('artifactType') ?? '';
  const last = exchange.query.get('last') ?? '';
  const contents = state.index.repository(at.repository);
  refuseLockedRead(at.repository, contents);
  const all = contents?.referrersOf(at.digest) ?? [];
  const wanted = all.filter((each) => (type === '' || each.artifactType === type) && each.digest > last);
  const { manifests, next } = await describeUpTo(state, wanted);
  const filtered = type === '' ? {} : { 'oci-filters-applied': 'artifactType' };
  const headers = { 'content-type': indexType, ...filtered, ...linkTo(exchange, next) };
  sendJson(exchange, { schemaVersion: 2, mediaType: indexType, manifests }, { headers });
}

/** Descriptors as far as a page goes, at least one; `next` is the digest of the last one when others follow. */
async function describeUpTo(
  state: RegistryState,
  records: readonly ManifestRecord[],
): Promise<{ manifests: object[]; next?: string }> {
  const manifests: object[] = [];
  let size = 0;
  let next = '';
  for (const record of records) {
    const descriptor = await describe(state, record);
    if (descriptor === undefined) continue;
    size += JSON.stringify(descriptor).length;
    if (size > state.limits.referrersBytes && manifests.length > 0) return { manifests, next };
    manifests.push(descriptor);
    next = record.digest;
  }
  return { manifests };
}

/** The descriptor of a referrer, with its annotations; undefined when its bytes are lost, or no JSON: earlier versions took a manifest with a byte order mark. */
async function describe(state: RegistryState, record: ManifestRecord): Promise<object | undefined> {
  const { mediaType, digest, size, artifactType } = record;
  const bytes = await state.manifestBytes.read(digest);
  if (bytes === undefined) return undefined;
  const manifest = parseObject(bytes);
  if (manifest === undefined) return undefined;
  const { annotations } = manifest;
  return {
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations !== undefined && { annotations }),
  };
}

function parseObject(bytes: Buffer): { readonly annotations?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

interface Page {
  readonly entries: readonly string[];
  /** The `last` of the next page; undefined when this one reaches the end. */
  readonly next?: string;
}

/** The part of a sorted list that `n` and `last` ask for; `last` need not be in the list. */
function pageOf(sorted: readonly string[], exchange: Exchange, most: number): Page {
  const asked = exchange.query.get('n');
  if (asked !== null && !/^\d{1,9}$/.test(asked)) throw oci('UNSUPPORTED', 'n must be a number', { status: 400 });
  const limit = Math.min(asked === null ? most : Number(asked), most);
  const last = exchange.query.get('last');
  const start = last === null ? 0 : countUpTo(sorted, last);
  const entries = sorted.slice(start, start + limit);
  const end = entries.at(-1);
  return end !== undefined && start + limit < sorted.length ? { entries, next: end } : { entries };
}

/** How many entries of a sorted list are not greater than `text`. */
function countUpTo(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') <= text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The header that leads to the next page (RFC 8288); none when there is no such page. */
export function linkTo(exchange: Exchange, next: string | undefined): Record<string, string> {
  if (next === undefined) return {};
  const query = new URLSearchParams(exchange.query);
  query.set('last', next);
  return { link: `<${exchange.path}?${query.toString()}>; rel="next"` };
}
