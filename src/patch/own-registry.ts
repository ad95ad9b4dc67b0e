import { fail } from '../domain/failure.ts';

/** How the installation itself reaches our registry. */
export interface OwnRegistry {
  /** Its host as it stands in image names. */
  readonly registryHost: string;
  /** Where it is reached, without a slash at the end. */
  readonly url: string;
  /** A name and password with which it lets us read and write. */
  readonly credential: () => { readonly userName: string; readonly password: string };
}

/** What a registry is asked for: every kind of manifest that an image can have. */
export const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

const timeoutMs = 10_000;

/**
 * Sends a request to our registry; `path` is what follows `/v2/`. Rejects with `storage-unavailable` when it does not answer, or has trouble
 * of its own.
 */
export async function askOwnRegistry(
  { url, credential }: OwnRegistry,
  path: string,
  init: { readonly method: string; readonly headers: Record<string, string>; readonly body?: Uint8Array },
): Promise<Response> {
  const { userName, password } = credential();
  const authorization = `Basic ${Buffer.from(`${userName}:${password}`).toString('base64')}`;
  const headers = { ...init.headers, authorization };
  let answer: Response;
  try {
    answer = await fetch(`${url}/v2/${path}`, { ...init, headers, signal: AbortSignal.timeout(timeoutMs) });
  } catch (cause) {
    throw fail('storage-unavailable', 'the registry does not answer', { cause });
  }
  if (answer.status < 500 && answer.status !== 429) return answer;
  await answer.body?.cancel();
  throw fail('storage-unavailable', `the registry answers ${String(answer.status)}`);
}
