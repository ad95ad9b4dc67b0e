import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startInstallation, type Installation } from '../rig/installation.ts';
import { openKeyRing } from '../../src/secret/key-ring.ts';
import { labelInstallation } from '../../src/secret/key.ts';
import { ended, getLog, logged, removeImages, schedule } from '../rig/quick-build.ts';

const run = promisify(execFile);
let slipway: Installation;

beforeAll(async () => {
  slipway = await startInstallation();
}, 60_000);
afterAll(async () => {
  await removeImages(slipway);
  await slipway.stop();
}, 60_000);

/** Queues a task whose steps are given as lines of YAML. */
async function submit(...lines: string[]): Promise<string> {
  const yaml = ['version: v1.0.0', 'steps:', ...lines].join('\n');
  const encodedTaskContent = Buffer.from(yaml).toString('base64');
  const request = { dockerFilePath: undefined, type: 'EncodedTaskRunRequest', encodedTaskContent };
  return (await schedule(slipway, request)).properties.runId;
}

/** The containers of a run, running or not, as `id step status`. */
async function containersOf(runId: string): Promise<readonly string[]> {
  const ring = await openKeyRing(undefined, join(slipway.dataDir, 'key'));
  const label = await labelInstallation('slipway', slipway.dataDir, ring.keys());
  const labels = [`slipway.installation=${label}`, `slipway.run=${runId}`];
  const filters = labels.flatMap((label) => ['--filter', `label=${label}`]);
  const format = '{{.ID}} {{.Label "slipway.step"}} {{.Status}}';
  const { stdout } = await run('docker', ['ps', '-a', ...filters, '--format', format]);
  return stdout.split('\n').filter((line) => line !== '');
}

/** Arguments of a container that writes so many numbered lines. */
const countTo = (n: number, then = 'true'): string =>
  `sh -c 'for i in $(seq ${n}); do echo line-$i; sleep 0.05; done; ${then}'`;

/** Output lines of the log that a step of ours wrote. */
const linesOf = (log: string): string[] => log.split('\n').filter((line) => /^line-\d+$/.test(line));

const upTo = (n: number): string[] => Array.from({ length: n }, (_, index) => `line-${index + 1}`);

async function killWorker(): Promise<void> {
  await slipway.processes.worker.stop('SIGKILL');
}

describe('a worker that is killed in the middle of a cmd step', () => {
  it('leaves a container that the next worker follows to its end: not started again, no line lost or doubled', async () => {
    const runId = await submit(
      '  - id: first',
      '    cmd: busybox:latest sh -c "echo once >> /workspace/trace"',
      '  - id: count',
      `    cmd: busybox:latest ${countTo(120)}`,
      '  - id: last',
      '    cmd: busybox:latest cat /workspace/trace',
    );
    await logged(slipway, runId, 'line-20');
    const before = (await containersOf(runId)).find((one) => one.includes(' count Up'));
    await killWorker();
    await slipway.processes.worker.start();
    const { properties } = await ended(slipway, runId, 90_000);
    const log = await getLog(slipway, runId);
    expect(properties, log).toMatchObject({ status: 'Succeeded', attempt: 2 });
    expect(linesOf(log)).toEqual(upTo(120));
    expect(log.split('\n').filter((line) => line === 'once')).toHaveLength(1);
    expect(before).toBeDefined();
    await eventually('clean-up', 10_000, async () => (await containersOf(runId)).length === 0 || undefined);
  }, 120_000);

  it('does not lose what the container wrote and came to while there was no worker', async () => {
    const runId = await submit('  - id: count', `    cmd: busybox:latest ${countTo(40, 'exit 7')}`);
    await logged(slipway, runId, 'line-10');
    await killWorker();
    await eventually('the end of the container', 20_000, async () =>
      (await containersOf(runId)).some((one) => one.includes('Exited (7)')) ? true : undefined,
    );
    await slipway.processes.worker.start();
    const { properties } = await ended(slipway, runId, 90_000);
    const log = await getLog(slipway, runId);
    expect(properties, log).toMatchObject({ status: 'Failed', steps: [{ id: 'count', outcome: { exitCode: 7 } }] });
    expect(linesOf(log)).toEqual(upTo(40));
  }, 120_000);

  it('leaves a detached step that others go on reaching, and its output arrives once', async () => {
    const runId = await submit(
      '  - id: server',
      '    cmd: busybox:latest sh -c "echo line-1; mkdir /www; echo welcome > /www/index.html; httpd -f -p 80 -h /www"',
      '    detach: true',
      '  - id: wait',
      '    cmd: busybox:latest sh -c "echo waiting; sleep 6"',
      '  - id: client',
      '    cmd: busybox:latest wget -q -O - http://server/index.html',
    );
    await logged(slipway, runId, 'waiting');
    await killWorker();
    await slipway.processes.worker.start();
    const { properties } = await ended(slipway, runId, 90_000);
    const log = await getLog(slipway, runId);
    expect(properties, log).toMatchObject({ status: 'Succeeded' });
    expect(log).toContain('welcome');
    expect(linesOf(log)).toEqual(upTo(1));
    await eventually('clean-up', 10_000, async () => (await containersOf(runId)).length === 0 || undefined);
  }, 120_000);

  it('ends the run in Error when the container is gone meanwhile: its step is not run a second time', async () => {
    const runId = await submit('  - id: count', `    cmd: busybox:latest ${countTo(400)}`);
    await logged(slipway, runId, 'line-5');
    await killWorker();
    for (const one of await containersOf(runId)) await run('docker', ['rm', '-f', one.split(' ', 1)[0] ?? '']);
    await slipway.processes.worker.start();
    const { properties } = await ended(slipway, runId, 90_000);
    expect(properties).toMatchObject({ status: 'Error' });
    expect(properties.runErrorMessage).toContain('not run a second time');
  }, 120_000);
});
