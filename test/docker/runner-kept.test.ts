import { afterEach, describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
import type { CmdStep } from '../../src/domain/step.ts';
import { createBuildStep } from '../../src/domain/step-defaults.ts';
import type { NamedAttempt } from '../../src/engine/ports.ts';
import { createCmdRig, shell, succeeded, written } from '../runner/cmd-rig.ts';
import { aContext } from '../runner/rig.ts';

const rig = createCmdRig();
const keepImages = Number.MAX_SAFE_INTEGER;
const nobody = new Set<string>();

afterEach(async () => {
  await rig.runner.settle();
  await rig.runner.sweep({ liveRuns: nobody, keepImages });
  expect(await rig.remains()).toEqual({ containers: 0, networks: 0, volumes: 0 });
});

/** A run whose workspace is kept. */
async function leave(script: string, given: Partial<CmdStep> = {}): Promise<NamedAttempt> {
  const step = shell('first', script, given);
  const volumes = [{ name: 'creds', files: [{ name: 'key', contentBase64: 'c2VjcmV0' }] }];
  const run = await rig.prepare([step], { volumes }, { context: aContext({ given: 'from the context\n' }) });
  expect((await rig.runOn(run, step)).outcome).toEqual(succeeded);
  const named = { runId: rig.runId as RunId, attempt: 1 };
  await run.dispose({ keepWorkspace: true });
  await rig.runner.settle();
  return named;
}

async function goOn(workspaceOf: NamedAttempt, script: string, given: Partial<CmdStep> = {}) {
  const step = shell('second', script, given);
  const run = await rig.prepare([step], {}, { workspaceOf });
  const done = await rig.runOn(run, step);
  await run.dispose();
  return written(done);
}

const makeFiles = [
  'echo more >> given',
  'mkdir sub',
  'echo x > sub/file',
  'chown 7:8 sub/file',
  'chmod 640 sub/file',
  'ln -s file sub/link',
  'echo rc > $HOME/.rc',
  'chmod 1777 .',
].join(' && ');

describe('the workspace of a run that failed', () => {
  it('is what another run begins with: files, owners, modes and links, home and named volumes', async () => {
    const volumeMounts = [{ volume: 'cache', path: '/cache' }];
    const named = await leave(`${makeFiles} && echo c > /cache/c`, { workingDirectory: '/workspace', volumeMounts });
    const look =
      'cat given; stat -c "%u:%g %a" sub/file; readlink sub/link; cat sub/link $HOME/.rc /cache/c; stat -c %a /workspace';
    const seen = await goOn(named, look, { workingDirectory: '/workspace', volumeMounts });
    expect(seen).toEqual(['from the context', 'more', '7:8 640', 'file', 'x', 'rc', 'c', '1777']);
  });

  it('is a copy: what one run does to it, another does not see', async () => {
    const named = await leave('echo one > /workspace/log');
    const script = 'cat /workspace/log; echo two >> /workspace/log';
    expect(await goOn(named, script)).toEqual(['one']);
    expect(await goOn(named, script)).toEqual(['one']);
  });

  it('is kept again by a run that had no use for it', async () => {
    const named = await leave('echo one > /workspace/log');
    const run = await rig.prepare([shell('second', 'true')], {}, { workspaceOf: named });
    const next = { runId: rig.runId as RunId, attempt: 1 };
    await run.dispose({ keepWorkspace: true });
    expect(await goOn(next, 'cat /workspace/log')).toEqual(['one']);
  });

  it('is what a build reads, before any command has run', async () => {
    const named = await leave(
      'echo built > /workspace/made; printf "FROM busybox\\nCOPY made /made\\n" > /workspace/Dockerfile',
    );
    const tags = [`kept-${rig.installation}:1`];
    const build = createBuildStep('image', { tags });
    const check = shell('check', 'cat /made', { image: tags[0]! });
    const run = await rig.prepare([build, check], {}, { workspaceOf: named });
    const { outcome, io } = await rig.runOn(run, build);
    expect(outcome, io.text()).toMatchObject({ kind: 'succeeded', imageId: expect.stringMatching(/^sha256:/) });
    expect(written(await rig.runOn(run, check))).toEqual(['built']);
    const { imageId } = outcome as { imageId: string };
    expect(await rig.runner.hasBuilt({ names: tags, imageId })).toBe(true);
    expect(await rig.runner.hasBuilt({ names: ['busybox:latest'], imageId })).toBe(false);
    await run.dispose();
    await rig.runner.settle();
    await rig.engine.json({ method: 'DELETE', path: `/images/${tags[0]!}` });
    expect(await rig.runner.hasBuilt({ names: tags, imageId })).toBe(false);
  });

  it('is kept without its secrets', async () => {
    const named = await leave('cp /creds/key /tmp/', { volumeMounts: [{ volume: 'creds', path: '/creds' }] });
    expect(await rig.remains()).toEqual({ containers: 1, networks: 0, volumes: 2 });
    expect(await goOn(named, 'ls /creds 2>&1 || true')).toEqual(['ls: /creds: No such file or directory']);
  });

  it('stays while it is young and among the newest, and goes afterwards', async () => {
    const [old, young] = [await leave('true'), await leave('true')];
    const keeps = () => Promise.all([old, young].map((one) => rig.runner.keeps(one)));
    const sweep = (maxAgeMs: number, most: number) =>
      rig.runner.sweep({ liveRuns: nobody, keepImages, keptWorkspaces: { maxAgeMs, most } });
    await sweep(3_600_000, 2);
    expect(await keeps()).toEqual([true, true]);
    await sweep(3_600_000, 1);
    expect((await keeps()).filter(Boolean)).toHaveLength(1);
    await sweep(0, 5);
    expect(await keeps()).toEqual([false, false]);
  });

  it('is not kept where there was none, and no run begins with one that is gone', async () => {
    const build = createBuildStep('image');
    const run = await rig.prepare([build], {}, { context: aContext({ Dockerfile: 'FROM busybox\n' }) });
    await rig.runOn(run, build);
    await run.dispose({ keepWorkspace: true });
    const named = { runId: rig.runId as RunId, attempt: 1 };
    expect(await rig.runner.keeps(named)).toBe(false);
    await expect(rig.prepare([build], {}, { workspaceOf: named })).rejects.toThrow(/is not kept any more/);
  });

  it('is told of, and the run does not begin, when it goes while it is looked at', async () => {
    const named = await leave('true');
    const step = shell('second', 'true');
    const run = await rig.prepare([step], {}, { workspaceOf: named });
    await rig.runner.sweep({ liveRuns: new Set([rig.runId]), keepImages });
    await expect(rig.runOn(run, step)).rejects.toThrow(/was removed while it was copied/);
    await run.dispose();
  });
});

describe('a pushed image', () => {
  it('is not there when its registry does not answer', async () => {
    const digest = `sha256:${'a'.repeat(64)}` as never;
    expect(await rig.runner.hasPushed({ registry: '127.0.0.1:1', repository: 'app', digest }, {})).toBe(false);
  });
});
