import { fail } from '../domain/failure.ts';
import { decodeLongName, decodePax, type PaxRecords } from './tar-extension.ts';
import { blockSize, decodeHeader, isZeroBlock, type TarHeader } from './tar-header.ts';

/** One member of an archive, with the names and the size that its extended headers give it. */
export interface TarEntry {
  readonly kind: 'file' | 'directory' | 'symlink' | 'link' | 'special';
  readonly name: string;
  readonly linkName: string;
  readonly size: number;
}

/** Bytes of an extended header: far above any path, far below what would hurt. */
const maxExtensionBytes = 1024 * 1024;

const kinds: Readonly<Record<string, TarEntry['kind']>> = {
  '0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'special',
  '4': 'special',
  '5': 'directory',
  '6': 'special',
};

/**
 * Reads the headers of a tar stream and skips its data without copying it. It is stricter than most readers and agrees
 * with the engine's: two readers that see different names in one archive are how filters are passed by.
 * `write` and `end` throw `invalid-context`.
 */
export class TarReader {
  readonly #onEntry: (entry: TarEntry) => void;
  /** The block or extended header being put together out of chunks. */
  readonly #parts: Buffer[] = [];
  #have = 0;
  #want = blockSize;
  #skip = 0;
  #zeroBlocks = 0;
  #extension: TarHeader | undefined;
  #pax: PaxRecords | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;

  constructor(onEntry: (entry: TarEntry) => void) {
    this.#onEntry = onEntry;
  }

  /** Takes the next bytes, however they were cut. */
  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && this.#zeroBlocks < 2) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      const taken = Math.min(this.#want - this.#have, chunk.length - at);
      this.#parts.push(chunk.subarray(at, at + taken));
      this.#have += taken;
      at += taken;
      if (this.#have === this.#want) this.#takeGathered();
    }
    // A part that waits for the next chunk must not keep this whole chunk in memory.
    if (this.#parts.length > 0) this.#parts.push(Buffer.from(this.#parts.pop() ?? Buffer.alloc(0)));
  }

  /** Says that there are no more bytes. */
  end(): void {
    const isComplete = this.#have === 0 && this.#skip === 0 && this.#extension === undefined && !this.#hasPending();
    if (this.#zeroBlocks === 0 || !isComplete) throw broken('it ends in the middle (was the upload cut short?)');
  }

  #takeGathered(): void {
    const data = this.#parts.length === 1 ? (this.#parts[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#parts);
    this.#parts.length = 0;
    this.#have = 0;
    this.#want = blockSize;
    if (this.#extension === undefined) this.#takeHeader(data);
    else this.#takeExtension(this.#extension, data);
  }

  #takeHeader(block: Buffer): void {
    if (isZeroBlock(block)) {
      this.#zeroBlocks += 1;
      return;
    }
    const header = this.#zeroBlocks === 0 ? decodeHeader(block) : undefined;
    if (header === undefined) throw broken('a header in it is damaged');
    if ('xgLK'.includes(header.flag)) this.#expectExtension(header);
    else this.#takeEntry(header);
  }

  #expectExtension(header: TarHeader): void {
    if (header.size > maxExtensionBytes) throw broken('an extended header in it is larger than 1 MiB');
    this.#extension = header;
    this.#want = header.size;
    if (header.size === 0) this.#takeExtension(header, Buffer.alloc(0));
  }

  #takeExtension(header: TarHeader, data: Buffer): void {
    this.#extension = undefined;
    this.#want = blockSize;
    this.#skip = paddingOf(header.size);
    if (header.flag === 'L') this.#longName = decodeLongName(data);
    else if (header.flag === 'K') this.#longLink = decodeLongName(data);
    else this.#takePax(header.flag, decodePax(data));
  }

  #takePax(flag: string, records: PaxRecords | undefined): void {
    if (records === undefined) throw broken('an extended header in it is damaged');
    for (const key of records.keys()) {
      if (key.startsWith('GNU.sparse.')) throw broken('it holds a sparse file, which is not supported');
    }
    if (flag === 'x') this.#pax = records;
    else if (['path', 'linkpath', 'size'].some((key) => records.has(key))) {
      throw broken('a global header in it renames every entry, which readers understand differently');
    }
  }

  #takeEntry(header: TarHeader): void {
    const { name, linkName, size } = this.#applyExtensions(header);
    const kind = kinds[header.flag];
    if (kind === undefined) throw broken(`the entry ${JSON.stringify(name)} in it is of a type that is not supported`);
    // The engine's reader takes no data for links and directories, whatever size they state.
    this.#skip = kind === 'file' ? size + paddingOf(size) : 0;
    const isOldDirectory = header.flag === '0' && name.endsWith('/');
    if (isOldDirectory && size > 0) throw broken(`the directory ${JSON.stringify(name)} in it has data`);
    this.#onEntry({ kind: isOldDirectory ? 'directory' : kind, name, linkName, size: kind === 'file' ? size : 0 });
  }

  #applyExtensions(header: TarHeader): { name: string; linkName: string; size: number } {
    if (this.#pax !== undefined && (this.#longName !== undefined || this.#longLink !== undefined)) {
      throw broken('an entry in it has two long names, which readers understand differently');
    }
    const name = this.#longName ?? pick(this.#pax, 'path') ?? header.name;
    const linkName = this.#longLink ?? pick(this.#pax, 'linkpath') ?? header.linkName;
    const size = sizeOf(this.#pax, header);
    this.#pax = this.#longName = this.#longLink = undefined;
    return { name, linkName, size };
  }

  #hasPending(): boolean {
    return this.#pax !== undefined || this.#longName !== undefined || this.#longLink !== undefined;
  }
}

/** An empty record takes the value back, and the header's own counts. */
function pick(records: PaxRecords | undefined, key: string): string | undefined {
  const value = records?.get(key);
  return value === '' ? undefined : value;
}

function sizeOf(pax: PaxRecords | undefined, header: TarHeader): number {
  const text = pick(pax, 'size');
  if (text === undefined) return header.size;
  const size = /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
  if (size === undefined) throw broken('an extended header in it states no valid size');
  return size;
}

function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

function broken(why: string): Error {
  return fail('invalid-context', `the archive cannot be used: ${why}`);
}
