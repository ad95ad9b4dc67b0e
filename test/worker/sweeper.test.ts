import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import type { BlobStore } from '../../src/blob/ports.ts';
import type { RunId } from '../../src/domain/run.ts';
import { createMemoryQueue } from '../../src/queue/memory/runs.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/ports.ts';
import { createArchive, type Archive } from '../../src/worker/archive.ts';
import { removeOldWork } from '../../src/worker/old-contexts.ts';
import { sweep, type SweeperOptions } from '../../src/worker/sweeper.ts';
import { aRequest } from '../rig/runs.ts';

let now: number;
const clock = { now: () => now };
let storage: BlobStore;
let store: Store;
let queue: ReturnType<typeof createMemoryQueue>;
let archive: Archive;

beforeEach(() => {
  now = Date.parse('2026-11-21T09:00:00Z');
  storage = createMemoryBlobStore(() => now);
  store = createMemoryStore({ clock });
  queue = createMemoryQueue();
  const files = {
    put: (key: string, bytes: Buffer) => storage.put(key, bytes).then(() => undefined),
    get: (key: string) => storage.readSmall(key),
    delete: (key: string) => storage.delete(key),
  };
  archive = createArchive(files, store.events);
});

const options = (): SweeperOptions => ({
  store,
  queue,
  archive,
  storage,
  clock,
  logger: pino({ level: 'silent' }),
  cancelGraceMs: 60_000,
  lostAfterMs: 30_000,
  keepContextsMs: 3_600_000,
  keepRunsMs: undefined,
});

async function create(sourceLocation?: string): Promise<RunId> {
  const request = aRequest(sourceLocation === undefined ? {} : { sourceLocation });
  return (await store.runs.create({ runType: 'QuickBuild', request })).run.runId;
}

async function addContext(path: string): Promise<void> {
  const staged = await storage.begin(`context-${path.replaceAll(/[^a-z0-9]/g, '-')}`);
  await staged.append(Readable.from([Buffer.from('tar')]));
  await staged.commit(`contexts/${path}`);
}

describe('the sweeper', () => {
  it('queues a run again that no queue knows, but only after a while', async () => {
    const id = await create();
    await sweep(options());
    expect(await queue.has(id)).toBe(false);
    now += 31_000;
    await sweep(options());
    expect(await queue.position(id)).toBe(1);
  });

  it('leaves a run alone that is queued or being worked on', async () => {
    const id = await create();
    await queue.enqueue(id);
    now += 600_000;
    await sweep(options());
    expect(await queue.position(id)).toBe(1);
    expect((await store.runs.get(id))?.status).toBe('Queued');
  });

  it('ends a canceled run whose worker does not answer', async () => {
    const id = await create();
    await store.runs.begin(id, 'gone');
    await store.runs.requestCancel(id, 'ann');
    now += 61_000;
    await sweep(options());
    expect(await store.runs.get(id)).toMatchObject({
      status: 'Canceled',
      runErrorMessage: 'canceled by ann; its worker did not answer',
    });
  });

  it('archives what ended without a worker, and the archive gives the same events back', async () => {
    const id = await create();
    await store.runs.requestCancel(id, 'ann');
    const live = await store.events.read(id, 0, 100);
    expect(await store.runs.listUnarchived()).toEqual([id]);
    await sweep(options());
    expect(await archive.load(id)).toEqual(live);
    expect(await store.runs.listUnarchived()).toEqual([]);
  });

  it('queues a lost run where it was: in its pool and lane, as old as it is', async () => {
    const cause = { kind: 'timer', timerTriggerName: 't', scheduleOccurrence: '2026-11-21T09:00:00Z' } as const;
    const { run } = await store.runs.create({ runType: 'AutoRun', request: aRequest(), pool: 'big', cause });
    const places: unknown[] = [];
    now += 31_000;
    const enqueue = async (_: RunId, place: unknown) => void places.push(place);
    await sweep({ ...options(), queue: { enqueue, has: async () => false } });
    expect(places).toEqual([{ pool: 'big', lane: 'timers', since: Date.parse(run.createTime) }]);
  });

  it('removes final runs that are old, with their logs, and keeps archived and unfinished ones', async () => {
    const [old, kept, waiting] = [await create(), await create(), await create()];
    for (const id of [old, kept]) await store.runs.requestCancel(id, 'ann');
    await store.runs.setArchived(kept, true);
    await sweep(options());
    now += 86_400_000;
    const recent = await create();
    await store.runs.requestCancel(recent, 'ann');
    await sweep({ ...options(), keepRunsMs: 86_400_000 });
    expect(await store.runs.get(old)).toBeDefined();
    now += 1;
    await sweep(options());
    expect(await store.runs.get(old)).toBeDefined();
    await sweep({ ...options(), keepRunsMs: 86_400_000 });
    expect(await store.runs.get(old)).toBeUndefined();
    expect(await archive.load(old)).toBeUndefined();
    for (const id of [kept, waiting, recent]) expect(await store.runs.get(id)).toBeDefined();
    expect(await archive.load(kept)).toHaveLength(2);
    expect((await storage.list('logs/')).keys).toHaveLength(2);
  });

  it('removes a thousand old runs at most in one sweep', async () => {
    const ids = await Promise.all(Array.from({ length: 1005 }, () => create()));
    for (const id of ids) await store.runs.requestCancel(id, 'ann');
    now += 86_400_000;
    await sweep(options());
    await sweep({ ...options(), keepRunsMs: 1000 });
    expect((await store.runs.list({ conditions: [], limit: 2000 })).runs).toHaveLength(5);
  });

  it('removes contexts that are old, unless a run still waits for them', async () => {
    await addContext('source/202611210900/a.tar.gz');
    await addContext('source/202611210900/b.tar.gz');
    const id = await create('source/202611210900/b.tar.gz');
    await queue.enqueue(id);
    now += 3_601_000;
    await addContext('source/202611211000/c.tar.gz');
    await sweep(options());
    expect((await storage.list('contexts/')).keys).toEqual([
      'contexts/source/202611210900/b.tar.gz',
      'contexts/source/202611211000/c.tar.gz',
    ]);
  });
});

describe('what killed processes leave', () => {
  it('is removed once it is old: uploads that broke off, clones in a worker’s directory', async () => {
    await (await storage.begin('context-broken')).append(Readable.from([Buffer.from('half')]));
    await sweep(options());
    expect(await storage.listStaged('context-')).toHaveLength(1);
    now += 3_601_000;
    await sweep(options());
    expect(await storage.listStaged('context-')).toEqual([]);
    const directory = await mkdtemp(join(tmpdir(), 'slipway-work-'));
    await mkdir(join(directory, 'git-old'));
    await utimes(join(directory, 'git-old'), 1000, 1000);
    await mkdir(join(directory, 'git-new'));
    await removeOldWork(directory, 2_000_000);
    expect(await readdir(directory)).toEqual(['git-new']);
    await rm(directory, { recursive: true });
  });
});

describe('the archive', () => {
  it('has nothing of a run that goes on', async () => {
    const id = await create();
    await archive.save(id);
    expect(await archive.load(id)).toBeUndefined();
  });
});
