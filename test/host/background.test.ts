import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  awaitReady,
  findBackground,
  listBackground,
  startBackground,
  stopBackground,
} from '../../src/host/background.ts';
import { removeDataDirectory } from '../../src/host/data-directory.ts';
import { withHostLock } from '../../src/host/lock.ts';
import { listProcesses, startProcesses, stopProcesses } from '../../src/host/processes.ts';
import { listMountsBelow } from '../../src/host/stop.ts';

const node = process.execPath;
const forever = 'setInterval(() => {}, 1000); console.log("up")';
const stubborn = `process.on('SIGTERM', () => {}); ${forever}`;

describe('background processes', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'slipway-background-'));
  });
  afterEach(async () => {
    for (const { name } of listBackground(dataDir)) await stopBackground(dataDir, name, 0);
    rmSync(dataDir, { recursive: true, force: true });
  });

  const start = (name: string, script: string) =>
    startBackground(dataDir, { name, program: node, args: ['-e', script] });
  const isUp = (name: string) =>
    awaitReady(dataDir, name, () =>
      Promise.resolve(readFileSync(join(dataDir, 'run', `${name}.log`), 'utf8').includes('up') || undefined),
    );

  it('run until they are stopped', async () => {
    const { pid } = await start('one', forever);
    expect(await isUp('one')).toBe(true);
    expect(listBackground(dataDir)).toMatchObject([{ name: 'one', pid }]);
    expect(await stopBackground(dataDir, 'one')).toBe(true);
    expect(findBackground(dataDir, 'one')).toBeUndefined();
    expect(await stopBackground(dataDir, 'one')).toBe(false);
  });

  it('are killed when they do not listen', async () => {
    await start('deaf', stubborn);
    await isUp('deaf');
    expect(await stopBackground(dataDir, 'deaf', 50)).toBe(true);
    expect(findBackground(dataDir, 'deaf')).toBeUndefined();
  });

  it('are not taken for ours when their number was used again', async () => {
    await start('old', forever);
    const file = join(dataDir, 'run', 'old.pid.json');
    const written = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    await stopBackground(dataDir, 'old', 0);
    writeFileSync(file, JSON.stringify({ ...written, pid: process.pid }));
    expect(await stopBackground(dataDir, 'old')).toBe(false);
  });

  it('end the wait for them when they end', async () => {
    await start('brief', 'process.exit(3)');
    const never = (): Promise<true | undefined> => Promise.resolve(undefined);
    expect(await awaitReady<true>(dataDir, 'brief', never, { timeoutMs: 8000 })).toBeUndefined();
  });

  it('that cannot be started are told of', async () => {
    const missing = startBackground(dataDir, { name: 'none', program: '/nonexistent/program', args: [] });
    await expect(missing).rejects.toThrow('none could not be started');
  });

  it('may not be named like a path', async () => {
    await expect(start('../x', forever)).rejects.toThrow('no name');
  });

  it('of Slipway start once and stop workers first', async () => {
    const script = join(dataDir, 'role.mjs');
    writeFileSync(script, forever);
    const commands = [{ role: 'run-worker', script } as const, { role: 'api', script } as const];
    const first = await startProcesses(dataDir, commands);
    expect(first.map(({ role, isNew }) => [role, isNew])).toEqual([
      ['api', true],
      ['run-worker', true],
    ]);
    const second = await startProcesses(dataDir, commands);
    expect(second.map(({ pid, isNew }) => [pid, isNew])).toEqual(first.map(({ pid }) => [pid, false]));
    expect(listProcesses(dataDir)).toHaveLength(2);
    expect(await stopProcesses(dataDir)).toEqual(['run-worker', 'api']);
  });
});

describe('the data directory', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'slipway-home-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('is removed whole when Slipway made it', async () => {
    const dataDir = join(home, 'new');
    await withHostLock(dataDir, () => Promise.resolve());
    removeDataDirectory(dataDir);
    expect(() => readFileSync(join(dataDir, '.slipway-data'))).toThrow('ENOENT');
  });

  it('is left alone when it held other files before', async () => {
    writeFileSync(join(home, 'letter.txt'), 'dear');
    await withHostLock(home, () => Promise.resolve());
    const remove = (): void => removeDataDirectory(home);
    expect(remove).toThrow('not Slipway');
    expect(readFileSync(join(home, 'letter.txt'), 'utf8')).toBe('dear');
  });

  it('is used by one at a time', async () => {
    const order: string[] = [];
    const hold = async (name: string) =>
      withHostLock(home, async () => {
        order.push(`${name} in`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} out`);
      });
    await Promise.all([hold('a'), hold('b')]);
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out']);
  });

  it('is freed of the lock of a process that died', async () => {
    await withHostLock(home, () => Promise.resolve());
    writeFileSync(join(home, 'run', 'lock'), JSON.stringify({ pid: process.pid, identity: 'another boot/1' }));
    expect(await withHostLock(home, () => Promise.resolve('free'), 5000)).toBe('free');
  });

  it('is unmounted deepest first', () => {
    const mounts = 'a /data/engine x\nb /data/engine/a\\040b x\nc /data/engineer x\n';
    expect(listMountsBelow(mounts, ['/data/engine'])).toEqual(['/data/engine/a b', '/data/engine']);
  });
});
