import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/domain/event.ts';
import type { RunId } from '../../src/domain/run.ts';
import type { Store } from '../../src/store/ports.ts';
import { password, startRig, until, workingWorker } from '../http/rig.ts';
import { call, makeContext, makeFolder, outputImage } from './rig-api.ts';

function envFor(url: string): Record<string, string> {
  return { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
}

/** Does what a worker does for the first run that is queued. */
async function work(store: Store, queue: { readonly waiting: RunId[] }, lines: number): Promise<void> {
  await until(() => queue.waiting.length > 0);
  const id = queue.waiting[0]!;
  const step = 'build' as never;
  const run = await store.runs.begin(id, 'w1');
  const append = (...events: RunEvent[]): Promise<void> => store.runs.append(id, run!.attempt, events);
  await append({ kind: 'run-planned', steps: [{ id: step, kind: 'build' }] }, { kind: 'step-started', step });
  for (let at = 1; at <= lines; at += 1) await append({ kind: 'output', step, stream: 'stdout', text: `line ${at}` });
  await append(
    { kind: 'image-pushed', step, image: outputImage as never },
    { kind: 'step-ended', step, outcome: { kind: 'succeeded' } },
    { kind: 'run-ended', status: 'Succeeded' },
  );
}

describe('the CLI and the real API', () => {
  it('build a folder together, line for line', async () => {
    const { url, store, queue, sink } = await startRig();
    await store.workers.beat(workingWorker());
    const working = work(store, queue, 300);
    const { code, stdout, stderr } = await call(['build', '-t', 'app:v1'], {
      env: envFor(url),
      cwd: await makeContext(),
    });
    await working;
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const lines = stdout.split('\n').filter((line) => line.startsWith('line '));
    expect(lines).toEqual(Array.from({ length: 300 }, (_, at) => `line ${at + 1}`));
    const [archive] = [...sink.objects.values()];
    expect(archive!.toString('latin1')).toContain('FROM scratch');
    const list = await call(['runs', 'list', '--json', '--status', 'succeeded'], { env: envFor(url) });
    expect(JSON.parse(list.stdout)).toMatchObject([{ runId: 'ca1', status: 'Succeeded', outputImages: [outputImage] }]);
    const log = await call(['runs', 'logs', 'ca1'], { env: envFor(url) });
    expect(log.stdout).toContain('line 1\nline 2\n');
  });

  it('run a task file together, from a folder and from stdin', async () => {
    const { url, store, queue } = await startRig();
    await store.workers.beat(workingWorker());
    const cwd = await makeContext();
    const task = 'version: v1.1.0\nsteps:\n  - cmd: busybox echo {{.Values.a}}\n';
    await writeFile(join(cwd, 'acb.yaml'), task);
    const working = work(store, queue, 3);
    const words = ['run', '--set', 'a=1', '--set-secret', 'b=sesame'];
    const { code, stdout, stderr } = await call(words, { env: envFor(url), cwd });
    await working;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('line 1\nline 2\nline 3\n');
    const sent = await call(['run', '-f', '-', '--no-wait', '/dev/null'], { env: envFor(url), stdin: task });
    expect(sent).toMatchObject({ code: 0, stdout: 'ca2\n' });
    const [first, second] = [await store.runs.get('ca1' as RunId), await store.runs.get('ca2' as RunId)];
    expect(first).toMatchObject({ runType: 'QuickRun', request: { taskFilePath: 'acb.yaml' } });
    expect(JSON.stringify(first)).not.toContain('sesame');
    const encodedTaskContent = Buffer.from(task).toString('base64');
    expect(second).toMatchObject({ runType: 'QuickRun', request: { encodedTaskContent } });
  });

  it('stop an upload over the limit with the reason, while it is still being sent', async () => {
    const { url, queue } = await startRig({ config: { upload: { maxBytes: 64 * 1024, expiresMs: 60_000 } } });
    const cwd = await makeContext();
    await writeFile(join(cwd, 'noise'), randomBytes(12 * 1024 * 1024));
    const { code, stderr } = await call(['build'], { env: envFor(url), cwd });
    expect(stderr).toContain('error: the archive is larger than 65536 bytes');
    expect(stderr).toContain('hint: leave out what the build does not need with a .dockerignore file');
    expect(code).toBe(2);
    expect(queue.waiting).toEqual([]);
  });

  it('say what is wrong with an archive, a filter, an account and a run’s id', async () => {
    const { url } = await startRig();
    const env = envFor(url);
    const bad = await call(['build', '-'], { env, stdin: 'BAD' });
    expect(bad).toMatchObject({ code: 2, stderr: 'error: neither a tar nor a gzip-compressed tar archive\n' });
    const filter = await call(['runs', 'list', '--filter', 'colour eq 1'], { env });
    expect(filter.code).toBe(2);
    expect(filter.stderr).toContain('"colour" is no field to filter by');
    const stranger = await call(['runs', 'list'], { env: { ...env, SLIPWAY_PASSWORD: 'wrong' } });
    expect(stranger.code).toBe(1);
    expect(stranger.stderr).toContain('hint: "slipway login --show" prints the account');
    expect((await call(['runs', 'show', 'zz'], { env })).code).toBe(3);
  });

  it('cancel a run that waits, and say why it waited', async () => {
    const { url, store, queue } = await startRig();
    const env = envFor(url);
    const following = call(['build'], { env, cwd: await makeContext() });
    await until(() => queue.waiting.length > 0);
    const canceled = await call(['runs', 'cancel', 'ca1'], { env });
    expect(canceled.stdout).toBe('Run ca1 is canceled.\n');
    const { code, stdout } = await following;
    expect(code).toBe(1);
    expect(stdout).toContain('Run ID: ca1 was canceled');
    expect((await store.runs.get('ca1' as RunId))?.status).toBe('Canceled');
  });

  it('take a name with a template, and refuse one that is none at the server', async () => {
    const { url, queue } = await startRig();
    const cwd = await makeFolder();
    await writeFile(join(cwd, 'Dockerfile'), 'FROM scratch\n');
    const taken = await call(['build', '--no-wait', '-t', 'app:{{.Run.ID}}'], { env: envFor(url), cwd });
    expect(taken).toMatchObject({ code: 0, stdout: 'ca1\n' });
    const refused = await call(['build', '--no-wait', '-t', 'APP:{{.Run.ID}}'], { env: envFor(url), cwd });
    expect(refused.code).toBe(2);
    expect(queue.waiting).toEqual(['ca1']);
  });
});
