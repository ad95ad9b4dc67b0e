import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileJournal } from '../../src/blob/disk/journal.ts';
import { createDiskBlobStore } from '../../src/blob/disk/store.ts';
import { createMemoryJournal, JournalMemory } from '../../src/blob/memory/journal.ts';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import { createObjectJournal } from '../../src/blob/object-journal.ts';
import type { BlobStore } from '../../src/blob/ports.ts';
import { describeJournal, type JournalUnderTest } from './journal-contract.ts';

const nothing = (): void => undefined;

describeJournal('the journal in memory', () => {
  const memory = new JournalMemory();
  return Promise.resolve({
    open: () => Promise.resolve(createMemoryJournal({ memory })),
    passTime: nothing,
    dispose: () => Promise.resolve(),
  });
});

describeJournal('the journal in a file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-journal-'));
  return {
    open: () => openFileJournal(join(directory, 'journal'), { segmentBytes: 200, stepBytes: 4096 }),
    passTime: nothing,
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
});

function onStore(storage: BlobStore, dispose: () => Promise<void>): JournalUnderTest {
  let now = 1_700_000_000_000;
  return {
    open: () =>
      Promise.resolve(createObjectJournal({ storage, prefix: 'registry/journal/', clock: { now: () => now } })),
    passTime: () => (now += 11 * 60_000),
    dispose,
  };
}

describeJournal('the journal of objects in memory', () =>
  Promise.resolve(
    onStore(
      createMemoryBlobStore(() => 0),
      () => Promise.resolve(),
    ),
  ),
);

describeJournal('the journal of objects on disk', async () => {
  const root = await mkdtemp(join(tmpdir(), 'slipway-journal-'));
  const storage = await createDiskBlobStore(root, () => Date.now());
  return onStore(storage, () => rm(root, { recursive: true, force: true }));
});
