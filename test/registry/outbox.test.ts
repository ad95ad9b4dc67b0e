import { describe, expect, it } from 'vitest';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import { createObjectJournal } from '../../src/blob/object-journal.ts';
import type { Journal } from '../../src/blob/journal-ports.ts';
import type { BlobStore } from '../../src/blob/ports.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { PushEvent } from '../../src/domain/event.ts';
import { fail } from '../../src/domain/failure.ts';
import type { RepositoryName } from '../../src/domain/image-reference.ts';
import { encodeChanges, type Change } from '../../src/registry/changes.ts';
import { journalPrefix } from '../../src/registry/layout.ts';
import { sha, startRegistry, until } from './rig.ts';

function event(at: number): PushEvent {
  const digest = sha(String(at)) as Digest;
  const id = `event-${String(at).padStart(5, '0')}`;
  return {
    id,
    kind: 'push',
    repository: 'app' as RepositoryName,
    digest,
    mediaType: 'm',
    size: 1,
    at: '2026-01-01T00:00:00.000Z',
  };
}

/** A journal that an earlier process left with so many events that were not told. */
async function left(storage: BlobStore, count: number): Promise<Journal> {
  const journal = createObjectJournal({ storage, prefix: journalPrefix, clock: { now: () => 0 }, isShared: false });
  const events = Array.from({ length: count }, (_, at) => event(at));
  await journal.append(1, encodeChanges(events.map((record): Change => ({ is: 'event', id: record.id, record }))));
  return journal;
}

describe('thousands of events', () => {
  it('are not told all at once, and the log is not filled with what fails', async () => {
    const storage = createMemoryBlobStore(() => 0);
    const journal = await left(storage, 1000);
    const told: string[] = [];
    const warnings: string[] = [];
    let [underWay, most, isAway] = [0, 0, true];
    const running = await startRegistry({
      ...{ storage, journal, limits: { eventRetryMs: 5 } },
      logger: { warn: (_, message) => void warnings.push(message), error: () => undefined },
      onEvent: async ({ id }) => {
        underWay += 1;
        most = Math.max(most, underWay);
        await new Promise(setImmediate);
        underWay -= 1;
        if (isAway) throw new Error('away');
        told.push(id);
      },
    });
    await until(() => warnings.length > 0);
    isAway = false;
    await until(() => running.registry.countUntoldEvents() === 0);
    expect(new Set(told).size).toBe(1000);
    expect(most).toBeLessThanOrEqual(64);
    expect(warnings.length).toBeLessThan(10);
    await running.stop();
  });

  it('do not keep the registry from being closed when nobody takes them', { timeout: 20_000 }, async () => {
    const storage = createMemoryBlobStore(() => 0);
    const journal = await left(storage, 3);
    const running = await startRegistry({ storage, journal, onEvent: () => new Promise<void>(() => undefined) });
    await running.stop();
    expect(running.registry.countUntoldEvents()).toBe(3);
  });
});

describe('an event that was told', () => {
  it('is noted as told later, when the journal failed', async () => {
    const storage = createMemoryBlobStore(() => 0);
    const journal = await left(storage, 1);
    let failures = 1;
    const append: Journal['append'] = (sequence, bytes) => {
      failures -= 1;
      if (failures >= 0) return Promise.reject(fail('storage-unavailable', 'the disk of the journal is full'));
      return journal.append(sequence, bytes);
    };
    const failing = { isShared: false, append, read: journal.read.bind(journal), trim: journal.trim.bind(journal) };
    const given = { ...failing, close: () => journal.close() };
    const running = await startRegistry({ storage, journal: given, limits: { eventRetryMs: 10 } });
    await until(() => running.registry.countUntoldEvents() === 0);
    expect(running.events.length).toBe(1);
    await running.stop();
  });
});
