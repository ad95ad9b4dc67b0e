import type { Digest } from '../domain/digest.ts';
import type { Call, Caller } from './caller.ts';
import { sendChunks } from './chunks.ts';
import type { Answer } from './ports.ts';
import { mayPass, RegistryRefusal } from './refusal.ts';
import { discard } from './small-body.ts';
import { closingOf, sessionOf, type SentBlob } from './upload-session.ts';

export interface UploadWish {
  /** Another repository of the registry that may have the blob: it is made one of this one then, and nothing is sent. */
  readonly from?: string | undefined;
  /** Sends it in parts of so many bytes, each of which is held in memory; in one request when left out. */
  readonly chunkBytes?: number | undefined;
}

const octets = { 'content-type': 'application/octet-stream' };
/** Bytes that are sent at once with the request that begins an upload. */
const atOnceBytes = 64 * 1024;
const mostTries = 3;

function post(repository: string, query: string, more: Partial<Call> = {}): Call {
  return { method: 'POST', repository, path: `blobs/uploads/${query}`, rights: 'push', ...more };
}

async function begin(caller: Caller, repository: string, digest: Digest, from: string | undefined): Promise<Answer> {
  if (from === undefined) return caller.read(post(repository, ''), [202]);
  const query = new URLSearchParams({ mount: digest, from }).toString();
  return caller.read(post(repository, `?${query}`, { from }), [201, 202]);
}

/** Gives an upload up; nothing is wrong with one that stays. */
async function cancel(caller: Caller, repository: string, session: string): Promise<void> {
  const call = { method: 'DELETE', repository, path: session, rights: 'push', isOnce: true } as const;
  await caller.read(call, [202, 204, 404]).catch(() => undefined);
}

/** Makes a blob of another repository one of this; false when the registry does not. */
export async function mount(caller: Caller, repository: string, digest: Digest, from: string): Promise<boolean> {
  const { status, headers } = await begin(caller, repository, digest, from);
  if (status === 202) await cancel(caller, repository, sessionOf(caller, repository, headers));
  return status === 201;
}

/** Sends a small blob in one request, or in two where the registry wants that (distribution-spec, "Pushing a blob monolithically"). */
export async function putBlob(
  caller: Caller,
  repository: string,
  { digest, bytes }: { readonly digest: Digest; readonly bytes: Uint8Array },
): Promise<void> {
  const sent = bytes.length > atOnceBytes ? '' : `?digest=${encodeURIComponent(digest)}`;
  const body = sent === '' ? {} : { headers: octets, body: bytes };
  const begun = await caller.read(post(repository, sent, body), [201, 202]);
  if (begun.status === 201) return;
  const path = closingOf(sessionOf(caller, repository, begun.headers), digest);
  await caller.read({ method: 'PUT', repository, path, headers: octets, body: bytes, rights: 'push' }, [201]);
}

async function sendWhole(caller: Caller, repository: string, session: string, blob: SentBlob): Promise<void> {
  const path = closingOf(session, blob.digest);
  const body = { size: blob.size, open: blob.open };
  const call = { method: 'PUT', repository, path, headers: octets, body, rights: 'push', isOnce: true } as const;
  discard(await caller.expect(call, [201]));
}

async function tryUpload(
  caller: Caller,
  repository: string,
  blob: SentBlob,
  { from, chunkBytes }: UploadWish,
): Promise<void> {
  const begun = await begin(caller, repository, blob.digest, from);
  if (begun.status === 201) return;
  const session = sessionOf(caller, repository, begun.headers);
  try {
    if (chunkBytes === undefined) await sendWhole(caller, repository, session, blob);
    else await sendChunks(caller, { repository, session, blob, chunkBytes, begun: begun.headers });
  } catch (error) {
    if (caller.signal?.aborted !== true) await cancel(caller, repository, session);
    throw error;
  }
}

/** What an upload that is begun anew may mend: the connection, the registry's own trouble, a session that is gone. */
function isWorthwhile(error: unknown): boolean {
  if (!(error instanceof RegistryRefusal)) return false;
  const { status } = error;
  return status === undefined ? mayPass(error) : [404, 416, 429].includes(status) || status >= 500;
}

/**
 * Sends a blob, again from its beginning (at most three times) where that may help.
 * @throws a RegistryRefusal; what `blob.open` rejects with or its stream ends with; the signal's reason.
 */
export async function uploadBlob(
  caller: Caller,
  repository: string,
  blob: SentBlob,
  wish: UploadWish = {},
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await tryUpload(caller, repository, blob, wish);
      return;
    } catch (error) {
      caller.signal?.throwIfAborted();
      if (tries === mostTries || !isWorthwhile(error)) throw error;
      await caller.pause(tries);
    }
  }
}
