import { crc32 } from 'node:zlib';
import { maxEntryBytes } from '../journal-rules.ts';

/**
 * A segment begins with this and 8 random bytes. Checksums start from the random ones, so that what a client made part of
 * an entry can never pass for a record of its own.
 */
const magic = Buffer.from('slipjrn1', 'latin1');
export const segmentHeaderBytes = 16;

/** A record: length (4), checksum (4), sequence (8), all big-endian, then the bytes of the entry. */
export const recordHeaderBytes = 16;

/** The first bytes of a segment, and the value that its checksums start from. */
export interface SegmentHeader {
  readonly bytes: Buffer;
  readonly seed: number;
}

/** Reads the header of a segment; undefined for bytes that begin none. */
export function readSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < segmentHeaderBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
  return { bytes, seed: crc32(bytes) };
}

/** Makes the header of a new segment. @param random 8 random bytes. */
export function makeSegmentHeader(random: Buffer): SegmentHeader {
  const bytes = Buffer.concat([magic, random]);
  return { bytes, seed: crc32(bytes) };
}

/** What a record's header says. */
export interface RecordHeader {
  readonly length: number;
  readonly checksum: number;
  readonly sequence: number;
}

/** Reads the header at an offset (16 bytes are there for certain); undefined when no record can begin so. */
export function readRecordHeader(bytes: Buffer, offset: number): RecordHeader | undefined {
  const length = bytes.readUInt32BE(offset);
  const high = bytes.readUInt32BE(offset + 8);
  const sequence = high * 2 ** 32 + bytes.readUInt32BE(offset + 12);
  if (length > maxEntryBytes || sequence === 0 || high >= 2 ** 21) return undefined;
  return { length, checksum: bytes.readUInt32BE(offset + 4), sequence };
}

/** The checksum over the length, the sequence and the bytes of a record that begins at an offset and is there whole. */
export function checksumOf(record: Buffer, offset: number, length: number, seed: number): number {
  const lengthSum = crc32(record.subarray(offset, offset + 4), seed);
  return crc32(record.subarray(offset + 8, offset + recordHeaderBytes + length), lengthSum);
}

/** An entry as it is written. */
export function encodeRecord(sequence: number, bytes: Uint8Array, seed: number): Buffer {
  const record = Buffer.allocUnsafe(recordHeaderBytes + bytes.length);
  record.writeUInt32BE(bytes.length, 0);
  record.writeBigUInt64BE(BigInt(sequence), 8);
  record.set(bytes, recordHeaderBytes);
  record.writeUInt32BE(checksumOf(record, 0, bytes.length, seed), 4);
  return record;
}
