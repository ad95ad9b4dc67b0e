import { beforeEach, describe, expect, it } from 'vitest';
import type { Run, RunId } from '../../src/domain/run.ts';
import type { TaskName } from '../../src/domain/task.ts';
import { stop } from '../../src/engine/stop.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import type { RunStore } from '../../src/store/ports.ts';
import { admit, type Line } from '../../src/worker/admit.ts';
import { aRequest } from '../rig/runs.ts';
import { createManualTimer } from '../rig/steps.ts';

const task = 'build-app' as TaskName;
let runs: RunStore;
let time: ReturnType<typeof createManualTimer>;
let stopper: AbortController;
let line: Line;
beforeEach(() => {
  ({ runs } = createMemoryStore({ clock: { now: () => 0 } }));
  time = createManualTimer();
  stopper = new AbortController();
  line = { last: Promise.resolve() };
});

const make = async (more: { task?: TaskName; maxConcurrent?: number } = {}): Promise<Run> =>
  (await runs.create({ runType: 'AutoRun', request: aRequest(), ...more })).run;
const ask = (run: Run | undefined, maxRuns?: number) =>
  admit(run, stopper.signal, { runs, timer: time.timer, maxRuns, line, pollMs: 500 });
const end = (id: RunId) => runs.end(id, 'Error', 'over');
const armed = () => expect.poll(time.armed, { interval: 1 }).toBe(1);

describe('a run that is to begin', () => {
  it('begins when nothing limits it', async () => {
    expect(await ask(await make())).toBe('begin');
    expect(await ask(await make({ task }))).toBe('begin');
    expect(await ask(undefined, 1)).toBe('begin');
  });

  it('waits for its task to have a place, which an attempt after it still has', async () => {
    const [one, two, three] = [
      await make({ task, maxConcurrent: 2 }),
      await make({ task, maxConcurrent: 2 }),
      await make({ task, maxConcurrent: 2 }),
    ];
    expect([await ask(one), await ask(two), await ask(three), await ask(one)]).toEqual([
      'begin',
      'begin',
      'later',
      'begin',
    ]);
    await end(one.runId);
    expect(await ask(three)).toBe('begin');
  });

  it('is not put off for ever when it is canceled meanwhile', async () => {
    expect(await ask(await make({ task, maxConcurrent: 1 }))).toBe('begin');
    const read = await make({ task, maxConcurrent: 1 });
    await runs.requestCancel(read.runId, 'ann');
    expect(await ask(read)).toBe('begin');
    expect(await ask(await runs.get(read.runId))).toBe('begin');
  });

  it('waits for a place in the installation, whatever it is a run of', async () => {
    const [one, two] = [await make(), await make({ task })];
    expect(await ask(one, 1)).toBe('begin');
    const asked = ask(two, 1);
    await armed();
    time.pass(500);
    await armed();
    await end(one.runId);
    time.pass(500);
    expect(await asked).toBe('begin');
  });

  it('stops to wait when it is canceled', async () => {
    const [one, two] = [await make(), await make()];
    await ask(one, 1);
    const asked = ask(two, 1);
    await armed();
    await runs.requestCancel(two.runId, 'ann');
    time.pass(500);
    expect(await asked).toBe('begin');
    expect(await runs.begin(two.runId, 'w')).toBe(undefined);
  });

  it.each([
    [{ kind: 'handed-back', because: 'the worker shuts down' } as const, 'hand-back'],
    [{ kind: 'superseded' } as const, 'done'],
  ])('is let go when its worker has to: %o', async (reason, expected) => {
    await ask(await make(), 1);
    const asked = ask(await make(), 1);
    await armed();
    stop(stopper, reason);
    expect(await asked).toBe(expected);
    expect(time.armed()).toBe(0);
  });

  it('is not passed by one that comes after it', async () => {
    const [one, two, three] = [await make(), await make(), await make()];
    await ask(one, 1);
    const begun: string[] = [];
    const second = ask(two, 1).then(() => begun.push('second'));
    await armed();
    const third = ask(three, 1).then(() => begun.push('third'));
    await end(one.runId);
    time.pass(500);
    await second;
    await armed();
    expect(begun).toEqual(['second']);
    await end(two.runId);
    time.pass(500);
    await third;
  });

  it('waits no longer behind one that could not be asked for', async () => {
    const [one, two] = [await make(), await make()];
    const takePlace = () => Promise.reject(new Error('away'));
    const broken = { ...runs, get: (id: RunId) => runs.get(id), takePlace };
    const asked = admit(one, stopper.signal, { runs: broken, timer: time.timer, maxRuns: 1, line });
    await expect(asked).rejects.toThrow('away');
    expect(await ask(two, 1)).toBe('begin');
  });

  it('holds no place of the installation while its task has none', async () => {
    await ask(await make({ task, maxConcurrent: 1 }), 2);
    expect(await ask(await make({ task, maxConcurrent: 1 }), 2)).toBe('later');
    expect(await ask(await make(), 2)).toBe('begin');
  });
});
