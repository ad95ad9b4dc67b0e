import { fail, type FailureError } from '../domain/failure.ts';

/** The bytes that one entry of a journal has at most. */
export const maxEntryBytes = 32 * 1024 * 1024;

/** Throws `too-large` for an entry that no journal takes. */
export function checkEntrySize(bytes: Uint8Array): void {
  if (bytes.length <= maxEntryBytes) return;
  throw fail('too-large', `an entry of the journal has at most ${String(maxEntryBytes)} bytes`, {
    hint: 'make the change in several steps',
  });
}

/** A sequence number as names hold it: 16 digits, so that names sort as numbers do. */
export function formatSequence(sequence: number): string {
  return String(sequence).padStart(16, '0');
}

/** The number in a name, or undefined when it is none. */
export function parseSequence(text: string): number | undefined {
  if (!/^\d{16}$/.test(text)) return undefined;
  const sequence = Number(text);
  return sequence >= 1 && Number.isSafeInteger(sequence) ? sequence : undefined;
}

/** What a reader meets who was away for so long that the entry it needs is gone. */
export function trimmedAway(sequence: number): FailureError {
  return fail('conflict', `entry ${String(sequence)} of the journal has been trimmed away`, {
    hint: 'begin with the newest snapshot',
  });
}

/** What a writer meets who skips numbers. */
export function notTheNext(sequence: number): FailureError {
  return fail('conflict', `entry ${String(sequence)} cannot be appended: the one before it is not there`);
}

/** What everybody meets after `close`. */
export function journalClosed(): FailureError {
  return fail('storage-unavailable', 'the journal is closed');
}
