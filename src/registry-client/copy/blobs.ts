import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { splitDigest, type Digest } from '../../domain/digest.ts';
import { fail } from '../../domain/failure.ts';
import type { Descriptor } from '../documents.ts';
import { misbehaves } from '../refusal.ts';
import { createSlots } from './at-most.ts';
import type { CopyEnd, CopyLimits } from './ports.ts';
import type { Tally } from './tally.ts';

/** What blobs are copied with. */
export interface BlobMeans {
  readonly from: CopyEnd;
  readonly to: CopyEnd;
  readonly limits: CopyLimits;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}

/** The bytes of a blob, checked as they pass. */
async function* check(
  source: AsyncIterable<Buffer>,
  { digest, size }: Descriptor,
  means: BlobMeans,
): AsyncGenerator<Buffer> {
  const { algorithm, hex } = splitDigest(digest);
  const hash = createHash(algorithm);
  let bytes = 0;
  const wrong = (): Error =>
    misbehaves(means.from.name, `sends other bytes for the blob ${digest} than its digest and size say`);
  means.tally.restart(digest);
  for await (const chunk of source) {
    if (means.signal.aborted) throw stopped(means.signal);
    bytes += chunk.length;
    if (bytes > size) throw wrong();
    hash.update(chunk);
    means.tally.add(digest, chunk.length);
    yield chunk;
  }
  if (bytes !== size || hash.digest('hex') !== hex) throw wrong();
}

/** No refusal of a registry, whatever the copy was stopped for: nobody tries again. */
function stopped(signal: AbortSignal): Error {
  return new Error('the copy was stopped', { cause: signal.reason });
}

async function openChecked(blob: Descriptor, means: BlobMeans): Promise<Readable> {
  if (means.signal.aborted) throw stopped(means.signal);
  const source = await means.from.openBlob(blob.digest, blob.size);
  const stream = Readable.from(check(source as AsyncIterable<Buffer>, blob, means), { objectMode: false });
  stream.once('close', () => source.destroy());
  return stream;
}

/** Makes the function that copies a blob, each once, so many at once. */
export function createBlobCopier(means: BlobMeans): (blob: Descriptor) => Promise<void> {
  const { from, to, limits, tally, signal } = means;
  const known = new Map<Digest, Promise<void>>();
  const inSlot = createSlots(limits.atOnce);
  const copy = async (blob: Descriptor): Promise<void> => {
    signal.throwIfAborted();
    const { digest, size, mediaType } = blob;
    if (await to.hasBlob(digest)) {
      tally.skip(blob);
      return;
    }
    signal.throwIfAborted();
    await to.writeBlob({ digest, size, mediaType, open: () => openChecked(blob, means), from: from.place });
    tally.finish(blob);
  };
  return (blob) => {
    const before = known.get(blob.digest);
    if (before !== undefined) return before;
    tally.expect(blob);
    if (tally.now().knownBytes > limits.bytes)
      return Promise.reject(fail('too-large', `the image is larger than the ${String(limits.bytes)} bytes allowed`));
    const begun = inSlot(() => copy(blob));
    known.set(blob.digest, begun);
    return begun;
  };
}
