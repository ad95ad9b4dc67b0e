import { describe, expect, it } from 'vitest';
import type { StepReport } from '../../src/engine/ports.ts';
import { createCmdRig, shell } from '../runner/cmd-rig.ts';

const rig = createCmdRig();

/** Runs a script as a step whose report is wanted. */
async function reportOf(script: string): Promise<StepReport | undefined> {
  let report: StepReport | undefined;
  await rig.runOne(
    shell('scan', script),
    {},
    {
      keepReport: (one) => {
        report = one;
      },
    },
  );
  return report;
}

describe('the report of a step', () => {
  it('is the file in the workspace, byte for byte, whatever the exit code', async () => {
    const report = await reportOf('printf "a\\0b\\377" > /workspace/report.json; echo something else; exit 3');
    expect(report).toEqual({ bytes: Buffer.from([0x61, 0, 0x62, 0xff]) });
  });

  it('is the standard output where there is no file: whole lines of any length, nothing of the standard error', async () => {
    const report = await reportOf('echo noise >&2; head -c 100000 /dev/zero | tr "\\0" x; printf "\\r\\nend\\033[1m"');
    const text = 'bytes' in report! ? report.bytes.toString('latin1') : '';
    expect([text.length, text.slice(-9)]).toEqual([100_009, '\r\nend\u001b[1m']);
  });

  it('is nothing that could fill the memory', async () => {
    const large = 'head -c 17000000 /dev/zero';
    expect(await reportOf(`${large} > /workspace/report.json`)).toEqual({ fault: 'it has more than 16 MiB' });
    expect(await reportOf(`${large} | tr "\\0" x`)).toEqual({ fault: 'it has more than 16 MiB' });
  });

  it('is no directory, and no link out of the workspace is followed to one', async () => {
    expect(await reportOf('mkdir /workspace/report.json; echo said')).toEqual({ bytes: Buffer.from('said\n') });
    expect(await reportOf('ln -s /etc/passwd /workspace/report.json; echo said')).toEqual({
      bytes: Buffer.from('said\n'),
    });
  });
});
