import { createHash } from 'node:crypto';
import { splitDigest, type Digest } from '../../domain/digest.ts';
import { contentKey } from '../layout.ts';
import type { CheckRun } from './rooms.ts';

/** What lies under a digest: what it should be, nothing, or something else. */
export type Content =
  { readonly is: 'good' } | { readonly is: 'missing' } | { readonly is: 'damaged'; readonly why: string };

/** Looks at stored bytes: their size first, then, unless the check is not to read any, their digest. */
export async function examine(run: CheckRun, digest: Digest, size: number | undefined): Promise<Content> {
  const { storage, manifestBytes } = run.state;
  if (manifestBytes.unplaced(digest) !== undefined) return { is: 'good' }; // the journal has them
  const found = await storage.stat(contentKey(digest));
  if (found === undefined) return { is: 'missing' };
  if (size !== undefined && found.size !== size) {
    return { is: 'damaged', why: `${String(found.size)} bytes instead of ${String(size)}` };
  }
  if (run.order.bytes === false) return { is: 'good' };
  return hashStored(run, digest);
}

async function hashStored(run: CheckRun, digest: Digest): Promise<Content> {
  const reading = await run.state.storage.read(contentKey(digest));
  if (reading === undefined) return { is: 'missing' };
  const { algorithm, hex } = splitDigest(digest);
  const hash = createHash(algorithm);
  for await (const chunk of reading.stream) {
    hash.update(chunk as Buffer);
    await run.pace.take((chunk as Buffer).length);
    run.signal.throwIfAborted();
  }
  const actual = hash.digest('hex');
  return actual === hex ? { is: 'good' } : { is: 'damaged', why: `its bytes have the digest ${algorithm}:${actual}` };
}
