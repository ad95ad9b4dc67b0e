import { given } from './given.ts';
import { createHash } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { fail } from '../../domain/failure.ts';
import type { GitEvent, GitProvider } from './event.ts';
import { isFresh } from './freshness.ts';
import { createPayloadCheck } from './payload.ts';
import { readParts, readPerson, readRefUpdate } from './ref-update.ts';
import { hostOfRepository, keepAddresses, normaliseRepository } from '../../domain/git-repository.ts';
import { headerOf, verifyHex } from './signature.ts';

/** The documented push of anything that is no forge: a hook script, another CI, a plain git server. */
interface PushPayload {
  readonly id?: string;
  /** Its clone URL. */
  readonly repository: string;
  /** `refs/heads/…` or `refs/tags/…` */
  readonly ref: string;
  /** The head after the push; zeros, or null, when the ref was deleted. */
  readonly commit: string | null;
  readonly before?: string | null;
  /** All of them, or the member is left out. */
  readonly changedPaths?: readonly string[];
  readonly message?: string;
  readonly author?: string;
}

const checkPush = createPayloadCheck('generic-push');

function readPushEvent(payload: PushPayload): GitEvent | string {
  const [url] = keepAddresses([payload.repository]);
  const address = url === undefined ? undefined : normaliseRepository(url, 'generic');
  if (url === undefined || address === undefined) {
    throw fail('invalid-request', 'repository is no clone URL', { field: 'repository' });
  }
  const { changedPaths } = payload;
  return readRefUpdate(
    {
      provider: 'generic',
      repository: given({ cloneUrls: [url], fullName: address.path, host: hostOfRepository([url]), ids: {} }),
      sender: readPerson(payload.author),
    },
    {
      ref: payload.ref,
      refField: 'ref',
      afterField: 'commit',
      before: payload.before,
      after: payload.commit,
      message: payload.message,
      author: payload.author,
      changed: changedPaths === undefined ? undefined : { paths: [...new Set(changedPaths)], isComplete: true },
    },
  );
}

/**
 * The generic push (`schemas/hooks/generic-push.schema.json`). `X-Slipway-Signature: sha256=<hex>` is the HMAC-SHA-256 of
 * `<X-Slipway-Timestamp>.<body>`; a time (seconds since the epoch) more than five minutes from ours is refused. What is sent again within
 * them is the same delivery: by its `id`, or by its signature.
 */
export function createGenericProvider(clock: Clock): GitProvider {
  return {
    name: 'generic',
    recognise: (headers) => headerOf(headers, 'x-slipway-signature') !== undefined,
    verify: (headers, rawBody, secrets) => {
      const timestamp = headerOf(headers, 'x-slipway-timestamp') ?? '';
      const given = headerOf(headers, 'x-slipway-signature');
      const verdict = verifyHex(given, 'sha256=', [`${timestamp}.`, rawBody], secrets);
      return verdict === 'ok' && !isFresh(timestamp, clock.now()) ? 'wrong' : verdict;
    },
    deliveryId: (headers, body) => {
      const signature = (headerOf(headers, 'x-slipway-signature') ?? '').toLowerCase();
      return (checkPush(body) as PushPayload).id ?? createHash('sha256').update(signature).digest('hex');
    },
    parse: (_headers, body) => {
      const payload = checkPush(body) as PushPayload;
      return readParts([() => readPushEvent(payload)]);
    },
  };
}
