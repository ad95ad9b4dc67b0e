import { randomUUID } from 'node:crypto';
import type { Bucket } from './bucket.ts';

const mebibyte = 1024 * 1024;

/** Whole pieces before they become larger, so that an object of 350 GiB has no more than the 10,000 parts of S3. */
const smallPieces = 5000;
const smallBytes = 8 * mebibyte;
const largeBytes = 64 * mebibyte;

/** The largest upload, in bytes. */
export const maxUploadBytes = smallPieces * (smallBytes + largeBytes);

/** A stretch of an upload that lies in the bucket as an object of its own. */
export interface Piece {
  readonly key: string;
  /** Where in the upload it begins. */
  readonly offset: number;
  readonly size: number;
}

/** How many bytes the piece has that begins at `offset`, when it is whole: all but the last of an upload are. */
export function wholeBytesAt(offset: number): number {
  return offset < smallPieces * smallBytes ? smallBytes : largeBytes;
}

/**
 * A key for a piece, new each time: so a request of a process that is thought dead, or one that was given up, and comes
 * late after all, changes nothing that was written since.
 */
export function newPieceKey(folder: string, offset: number): string {
  return `${folder}${String(offset).padStart(16, '0')}.${randomUUID()}`;
}

/** What a listing of an upload's folder has come to. */
export interface FoundPieces {
  /** All keys of the upload; none: there is no such upload. */
  readonly keys: readonly string[];
  /** Whole pieces from the beginning on, without a gap. */
  readonly pieces: Piece[];
  /** The short piece that follows them. */
  readonly tail: Piece | undefined;
  /** Objects behind a gap, and shorter ones that a whole piece stands for. */
  readonly strays: readonly string[];
}

/** Finds out what is there of an upload. */
export async function findPieces(bucket: Bucket, folder: string): Promise<FoundPieces> {
  const longest = new Map<number, Piece>();
  const keys: string[] = [];
  const stored: string[] = [];
  for await (const { key, size } of bucket.all(folder)) {
    keys.push(key);
    const digits = /^(\d{16})\./.exec(key.slice(folder.length))?.[1];
    if (digits === undefined) continue;
    stored.push(key);
    const offset = Number(digits);
    if (size > (longest.get(offset)?.size ?? 0)) longest.set(offset, { key, offset, size });
  }
  const pieces: Piece[] = [];
  let offset = 0;
  let next = longest.get(offset);
  while (next?.size === wholeBytesAt(offset)) {
    pieces.push(next);
    offset += next.size;
    next = longest.get(offset);
  }
  const used = new Set([...pieces, ...(next === undefined ? [] : [next])].map(({ key }) => key));
  return { keys, pieces, tail: next, strays: stored.filter((key) => !used.has(key)) };
}
