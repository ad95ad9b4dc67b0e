import { describe, expect, it } from 'vitest';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import { createObjectJournal } from '../../src/blob/object-journal.ts';
import { fail } from '../../src/domain/failure.ts';
import { journalPrefix } from '../../src/registry/layout.ts';
import { sha, startRegistry } from './rig.ts';

describe('an upload whose last request failed for the server’s reasons', () => {
  it('can be ended by the same request again', async () => {
    const storage = createMemoryBlobStore(() => 0);
    const journal = createObjectJournal({ storage, prefix: journalPrefix, clock: { now: () => 0 }, isShared: false });
    let failures = 0;
    const append: typeof journal.append = (sequence, bytes) => {
      if (failures === 0) return journal.append(sequence, bytes);
      failures -= 1;
      return Promise.reject(fail('storage-unavailable', 'the disk of the journal is full'));
    };
    const failing = { isShared: false, append, read: journal.read.bind(journal), trim: journal.trim.bind(journal) };
    const running = await startRegistry({ storage, journal: { ...failing, close: () => journal.close() } });
    const body = Buffer.alloc(300_000, 'x');
    const begun = await running.send('POST', '/v2/app/blobs/uploads/');
    const location = begun.headers.get('location') ?? '';
    await running.send('PATCH', location, { body });
    failures = 1;
    const end = (): Promise<Response> => running.send('PUT', `${location}?digest=${sha(body)}`);
    expect((await end()).status).toBe(503);
    expect((await end()).status).toBe(201);
    const read = await running.send('GET', `/v2/app/blobs/${sha(body)}`);
    expect(sha(Buffer.from(await read.arrayBuffer()))).toBe(sha(body));
    await running.stop();
  });
});
