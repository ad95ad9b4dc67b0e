/** A 512-byte tar header, decoded as far as a reader of build contexts needs it. */
export interface TarHeader {
  /** The type flag: `0` file, `1` hard link, `2` symbolic link, `5` directory, `x` extended header … */
  readonly flag: string;
  readonly name: string;
  readonly linkName: string;
  /** Bytes of data as the header states them. */
  readonly size: number;
}

export const blockSize = 512;

/** True for a block of zeros, two of which end an archive. */
export function isZeroBlock(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

/**
 * Decodes a header block as Go's archive/tar does, which the engine reads contexts with: what this reader lets pass must
 * mean the same there. Undefined when the block is no header.
 */
export function decodeHeader(block: Buffer): TarHeader | undefined {
  if (!hasValidChecksum(block)) return undefined;
  const size = readNumber(block, 124, 12);
  if (size === undefined || size < 0 || !Number.isSafeInteger(size)) return undefined;
  const prefix = readPrefix(block);
  if (prefix === undefined) return undefined;
  const name = readText(block, 0, 100);
  const flag = block[156] === 0 ? '0' : String.fromCharCode(block[156] ?? 0);
  return { flag, name: prefix === '' ? name : `${prefix}/${name}`, linkName: readText(block, 157, 100), size };
}

/** The checksum counts its own field as spaces; old writers added signed bytes. */
function hasValidChecksum(block: Buffer): boolean {
  let unsigned = 0;
  let signed = 0;
  for (let at = 0; at < blockSize; at += 1) {
    const byte = at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stated = readNumber(block, 148, 8);
  return stated === unsigned || stated === signed;
}

/** The first part of a long name in the ustar and star formats; GNU keeps times there, old tar nothing. */
function readPrefix(block: Buffer): string | undefined {
  const magic = block.toString('latin1', 257, 265);
  if (magic.startsWith('ustar\0'))
    return readText(block, 345, block.toString('latin1', 508, 512) === 'tar\0' ? 131 : 155);
  if (magic !== 'ustar  \0' || block[345] === 0) return '';
  // Go takes this field for a name when it is no number: an ambiguity nothing honest needs.
  return readNumber(block, 345, 12) === undefined ? undefined : '';
}

function readText(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString('utf8', at, end < 0 ? at + length : Math.min(end, at + length));
}

/** An octal number, or GNU's base-256 number; undefined when it is neither. */
function readNumber(block: Buffer, at: number, length: number): number | undefined {
  if (((block[at] ?? 0) & 0x80) !== 0) return readBase256(block, at, length);
  const digits = block.toString('latin1', at, at + length).replace(/^[ \0]+|[ \0]+$/g, '');
  const octal = digits.split('\0', 1)[0] ?? '';
  if (octal === '') return 0;
  return /^[0-7]+$/.test(octal) ? Number.parseInt(octal, 8) : undefined;
}

function readBase256(block: Buffer, at: number, length: number): number | undefined {
  if (((block[at] ?? 0) & 0x40) !== 0) return undefined;
  let value = (block[at] ?? 0) & 0x3f;
  for (let index = at + 1; index < at + length; index += 1) value = value * 256 + (block[index] ?? 0);
  return value;
}
