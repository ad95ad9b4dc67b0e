import type { ImageIdentity } from './dependencies.ts';
import { isDigest, type Digest } from './digest.ts';
import { fail } from './failure.ts';

/** A repository's name inside a registry: `app`, `team/app` (OCI distribution-spec, "name"). */
export type RepositoryName = string & { readonly __brand: 'RepositoryName' };

/** A tag: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`. */
export type Tag = string & { readonly __brand: 'Tag' };

const namePattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const hostPattern = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{1,5})?$/;

export function isRepositoryName(text: string): text is RepositoryName {
  return text.length <= 255 && namePattern.test(text);
}

export function isTag(text: string): text is Tag {
  return tagPattern.test(text);
}

/** Where an image lies: registry host (undefined: none was written), repository, tag and/or digest. */
export interface ImageReference {
  readonly registry?: string;
  readonly repository: RepositoryName;
  readonly tag?: Tag;
  readonly digest?: Digest;
}

/** True for the first part of a name that means a registry: it has a dot or a port, is `localhost`, or an IPv6 address. */
export function isRegistryHost(part: string): boolean {
  return (part.includes('.') || part.includes(':') || part === 'localhost') && hostPattern.test(part);
}

/** The parts of a reference as they stand in its text, unchecked. */
interface Parts {
  readonly registry: string | undefined;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Cuts `text` in two at the first `mark`; the second part is undefined when there is none. */
function cut(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function splitReference(text: string): Parts {
  const [named, digest] = cut(text, '@');
  const [first, rest] = cut(named, '/');
  const registry = rest !== undefined && isRegistryHost(first) ? first : undefined;
  const [repository, tag] = cut(registry === undefined ? named : (rest ?? ''), ':');
  return { registry, repository, tag, digest };
}

function faultOf({ repository, tag, digest }: Parts): string | undefined {
  if (digest !== undefined && !isDigest(digest)) return 'what follows @ is no digest';
  if (tag !== undefined && !isTag(tag)) return 'its tag has characters that a tag cannot have';
  if (repository !== repository.toLowerCase()) return 'a repository is written in lower case';
  if (!isRepositoryName(repository)) return 'its repository has characters that a repository cannot have';
  return undefined;
}

/**
 * Parses `[host[:port]/]name[:tag][@digest]` as the engine does. Neither a default registry nor a default tag is added.
 * @throws `invalid-request` naming `field` and what is wrong with the name.
 */
export function parseImageReference(text: string, field = 'image'): ImageReference {
  const parts = splitReference(text);
  const fault = text.length > 512 ? 'it is longer than 512 characters' : faultOf(parts);
  if (fault === undefined)
    return Object.fromEntries(
      Object.entries(parts).filter(([, part]) => part !== undefined),
    ) as unknown as ImageReference;
  throw fail('invalid-request', `"${text.slice(0, 300)}" is no image name: ${fault}`, {
    field,
    hint: 'write it as [registry/]repository[:tag], in lower case, for example team/app:v1',
  });
}

/** Writes a reference back as text. */
export function formatImageReference(image: ImageReference): string {
  const host = image.registry === undefined ? '' : `${image.registry}/`;
  const tag = image.tag === undefined ? '' : `:${image.tag}`;
  const digest = image.digest === undefined ? '' : `@${image.digest}`;
  return `${host}${image.repository}${tag}${digest}`;
}

/** Docker Hub has many names on the wire and in old configurations; the first of these is the one that references are given. */
const dockerHub: ReadonlySet<string> = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
]);

/**
 * The one identity of an image, however its name was written: the registry in lower case (Docker Hub is `docker.io`), Docker Hub's own
 * images under `library/`, and the tag `latest` where neither tag nor digest is given.
 */
export function identifyImage({ registry, repository, tag, digest }: ImageReference): ImageIdentity {
  const host = registry?.toLowerCase() ?? 'docker.io';
  const isHub = dockerHub.has(host);
  const named = tag ?? (digest === undefined ? 'latest' : undefined);
  return {
    registry: isHub ? 'docker.io' : host,
    repository: isHub && !repository.includes('/') ? `library/${repository}` : repository,
    ...(named !== undefined && { tag: named }),
    ...(digest !== undefined && { digest }),
  };
}

/** Writes an identity as a name to pull by: with its tag where it has one, else with its digest. */
export function formatImageIdentity({ registry, repository, tag, digest }: ImageIdentity): string {
  const rest = tag === undefined ? `@${digest ?? ''}` : `:${tag}`;
  return `${registry}/${repository}${rest === '@' ? '' : rest}`;
}
