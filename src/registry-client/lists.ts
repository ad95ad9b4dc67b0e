import type { Digest } from '../domain/digest.ts';
import type { Call, Caller } from './caller.ts';
import {
  mediaTypes,
  parseFields,
  readDescriptor,
  type Descriptor,
  type Fields,
  type RegistryDocument,
} from './documents.ts';
import { nextPage } from './headers.ts';
import { getManifest } from './manifests.ts';
import { mediaTypeOf, misbehaves } from './refusal.ts';

function listIn(fields: Fields | undefined, name: string): readonly unknown[] {
  const list = fields?.[name];
  return Array.isArray(list) ? list : [];
}

/** Reads the pages of a list; undefined when the registry has no such list: another status, or not the type that is accepted. */
async function readPages(
  caller: Caller,
  first: Call,
  expected: readonly number[],
): Promise<readonly Fields[] | undefined> {
  const pages: Fields[] = [];
  let path: string | undefined = first.path;
  while (path !== undefined) {
    const answer = await caller.read({ ...first, path }, expected, caller.limits.pageBytes);
    const isIndex = first.headers?.['accept'] !== mediaTypes.index || mediaTypeOf(answer) === mediaTypes.index;
    if (pages.length === 0 && (answer.status !== 200 || !isIndex)) return undefined;
    const page = answer.status === 200 ? parseFields(answer.bytes) : undefined;
    if (page === undefined) throw misbehaves(caller.registry, 'sends what is no list');
    pages.push(page);
    if (pages.length > caller.limits.pages) throw misbehaves(caller.registry, 'sends more of a list than is read');
    path = nextPage(answer.headers, new URL(path, `${caller.origin}/v2/${first.repository}/`).href);
  }
  return pages;
}

/** All tags of a repository; undefined when it is not there. */
export async function listTags(caller: Caller, repository: string): Promise<readonly string[] | undefined> {
  const call = {
    method: 'GET',
    repository,
    path: 'tags/list?n=1000',
    headers: { accept: 'application/json' },
  } as const;
  const found = await readPages(caller, call, [200, 404]);
  const tags = found?.flatMap((page) => listIn(page, 'tags'));
  return tags?.filter((tag) => typeof tag === 'string');
}

/** Under which tag clients keep the list where a registry does not (distribution-spec, "Referrers Tag Schema"). */
export function referrersTag(digest: Digest): string {
  return digest.replace(':', '-').slice(0, 128);
}

/** The entries of the list under that tag; none when there is no list. */
export function fallbackEntries(index: RegistryDocument | undefined): readonly Descriptor[] {
  const fields = index === undefined ? undefined : parseFields(index.bytes);
  return listIn(fields, 'manifests').flatMap((one) => readDescriptor(one) ?? []);
}

/** What says of a manifest that it is about it: signatures, SBOMs … Those under the fallback tag where a registry keeps no list. */
export async function listReferrers(
  caller: Caller,
  repository: string,
  digest: Digest,
  artifactType?: string,
): Promise<readonly Descriptor[]> {
  const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
  const headers = { accept: mediaTypes.index };
  const call = { method: 'GET', repository, path: `referrers/${digest}${query}`, headers } as const;
  const found = await readPages(caller, call, [200, 400, 404, 405]);
  const listed = found?.flatMap((page) => listIn(page, 'manifests').flatMap((one) => readDescriptor(one) ?? []));
  const all = listed ?? fallbackEntries(await getManifest(caller, repository, referrersTag(digest)));
  return artifactType === undefined ? all : all.filter((one) => one.artifactType === artifactType);
}
