import type { TagReturn } from '../domain/campaign.ts';
import type { ImageIdentity } from '../domain/dependencies.ts';
import { isDigest, type Digest } from '../domain/digest.ts';
import { fail } from '../domain/failure.ts';
import type { TagKeeper } from './ports.ts';

/** What a registry is asked for: every kind of manifest that an image can have. */
export const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

export interface TagKeeperOptions {
  /** Our registry's host as it stands in image names. */
  readonly registryHost: string;
  /** Where our registry is reached, without a slash at the end. */
  readonly url: string;
  /** A name and password with which our registry lets us read and write. */
  readonly credential: () => { readonly userName: string; readonly password: string };
  /** What a tag of another registry stands for; undefined when that cannot be learned. */
  readonly askForeign: (image: ImageIdentity) => Promise<Digest | undefined>;
}

const timeoutMs = 10_000;

/** Sends a request for a manifest to our registry. Rejects with `storage-unavailable` when it does not answer, or has trouble of its own. */
async function send(
  options: TagKeeperOptions,
  repository: string,
  reference: string,
  init: { readonly method: string; readonly headers: Record<string, string>; readonly body?: Uint8Array },
): Promise<Response> {
  const { userName, password } = options.credential();
  const authorization = `Basic ${Buffer.from(`${userName}:${password}`).toString('base64')}`;
  const url = `${options.url}/v2/${repository}/manifests/${reference}`;
  let answer: Response;
  try {
    answer = await fetch(url, {
      ...init,
      headers: { ...init.headers, authorization },
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (cause) {
    throw fail('storage-unavailable', 'the registry does not answer', { cause });
  }
  if (answer.status < 500 && answer.status !== 429) return answer;
  await answer.body?.cancel();
  throw fail('storage-unavailable', `the registry answers ${String(answer.status)}`);
}

async function askOwn(options: TagKeeperOptions, repository: string, tag: string): Promise<Digest | undefined> {
  const answer = await send(options, repository, tag, { method: 'HEAD', headers: { accept: manifestTypes } });
  const digest = answer.headers.get('docker-content-digest');
  return answer.ok && digest !== null && isDigest(digest) ? digest : undefined;
}

async function pointBack(options: TagKeeperOptions, { image, from }: TagReturn): Promise<boolean> {
  const { repository, tag, digest } = image;
  if (tag === undefined || (await askOwn(options, repository, tag)) !== from) return false;
  const old = await send(options, repository, digest, { method: 'GET', headers: { accept: manifestTypes } });
  const body = new Uint8Array(await old.arrayBuffer());
  if (!old.ok) return false;
  const headers = { 'content-type': old.headers.get('content-type') ?? '' };
  const put = await send(options, repository, tag, { method: 'PUT', headers, body });
  await put.body?.cancel();
  return put.ok;
}

/**
 * Tags as registries have them. Ours is asked with a credential of the installation's own; between the look at a tag and its return lies a
 * moment in which somebody else's push would be undone. Rejects with `storage-unavailable` when our registry is away.
 */
export function createTagKeeper(options: TagKeeperOptions): TagKeeper {
  const isOurs = ({ registry }: ImageIdentity): boolean => registry === options.registryHost.toLowerCase();
  return {
    async digestOf(image) {
      if (image.digest !== undefined && image.tag === undefined) return image.digest;
      if (image.tag === undefined) return undefined;
      return isOurs(image) ? askOwn(options, image.repository, image.tag) : options.askForeign(image);
    },
    async pointBack(wanted) {
      return isOurs(wanted.image) && pointBack(options, wanted);
    },
  };
}
