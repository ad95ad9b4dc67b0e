import { describe, expect, it } from 'vitest';
import { createCmdRig, shell } from '../runner/cmd-rig.ts';
import { recordIo, until } from '../runner/rig.ts';

const rig = createCmdRig();

describe('a cmd step that is stopped', () => {
  it.each(['sleep 300', "trap '' TERM; while true; do sleep 1; done"])('leaves no container: %s', async (script) => {
    const step = shell('stopped', `echo started; ${script}`);
    const run = await rig.prepare([step]);
    const stopper = new AbortController();
    const io = recordIo();
    const done = run.run(step, io, stopper.signal);
    await until(() => io.text().includes('started'));
    stopper.abort({ kind: 'canceled', by: 'somebody' });
    expect(await done).toEqual({ kind: 'canceled', reason: 'canceled by somebody' });
    expect((await rig.remains()).containers).toBe(0);
  });

  it('is not started when the signal has aborted before', async () => {
    const step = shell('never', 'true');
    const run = await rig.prepare([step]);
    expect((await rig.runOn(run, step, AbortSignal.abort({ kind: 'sibling-failed', step: 'x' }))).outcome.kind).toBe(
      'canceled',
    );
    expect((await rig.remains()).containers).toBe(0);
  });

  it('says so when its container was removed by somebody else', async () => {
    const step = shell('gone', 'echo started; sleep 300');
    const run = await rig.prepare([step]);
    const io = recordIo();
    const done = run.run(step, io, new AbortController().signal);
    await until(() => io.text().includes('started'));
    const name = `slipway-${rig.installation}-${rig.runId}-1-gone-1`;
    await rig.engine.json({ method: 'DELETE', path: `/containers/${name}`, query: { force: '1' } });
    expect(await done).toMatchObject({ kind: 'failed', exitCode: 137 });
  });
});
