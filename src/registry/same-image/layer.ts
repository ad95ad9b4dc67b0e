import { createHash, type Hash } from 'node:crypto';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';

/** What reading one layer may cost. */
export interface LayerBounds {
  /** Bytes of the layer once it is unpacked. */
  readonly maxBytes: number;
  readonly maxEntries: number;
  readonly signal: AbortSignal;
}

/** PAX records that say when something happened, or only repeat what the header says. */
const times: ReadonlySet<string> = new Set(['mtime', 'atime', 'ctime', 'LIBARCHIVE.creationtime']);

/** Everything of an entry but its times. Throws where it cannot be told for certain what the entry is. */
function describeEntry(header: Header): string {
  const { name, type, mode, uid, gid, size, linkname, uname, gname, devmajor, devminor } = header;
  // The reader knows no name for the kinds that it does not know.
  if (typeof (type as unknown) !== 'string') throw new Error('an entry of an unknown kind');
  const records = Object.entries((header.pax ?? {}) as Record<string, string>).filter(([key]) => !times.has(key));
  const text = JSON.stringify([
    ...[name, type, mode, uid, gid, size, linkname, uname, gname, devmajor, devminor],
    records.sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
  // Bytes that are no UTF-8 were replaced on the way here: two different names may look the same.
  if (text.includes('\uFFFD')) throw new Error('an entry with bytes that are no text');
  return text;
}

async function hashEntries(source: Readable, hash: Hash, { maxBytes, maxEntries }: LayerBounds): Promise<void> {
  let entries = 0;
  let total = 0;
  const reader = extract();
  source.on('error', (error) => reader.destroy(error));
  source.pipe(reader);
  for await (const entry of reader) {
    entries += 1;
    if (entries > maxEntries) throw new Error('too many entries');
    const text = describeEntry(entry.header);
    hash.update(`${String(Buffer.byteLength(text))}:${text}`);
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      total += chunk.length;
      if (total > maxBytes) throw new Error('too many bytes');
      hash.update(chunk);
    }
  }
}

/** Passes bytes on, and fails when they are more than they may be, whether or not they are a tar archive. */
function limitBytes(maxBytes: number): Transform {
  let total = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      total += chunk.length;
      if (total > maxBytes) done(new Error('too many bytes'));
      else done(null, chunk);
    },
  });
}

/**
 * What a layer (tar, or tar with gzip) comes to without regard to times: two layers with the same fingerprint hold the same entries in the
 * same order. Undefined when that cannot be told: another compression, a broken archive, an odd entry, or more than the bounds allow.
 */
export async function fingerprintLayer(
  open: () => Promise<Readable | undefined>,
  isGzip: boolean,
  bounds: LayerBounds,
): Promise<string | undefined> {
  const source = await open();
  if (source === undefined) return undefined;
  const hash = createHash('sha256');
  const unpacked = limitBytes(2 * bounds.maxBytes);
  const feeding = isGzip
    ? pipeline(source, createGunzip(), unpacked, { signal: bounds.signal })
    : pipeline(source, unpacked, { signal: bounds.signal });
  try {
    await Promise.all([hashEntries(unpacked, hash, bounds), feeding]);
    return hash.digest('hex');
  } catch {
    source.destroy();
    unpacked.destroy();
    await feeding.catch(() => undefined);
    return undefined;
  }
}
