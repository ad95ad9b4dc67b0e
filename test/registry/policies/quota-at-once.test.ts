import { describe, expect, it } from 'vitest';
import { createMemoryBlobStore } from '../../../src/blob/memory/store.ts';
import { createObjectJournal } from '../../../src/blob/object-journal.ts';
import type { Journal } from '../../../src/blob/journal-ports.ts';
import { journalPrefix } from '../../../src/registry/layout.ts';
import { sha, startRegistry } from '../rig.ts';

describe('pushes that come at once', () => {
  it('are not more together than may be held', async () => {
    const storage = createMemoryBlobStore(() => 0);
    const inner = createObjectJournal({ storage, prefix: journalPrefix, clock: { now: () => 0 }, isShared: false });
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    // The first entry is not written before all pushes wait.
    const append: Journal['append'] = async (sequence, bytes) => {
      await begun;
      return inner.append(sequence, bytes);
    };
    const journal = { isShared: false, append, read: inner.read.bind(inner), trim: inner.trim.bind(inner) };
    const given = { ...journal, close: () => inner.close() };
    const running = await startRegistry({ storage, journal: given, care: { maxBytes: 10_000 } });
    const pushes = Array.from({ length: 12 }, async (_, at) => {
      const body = Buffer.alloc(3000, at);
      return (await running.send('POST', `/v2/app/blobs/uploads/?digest=${sha(body)}`, { body })).status;
    });
    setTimeout(begin, 200);
    const statuses = await Promise.all(pushes);
    expect(statuses.filter((status) => status === 201)).toHaveLength(3);
    expect(statuses.filter((status) => status === 403)).toHaveLength(9);
    await running.stop();
  });
});
