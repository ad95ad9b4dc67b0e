/** One entry as it was appended. */
export interface JournalEntry {
  /** Counts entries from 1, without a gap. */
  readonly sequence: number;
  readonly bytes: Buffer;
}

/**
 * A log of small entries that survives a power cut: the order in which several changes were made, whatever made them.
 * Every implementation passes `test/blob/journal-contract.ts`.
 *
 * - What {@link append} has resolved to true for is durable, whole, and read by everybody who reads later.
 * - An entry that was being written when its process died is either there whole, or was never there.
 * - Storage that does not answer, or is full, rejects with `storage-unavailable`; nothing of the entry is then to be seen, and
 *   the same number can be tried again. When it cannot be told any more what is on the disk (a failed sync), every later
 *   append rejects, until the journal is opened anew.
 */
export interface Journal {
  /** True when other processes may append too. */
  readonly isShared: boolean;
  /**
   * The entries after `sequence` (0: all), in order, as far as there are any.
   * @throws `conflict` when the next one has been trimmed away: whoever reads was away for too long, and needs a snapshot.
   */
  read(after: number): AsyncIterable<JournalEntry>;
  /**
   * Appends an entry under the number that the caller believes to be the next: the last one that it has read or appended, plus 1.
   * False: another process was first, read what it wrote. One caller at a time within a process.
   */
  append(sequence: number, bytes: Uint8Array): Promise<boolean>;
  /** Lets go of entries up to and including `sequence`; some may stay for a while. */
  trim(upTo: number): Promise<void>;
  close(): Promise<void>;
}
