import { describe, expect, it } from 'vitest';
import { createCmdRig, shell } from '../runner/cmd-rig.ts';

const rig = createCmdRig();

const giving = (script: string, outputs: readonly string[], given: Parameters<typeof shell>[2] = {}) =>
  rig.runOne(shell('give', script, { ...given, outputs }));

describe('the outputs of a cmd step', () => {
  it('are what it writes into its file, as far as others read them', async () => {
    const script =
      'echo tag=1.2 >> $SLIPWAY_OUTPUT; printf "notes<<E\\none\\ntwo\\nE\\n" >> $SLIPWAY_OUTPUT; echo x=y >> $SLIPWAY_OUTPUT';
    const { outcome } = await giving(script, ['tag', 'notes', 'none']);
    expect(outcome).toEqual({ kind: 'succeeded', outputs: { tag: '1.2', notes: 'one\ntwo' } });
  });

  it('may be written by any user, and are not seen by other steps', async () => {
    expect((await giving('echo a=1 >> $SLIPWAY_OUTPUT', ['a'], { user: '1234' })).outcome).toMatchObject({
      outputs: { a: '1' },
    });
    expect((await giving('cat $SLIPWAY_OUTPUT', ['a'])).outcome).toEqual({ kind: 'succeeded', outputs: {} });
  });

  it('are none when the file is gone, and when the step fails', async () => {
    expect((await giving('rm -f $SLIPWAY_OUTPUT', ['a'])).outcome).toEqual({ kind: 'succeeded', outputs: {} });
    const { outcome } = await giving('echo a=1 >> $SLIPWAY_OUTPUT; exit 3', ['a']);
    expect(outcome).toEqual({ kind: 'failed', exitCode: 3, message: 'exit code 3' });
  });

  it.each([
    ['echo secret words > $SLIPWAY_OUTPUT', 'line 1 has neither name=value nor name<<END'],
    ['(printf a=; head -c 70000 /dev/zero | tr "\\0" x) > $SLIPWAY_OUTPUT', 'it has more than 64 KiB'],
    ['rm $SLIPWAY_OUTPUT && mkdir $SLIPWAY_OUTPUT', 'it is no file any more'],
    ['rm $SLIPWAY_OUTPUT && ln -s /etc/passwd $SLIPWAY_OUTPUT', 'it is no file any more'],
  ])('fail the step when they cannot be read: %s', async (script, why) => {
    const message = `its outputs ($SLIPWAY_OUTPUT) cannot be read: ${why}`;
    expect((await giving(script, ['a'], { user: '0' })).outcome).toEqual({ kind: 'failed', message });
  });

  it('are no business of a step whose outputs nobody reads', async () => {
    const { outcome, io } = await rig.runOne(shell('plain', 'echo "[$SLIPWAY_OUTPUT]"; ls /acb'));
    expect(outcome).toEqual({ kind: 'succeeded' });
    expect(io.lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text)).toEqual(['[]', 'home']);
  });
});
