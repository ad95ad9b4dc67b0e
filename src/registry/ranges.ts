import { oci } from './errors.ts';

/** First and last byte, both included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * The part that a `Range` header asks of an object of `size` bytes (RFC 9110 §14.2): undefined means the whole object
 * (no header, another unit, several ranges, no sense in it). Throws 416 for a range that holds no byte.
 */
export function parseRange(header: string | undefined, size: number): Span | undefined {
  const [, first, last] = /^bytes=(?!-$)(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined) return undefined;
  const span = first === '' ? suffix(Number(last), size) : { start: Number(first), end: endOf(last, size) };
  if (span.start <= span.end && span.start < size) return span;
  throw oci('SIZE_INVALID', 'the range holds no byte of this blob', {
    status: 416,
    headers: { 'content-range': `bytes */${String(size)}` },
  });
}

function endOf(last: string, size: number): number {
  return last === '' ? size - 1 : Math.min(Number(last), size - 1);
}

function suffix(length: number, size: number): Span {
  return { start: Math.max(0, size - length), end: length === 0 ? -1 : size - 1 };
}

/**
 * The first byte that a `Content-Range` of an upload names (`0-99`, `bytes 0-99/*`), checked against the announced
 * length of the body; undefined when there is no such header. Throws BLOB_UPLOAD_INVALID when it makes no sense.
 */
export function parseContentRange(header: string | undefined, length: number | undefined): number | undefined {
  if (header === undefined) return undefined;
  const [, first, last] = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header.trim()) ?? [];
  if (first === undefined || last === undefined) throw oci('BLOB_UPLOAD_INVALID', 'Content-Range is not start-end');
  const [start, end] = [Number(first), Number(last)];
  const isRight = end >= start && (length === undefined || end - start + 1 === length);
  if (!isRight) throw oci('SIZE_INVALID', 'Content-Range and Content-Length differ', { status: 416 });
  return start;
}
