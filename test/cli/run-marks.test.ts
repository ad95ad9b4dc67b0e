import { spawnSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLocalRunId, findDeadRuns, markRun } from '../../src/cli/run-marks.ts';
import { isRunId } from '../../src/domain/run.ts';
import { makeFolder } from './rig-api.ts';

const engine = 'unix:///run/docker.sock';

/** A mark as a process would have left it that is gone. */
async function leaveMark(dataDir: string, id: string, change: object = {}): Promise<void> {
  markRun(dataDir, id, engine);
  const file = join(dataDir, 'local', 'runs', `${id}.json`);
  const { pid } = spawnSync('true');
  const mark = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...mark, pid, ...change }));
}

describe('a local run', () => {
  it('has an id like any run, and no other the same', () => {
    const ids = Array.from({ length: 1000 }, () => createLocalRunId(1_795_000_000_000));
    expect(ids.every(isRunId)).toBe(true);
    expect(new Set(ids).size).toBe(1000);
    expect(isRunId(createLocalRunId(0)) && isRunId(createLocalRunId(8.64e15))).toBe(true);
  });

  it('is not dead while its process lives, and leaves nothing when it has ended', async () => {
    const dataDir = await makeFolder();
    const forget = markRun(dataDir, 'l1', engine);
    expect(findDeadRuns(dataDir, engine)).toEqual([]);
    forget();
    forget();
    expect(await readdir(join(dataDir, 'local', 'runs'))).toEqual([]);
  });

  it('is dead when its process is gone, until it is forgotten', async () => {
    const dataDir = await makeFolder();
    await leaveMark(dataDir, 'l1');
    const [dead, ...more] = findDeadRuns(dataDir, engine);
    expect([dead?.id, more]).toEqual(['l1', []]);
    dead!.forget();
    expect(findDeadRuns(dataDir, engine)).toEqual([]);
  });

  it('is dead when another process has its number by now', async () => {
    const dataDir = await makeFolder();
    await leaveMark(dataDir, 'l1', { pid: process.pid, identity: 'another boot/1' });
    expect(findDeadRuns(dataDir, engine)).toHaveLength(1);
  });

  it('is left alone on another engine, on another machine, and while its mark is not whole', async () => {
    const dataDir = await makeFolder();
    await leaveMark(dataDir, 'l1', { engineHost: 'tcp://elsewhere' });
    await leaveMark(dataDir, 'l2', { machine: 'elsewhere' });
    await writeFile(join(dataDir, 'local', 'runs', 'l3.json'), '{"pid"');
    expect(findDeadRuns(dataDir, engine)).toEqual([]);
    expect(findDeadRuns(join(dataDir, 'none'), engine)).toEqual([]);
  });
});
