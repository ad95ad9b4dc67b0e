import { fail } from '../domain/failure.ts';
import type { ByteRange } from './ports.ts';

/** The first and last byte to read of an object of `size` bytes; throws `invalid-request` when the range begins beyond it. */
export function clipRange(range: ByteRange | undefined, size: number): { start: number; end: number } {
  const start = range?.start ?? 0;
  const end = Math.min(range?.end ?? size - 1, size - 1);
  if (range !== undefined && (start >= size || end < start)) {
    throw fail('invalid-request', `the object has ${String(size)} bytes; the range begins beyond them`, {
      field: 'range',
    });
  }
  return { start, end };
}
