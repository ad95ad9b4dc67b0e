import { describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
import { announceBeforeArchive, createStartAnnouncer } from '../../src/notify/announce.ts';
import type { RunNotice } from '../../src/queue/ports.ts';
import { aRun } from '../rig/runs.ts';

const id = 'ca1' as RunId;

/** An archive and a queue of notices that write down what they are asked for; the queue may be away. */
function setUp(status: 'Running' | 'Failed' = 'Failed') {
  const done: string[] = [];
  const state = { isAway: false };
  const notices = {
    publish: async ({ runId, kind, attempt }: RunNotice) => {
      if (state.isAway) throw new Error('away');
      done.push(`${kind} ${runId} ${attempt}`);
    },
  };
  const archive = {
    save: async (run: RunId) => {
      done.push(`saved ${run}`);
    },
    load: async () => 'a log',
  };
  const runs = { get: async () => aRun({ status, attempt: 2 }) };
  return { done, state, notices, archive: announceBeforeArchive(archive, runs, notices) };
}

describe('the end of a run', () => {
  it('is told before its log is kept', async () => {
    const { archive, done } = setUp();
    await archive.save(id);
    expect(done).toEqual(['ended ca1 2', 'saved ca1']);
    expect(await archive.load()).toBe('a log');
  });

  it('leaves the run to the next sweep when it could not be told', async () => {
    const { archive, done, state } = setUp();
    state.isAway = true;
    await expect(archive.save(id)).rejects.toThrow('away');
    state.isAway = false;
    await archive.save(id);
    expect(done).toEqual(['ended ca1 2', 'saved ca1']);
  });

  it('is not told of a run that goes on', async () => {
    const { archive, done } = setUp('Running');
    await archive.save(id);
    expect(done).toEqual(['saved ca1']);
  });
});

describe('the start of a run', () => {
  it('is told without waiting, and a warning is all that comes of a queue that is away', async () => {
    const { notices, done, state } = setUp();
    const warnings: unknown[] = [];
    const announce = createStartAnnouncer(notices, (error, runId) => {
      warnings.push(`${String(error)} ${runId}`);
    });
    announce({ runId: id, attempt: 1 });
    state.isAway = true;
    announce({ runId: id, attempt: 2 });
    await expect.poll(() => warnings).toEqual(['Error: away ca1']);
    expect(done).toEqual(['started ca1 1']);
  });
});
