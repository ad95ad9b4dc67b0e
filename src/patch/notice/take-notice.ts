import { referenceKeyOf } from '../../domain/base-image.ts';
import type { Clock } from '../../domain/clock.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import { fail } from '../../domain/failure.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import { inSlices } from '../../domain/slices.ts';
import type { HeardUpdate, PatchQueue } from '../../queue/ports.ts';
import { admitByToken, isSigned, refuseNotice } from './admission.ts';
import type { Heard, Notice, NoticeHeaders } from './heard.ts';
import { readerNamed, recogniseNotice } from './readers.ts';

export interface TakeNoticeOptions {
  /** What notices must bring; several during a rotation, none: the hook is shut. */
  readonly secrets: readonly string[];
  /** Our registry's host as it stands in image names: it tells of its pushes itself. */
  readonly registryHost: string;
  readonly publish: PatchQueue['publish'];
  readonly clock: Clock;
}

/** A request to the hook. */
export interface GivenNotice {
  /** The kind of registry that the URL names; undefined: it is seen by what was sent. */
  readonly kind?: string | undefined;
  readonly headers: NoticeHeaders;
  readonly query: URLSearchParams;
  /** Reads the body, once; not called for a request that is refused without it. */
  readonly readBody: () => Promise<Buffer>;
}

/** What became of a notice. */
export interface TakenNotice {
  /** The images whose tags will be looked at. */
  readonly taken: readonly { readonly image: string; readonly digest?: string }[];
  readonly ignored: readonly { readonly image?: string; readonly because: string }[];
}

/** A notice may name very many pushes of blobs; so many are listed in the answer. */
const mostIgnored = 100;
const publishAtOnce = 50;
const hostPattern = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?$/i;

/** Throws unless one of the secrets stands behind the request; resolves with the body. */
async function admit(
  { headers, query, readBody }: GivenNotice,
  { secrets, clock }: TakeNoticeOptions,
): Promise<Buffer> {
  if (secrets.length === 0)
    throw fail('forbidden', 'the webhook for registries is shut', {
      hint: 'the operator opens it by setting SLIPWAY_REGISTRY_HOOK_SECRET',
    });
  const verdict = admitByToken(headers, query, secrets);
  if (verdict === 'missing' || verdict === 'wrong') throw refuseNotice(verdict);
  const body = await readBody();
  if (verdict === 'ok' || isSigned(headers, body, secrets, clock.now())) return body;
  throw refuseNotice('wrong');
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    throw fail('invalid-request', 'the payload is not valid JSON');
  }
}

function readRegistry(query: URLSearchParams): string | undefined {
  const host = query.get('registry') ?? '';
  if (host === '' || hostPattern.test(host)) return host === '' ? undefined : host;
  throw fail('invalid-request', 'registry is no host', { field: 'registry' });
}

function readHeard({ kind, headers, query }: GivenNotice, body: Buffer): readonly Heard[] {
  const notice: Notice = { headers, body: parse(body), registry: readRegistry(query) };
  const reader = kind === undefined ? recogniseNotice(notice) : readerNamed(kind);
  return reader.read(notice);
}

/** The images each once, as they were told last; what is our own registry's is none of them. */
function sort(heard: readonly Heard[], { registryHost }: TakeNoticeOptions) {
  const images = new Map<string, Extract<Heard, { image: ImageIdentity }>>();
  const ignored: { image?: string; because: string }[] = [];
  for (const one of heard) {
    if (!('image' in one))
      ignored.push({ ...(one.subject !== undefined && { image: one.subject }), because: one.because });
    else if (one.image.registry === registryHost.toLowerCase())
      ignored.push({ image: formatImageIdentity(one.image), because: 'our own registry tells of its pushes itself' });
    else images.set(referenceKeyOf(one.image) ?? '', one);
  }
  return { images: [...images.values()], ignored };
}

/**
 * Makes the one that takes notices of registries: every image that one tells of becomes a job of patching. Rejects with `forbidden` (shut),
 * `unauthenticated`, `not-found` (no such kind), `invalid-request`, and as the queue does: it may then be sent again.
 */
export function createTakeNotice(options: TakeNoticeOptions): (given: GivenNotice) => Promise<TakenNotice> {
  return async (given) => {
    const body = await admit(given, options);
    const { images, ignored } = sort(readHeard(given, body), options);
    const at = new Date(options.clock.now()).toISOString();
    const updates = images.map(({ image, by }): HeardUpdate => ({ image, source: 'hook', at, ...(by && { by }) }));
    await inSlices(updates, publishAtOnce, (slice) =>
      Promise.all(slice.map((update) => options.publish({ kind: 'told', update }))),
    );
    return {
      taken: images.map(({ image }) => ({
        image: formatImageIdentity(image),
        ...(image.digest !== undefined && { digest: image.digest }),
      })),
      ignored: ignored.slice(0, mostIgnored),
    };
  };
}

/** Whether a request may go on to be answered, without its body (for the handshake of CloudEvents). Throws as {@link createTakeNotice}'s do. */
export function checkHandshake(given: Omit<GivenNotice, 'readBody'>, secrets: readonly string[]): void {
  if (secrets.length === 0) throw fail('forbidden', 'the webhook for registries is shut');
  const verdict = admitByToken(given.headers, given.query, secrets);
  if (verdict !== 'ok') throw refuseNotice(verdict === 'missing' ? 'missing' : 'wrong');
}
