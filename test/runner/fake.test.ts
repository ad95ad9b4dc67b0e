import { describe, expect, it } from 'vitest';
import { createFakeRunner } from '../../src/runner/fake/index.ts';
import { aBuild, aSetup, recordIo } from './rig.ts';

const never = new AbortController().signal;

describe('a fake runner', () => {
  it('ends steps as its script says, and writes down what it was asked', async () => {
    const runner = createFakeRunner({ build: { kind: 'failed', message: 'no' } });
    const setup = aSetup();
    const run = await runner.prepare(setup);
    expect(await run.run(aBuild(), recordIo(), never)).toEqual({ kind: 'failed', message: 'no' });
    await run.dispose();
    expect(runner.calls).toEqual([{ kind: 'prepare', setup }, { kind: 'run', step: aBuild() }, { kind: 'dispose' }]);
  });

  it('lets a step wait until the test ends or breaks it', async () => {
    const runner = createFakeRunner({ build: 'wait' });
    const run = await runner.prepare(aSetup());
    const ended = run.run(aBuild(), recordIo(), never);
    (await runner.started('build')).end();
    expect(await ended).toEqual({ kind: 'succeeded' });
    const broken = run.run(aBuild(), recordIo(), never);
    (await runner.started('build')).break(new Error('the engine went away'));
    await expect(broken).rejects.toThrow('the engine went away');
  });

  it('cancels a waiting step when its signal aborts', async () => {
    const runner = createFakeRunner(() => 'wait');
    const run = await runner.prepare(aSetup());
    const stop = new AbortController();
    const done = run.run(aBuild(), recordIo(), stop.signal);
    await runner.started('build');
    stop.abort();
    expect((await done).kind).toBe('canceled');
  });
});
