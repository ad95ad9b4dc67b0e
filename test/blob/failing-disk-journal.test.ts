import { mkdtemp, open, readdir, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileJournal, type FileJournalOptions } from '../../src/blob/disk/journal.ts';
import { appendMany, textsOf } from './journal-contract.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-journal-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const firstSegment = '0000000000000001.log';
const unavailable = { failure: { reason: 'storage-unavailable' } };

interface Faults {
  /** Bytes that may yet be written; more give ENOSPC, after as many as fit. */
  room: number;
  /** Syncs that may yet succeed. */
  syncs: number;
  /** Refuses to overwrite and to cut off, so that nothing can be undone. */
  stuck: boolean;
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Files on a disk that fails as it is told. */
function failingFiles(faults: Faults): FileJournalOptions['openFile'] {
  return async (path, flags) => {
    const file = await open(path, flags, 0o600);
    const sizes = { known: (await file.stat()).size };
    const write = async (bytes: Buffer, offset: number, length: number, position: number): Promise<unknown> => {
      if (faults.stuck) throw systemError('EIO');
      const grows = Math.max(0, position + length - sizes.known);
      if (grows > 0 && faults.room === 0) throw systemError('ENOSPC');
      const fits = length - grows + Math.min(grows, faults.room);
      faults.room -= Math.min(grows, faults.room);
      sizes.known = Math.max(sizes.known, position + fits);
      return file.write(bytes, offset, fits, position);
    };
    const datasync = async (): Promise<void> => {
      if (faults.syncs-- <= 0) throw systemError('EIO');
      await file.datasync();
    };
    const truncate = async (length: number): Promise<void> => {
      if (faults.stuck) throw systemError('EIO');
      faults.room += Math.max(0, sizes.known - length);
      sizes.known = length;
      await file.truncate(length);
    };
    const own: Partial<Record<string | symbol, unknown>> = { write, datasync, truncate };
    return new Proxy<FileHandle>(file, {
      get: (target, name) => own[name] ?? bindTo(target, Reflect.get(target, name) as unknown),
    });
  };
}

function bindTo(target: FileHandle, value: unknown): unknown {
  return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
}

describe('a journal on a disk that fails', () => {
  const mebibyte = 1024 * 1024;
  let faults: Faults;
  beforeEach(() => {
    faults = { room: Infinity, syncs: Infinity, stuck: false };
  });
  const openFailing = (segmentBytes?: number): ReturnType<typeof openFileJournal> => {
    const openFile = failingFiles(faults);
    if (openFile === undefined) throw new Error('there is one');
    return openFileJournal(directory, { openFile, ...(segmentBytes !== undefined && { segmentBytes }) });
  };

  it('rejects while it is full, shows nothing of the entry, and goes on when there is room', async () => {
    const journal = await openFailing();
    await appendMany(journal, 2);
    faults.room = 1000;
    const large = Buffer.alloc(6 * mebibyte, 'x');
    for (let n = 0; n < 2; n += 1) {
      await expect(journal.append(3, large)).rejects.toMatchObject({
        failure: { reason: 'storage-unavailable', message: 'the disk of the journal is full' },
      });
    }
    expect(await textsOf(journal)).toHaveLength(2);
    await appendMany(journal, 1, 3);
    faults.room = Infinity;
    expect(await journal.append(4, large)).toBe(true);
    await journal.close();
    const again = await openFileJournal(directory);
    expect((await textsOf(again)).map(([, text]) => text.length)).toEqual([7, 7, 7, large.length]);
    await again.close();
  });

  it('has room for small entries yet when it is full, new segments included', async () => {
    const journal = await openFailing(100);
    await appendMany(journal, 1);
    faults.room = 0;
    for (let n = 2; n <= 50; n += 1) await journal.append(n, Buffer.alloc(2000));
    expect(await readdir(directory)).toEqual([firstSegment]);
    faults.room = Infinity;
    await journal.append(51, Buffer.from('x'));
    expect((await readdir(directory)).sort()).toEqual([firstSegment, '0000000000000051.log']);
    expect(await textsOf(journal)).toHaveLength(51);
    await journal.close();
  });

  it('takes nothing more after a failed sync, for nobody knows what is on the disk', async () => {
    const journal = await openFailing();
    await appendMany(journal, 2);
    faults.syncs = 0;
    await expect(journal.append(3, Buffer.from('x'))).rejects.toMatchObject(unavailable);
    faults.syncs = Infinity;
    await expect(journal.append(3, Buffer.from('y'))).rejects.toMatchObject(unavailable);
    expect(await textsOf(journal)).toHaveLength(2);
    await journal.close();
    const again = await openFailing();
    const texts = await textsOf(again);
    expect([2, 3]).toContain(texts.length);
    await appendMany(again, 1, texts.length + 1);
    await again.close();
  });

  it('takes nothing more when what a failed write left cannot be removed', async () => {
    const journal = await openFailing();
    await appendMany(journal, 2);
    faults.stuck = true;
    await expect(journal.append(3, Buffer.from('x'))).rejects.toMatchObject(unavailable);
    faults.stuck = false;
    await expect(journal.append(3, Buffer.from('x'))).rejects.toThrow('nothing more is appended');
    await journal.close();
  });

  it('goes on when room could not be made durable, for no entry is in it', async () => {
    const journal = await openFailing();
    await appendMany(journal, 1);
    faults.syncs = 0;
    await expect(journal.append(2, Buffer.alloc(5 * mebibyte))).rejects.toMatchObject(unavailable);
    faults.syncs = Infinity;
    await appendMany(journal, 1, 2);
    await journal.close();
  });

  it('says so when it cannot be opened at all', async () => {
    await writeFile(join(directory, 'file'), '');
    await expect(openFileJournal(join(directory, 'file'))).rejects.toMatchObject(unavailable);
    await writeFile(join(directory, firstSegment), 'something else, and long enough');
    await expect(openFileJournal(directory)).rejects.toThrow(`${firstSegment} holds no good record at byte 0`);
  });
});
