import type { RepositoryName } from '../../domain/image-reference.ts';
import { sendJson, type Exchange } from '../exchange.ts';
import { linkTo } from '../listing.ts';
import { isListed } from '../locks.ts';
import { isQuarantined, refuseQuarantined } from '../policies/quarantine.ts';
import type { ManifestRecord, TagRecord } from '../records.ts';
import type { RepositoryContents } from '../repository-contents.ts';
import type { AcrRooms } from './rooms.ts';
import { describeManifest, describeReferences, describeRepository, describeTag, headOf } from './documents.ts';
import { findContents, findDigest, findTag, parseDigest } from './find.ts';
import { pageOfList, type Listed } from './lists.ts';

/** Configurations that are read at a time. */
const atOnce = 16;

/** GET of a repository. */
export function sendRepository({ state }: AcrRooms, exchange: Exchange, repository: RepositoryName): void {
  const contents = findContents(state, repository);
  sendJson(exchange, {
    ...headOf(exchange, repository),
    ...describeRepository(contents, state.pulls.newest(repository)),
  });
}

/** GET of a tag, which is not there for those who may not see what is in quarantine. */
export function sendVisibleTag(
  rooms: AcrRooms,
  exchange: Exchange,
  at: { readonly repository: RepositoryName; readonly tag: string },
): void {
  const { repository, tag } = at;
  const record = findContents(rooms.state, repository).find(tag);
  if (record !== undefined) refuseQuarantined(rooms.access, exchange, { repository, reference: tag, record });
  sendTag(rooms, exchange, at);
}

/** Answers with a tag. */
export function sendTag(
  { state }: AcrRooms,
  exchange: Exchange,
  { repository, tag }: { readonly repository: RepositoryName; readonly tag: string },
): void {
  const contents = findContents(state, repository);
  const record = state.pulls.withNoted(repository, tag, findTag(contents, { tag }));
  sendJson(exchange, { ...headOf(exchange, repository), tag: describeTag({ repository, contents }, tag, record) });
}

/** GET of a manifest. */
export async function sendManifestDetail(
  { state, facts }: AcrRooms,
  exchange: Exchange,
  { repository, digest }: { readonly repository: RepositoryName; readonly digest: string },
): Promise<void> {
  const contents = findContents(state, repository);
  const found = findDigest(contents, { digest });
  const record = state.pulls.withNoted(repository, found.digest, found);
  const shown = describeManifest(contents, record, await facts.read(contents, record));
  const manifest = { ...shown, ...describeReferences(record) };
  sendJson(exchange, { ...headOf(exchange, repository), manifest });
}

type ListedTag = Listed & { readonly record: TagRecord };
type ListedManifest = Listed & { readonly record: ManifestRecord };

/** GET of `_tags?last=&n=&orderby=&digest=`. */
export function sendTagList({ state, access }: AcrRooms, exchange: Exchange, repository: RepositoryName): void {
  const contents = findContents(state, repository);
  const seesAll = access.allows(exchange.principal, repository, 'quarantine-read');
  const find = (name: string): ListedTag | undefined => {
    const record = contents.tag(name);
    if (!seesAll && isQuarantined(contents.find(name))) return undefined;
    return record && { name, time: record.updatedTime, record };
  };
  const all = listTags(contents, exchange.query.get('digest') ?? '', find);
  const page = pageOfList(exchange, { all, find }, state.limits.pageEntries);
  const tags = page.entries.map(({ name, record }) =>
    describeTag({ repository, contents }, name, state.pulls.withNoted(repository, name, record)),
  );
  sendJson(exchange, { ...headOf(exchange, repository), tags }, { headers: linkTo(exchange, page.next) });
}

function* listTags(
  contents: RepositoryContents,
  digest: string,
  find: (name: string) => ListedTag | undefined,
): Generator<ListedTag> {
  const names = digest === '' ? contents.tags.keys() : contents.tagsOf(parseDigest(digest));
  for (const name of names) {
    const found = find(name);
    if (found !== undefined && isListed(contents, found.record.attributes)) yield found;
  }
}

/** GET of `_manifests?last=&n=&orderby=`. */
export async function sendManifestList(rooms: AcrRooms, exchange: Exchange, repository: RepositoryName): Promise<void> {
  const { pulls } = rooms.state;
  const contents = findContents(rooms.state, repository);
  const describe = (record: ManifestRecord): ListedManifest => {
    return { name: record.digest, time: record.updatedTime, record };
  };
  const find = (digest: string): ListedManifest | undefined => {
    const record = contents.manifests.get(digest);
    return record && describe(record);
  };
  const list = { all: listManifests(contents, describe), find };
  const page = pageOfList(exchange, list, rooms.state.limits.pageEntries);
  const manifests: object[] = [];
  for (let start = 0; start < page.entries.length; start += atOnce) {
    const some = page.entries.slice(start, start + atOnce).map(async ({ record }) => {
      const facts = await rooms.facts.read(contents, record);
      return describeManifest(contents, pulls.withNoted(repository, record.digest, record), facts);
    });
    manifests.push(...(await Promise.all(some)));
  }
  sendJson(exchange, { ...headOf(exchange, repository), manifests }, { headers: linkTo(exchange, page.next) });
}

function* listManifests(
  contents: RepositoryContents,
  describe: (record: ManifestRecord) => ListedManifest,
): Generator<ListedManifest> {
  for (const record of contents.manifests.values()) if (isListed(contents, record.attributes)) yield describe(record);
}
