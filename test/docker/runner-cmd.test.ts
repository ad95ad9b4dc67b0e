import { describe, expect, it } from 'vitest';
import { createCmdStep } from '../../src/domain/step-defaults.ts';
import { createCmdRig, shell, succeeded, written } from '../runner/cmd-rig.ts';
import { recordIo } from '../runner/rig.ts';

const rig = createCmdRig();

describe('a cmd step', () => {
  it('hands on what its container writes, each stream by itself, and succeeds on exit code 0', async () => {
    const done = await rig.runOne(shell('hello', 'echo out; echo err >&2; printf tail'));
    expect(done.outcome).toEqual(succeeded);
    expect(done.io.lines.filter(({ stream }) => stream === 'stderr').map(({ text }) => text)).toEqual(['err']);
    expect(done.io.lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text)).toEqual(['out', 'tail']);
  });

  it('fails with the exit code of its container', async () => {
    const { outcome } = await rig.runOne(shell('fails', 'exit 7'));
    expect(outcome).toEqual({ kind: 'failed', exitCode: 7, message: 'exit code 7' });
  });

  it('has its variables, its directory and its user', async () => {
    const step = shell('env', 'echo $HOME $COLOUR; pwd; id -u 2>/dev/null || cat /proc/self/status | head -9', {
      env: [{ name: 'COLOUR', value: 'deep blue' }],
      workingDirectory: '/workspace/deep/down',
      user: '1234',
    });
    const text = written(await rig.runOne(step)).join('\n');
    expect(text).toContain('/acb/home deep blue\n/workspace/deep/down\n');
    expect(text).toContain('1234');
  });

  it('has the entry point of its step in place of that of its image', async () => {
    const step = createCmdStep('entry', 'busybox:latest', { entryPoint: 'echo', arguments: ['one', 'two  three'] });
    expect(written(await rig.runOne(step))).toEqual(['one two  three']);
  });

  it('runs a script in a shell of its container', async () => {
    const script = { script: 'echo one two | rev && echo done', startsWithEntryPoint: true };
    const step = createCmdStep('script', 'busybox:latest', {
      entryPoint: 'env',
      arguments: ['echo', 'one', 'two'],
      shell: script,
    });
    expect(written(await rig.runOne(step))).toEqual(['owt eno', 'done']);
  });

  it('says which image it runs', async () => {
    expect((await rig.runOne(shell('image', 'true'))).io.text()).toMatch(/image busybox:latest: (?:id|digest) sha256:/);
  });

  it('fails with 127 when its program is not in the image', async () => {
    const { outcome, io } = await rig.runOne(
      createCmdStep('none', 'busybox:latest', { arguments: ['no-such-program'] }),
    );
    const message = 'exit code 127 (the program was not found)';
    expect(outcome).toEqual({ kind: 'failed', exitCode: 127, message });
    expect(io.text()).toContain('no-such-program');
  });

  it('fails naming an image that cannot be had, after as many tries as it asks for', async () => {
    const step = createCmdStep('missing', '127.0.0.1:2/no/such:image', { pullRetries: 1 });
    const { outcome, io } = await rig.runOne(step);
    expect(outcome).toMatchObject({ kind: 'failed' });
    expect(outcome).toMatchObject({ message: expect.stringContaining('127.0.0.1:2/no/such:image') as string });
    expect(io.text().match(/trying again/g)).toHaveLength(1);
  });

  it('fails on an image name that is none', async () => {
    const { outcome } = await rig.runOne(createCmdStep('bad', 'Not/An/Image'));
    expect(outcome).toMatchObject({ kind: 'failed' });
  });

  it('takes the image that the installation has for a bare name', async () => {
    rig.configure({ images: { bash: 'busybox:latest' } });
    const { outcome } = await rig.runOne(createCmdStep('mapped', 'bash', { agentImage: 'bash', arguments: ['true'] }));
    expect(outcome).toEqual(succeeded);
  });

  it('hands on a flood of output whole and in order', async () => {
    const done = await rig.runOne(
      shell('flood', 'i=0; while [ $i -lt 2000 ]; do echo line-$i; i=$((i+1)); done; yes | head -c 4000000'),
    );
    const lines = written(done);
    expect(lines.slice(0, 2000)).toEqual(Array.from({ length: 2000 }, (_, index) => `line-${index}`));
    expect(lines).toHaveLength(2000 + 2_000_000);
  });

  it('cuts a line without an end', async () => {
    const lines = written(
      await rig.runOne(
        shell('long', 'head -c 40000 /dev/zero | sed s/./x/g; yes x | head -c 40000 | tr -d "\\n" 2>/dev/null || true'),
      ),
    );
    expect(Math.max(0, ...lines.map((line) => line.length))).toBeLessThanOrEqual(16 * 1024);
  });

  it('runs under a name of its own in each try, whatever the one before has left', async () => {
    const step = shell('again', 'exit 1', { keep: true });
    const run = await rig.prepare([step]);
    for (const attempt of [1, 2]) {
      const outcome = await run.run(step, recordIo(), new AbortController().signal, attempt);
      expect(outcome).toMatchObject({ kind: 'failed', exitCode: 1 });
    }
    expect((await rig.remains()).containers).toBe(2);
  });

  it('has one output stream with a terminal', async () => {
    const done = await rig.runOne(shell('tty', 'echo out; echo err >&2', { options: [{ name: 'tty' }] }));
    expect(written(done)).toEqual(['out', 'err']);
  });

  it('keeps to its limits', async () => {
    const done = await rig.runOne(
      shell(
        'limits',
        'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true',
        {
          memory: '64m',
          cpus: '0.5',
        },
      ),
    );
    expect(done.outcome).toEqual(succeeded);
    expect(written(done)).toEqual([String(64 * 2 ** 20), '4096']);
  });
});
