import { describe, expect, it } from 'vitest';
import { checkEntrySize } from '../../src/blob/journal-rules.ts';
import type { Journal, JournalEntry } from '../../src/blob/journal-ports.ts';
import { RegistryIndex } from '../../src/registry/contents.ts';
import { Ledger } from '../../src/registry/ledger.ts';

function createJournal(sizes: number[]): Journal {
  return {
    isShared: false,
    async *read(): AsyncGenerator<JournalEntry> {
      // nothing was written before
    },
    append: (_, bytes) => {
      checkEntrySize(bytes);
      sizes.push(bytes.length);
      return Promise.resolve(true);
    },
    trim: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

describe('commits that come at once', () => {
  it('are never refused because of what others bring: those that are too much for one entry take several', async () => {
    const sizes: number[] = [];
    const index = new RegistryIndex();
    const ledger = new Ledger({ index, journal: createJournal(sizes), sequence: 0, reload: () => Promise.resolve(0) });
    const text = 'ü'.repeat(2 * 1024 * 1024);
    const commits = Array.from({ length: 12 }, (_, at) =>
      ledger.commit(
        () => ({ changes: [{ is: 'document', kind: 'k', name: String(at), record: { text } }], result: at }),
        { own: [String(at)] },
      ),
    );
    expect(await Promise.all(commits)).toEqual(Array.from({ length: 12 }, (_, at) => at));
    expect(index.documents('k').size).toBe(12);
    expect(sizes.length).toBeGreaterThan(1);
  });
});
