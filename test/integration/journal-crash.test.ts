import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileJournal } from '../../src/blob/disk/journal.ts';
import { ownDirectory } from '../../src/blob/disk/ownership.ts';
import { entryBytes } from '../blob/appender.ts';

let directory: string;
let children: ChildProcess[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-crash-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

function start(script: string, ...args: string[]): ChildProcess & { lines: AsyncIterableIterator<string> } {
  const path = fileURLToPath(new URL(`../blob/${script}`, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return Object.assign(child, { lines: createInterface(child.stdout)[Symbol.asyncIterator]() });
}

async function lineOf(child: { lines: AsyncIterableIterator<string> }): Promise<string> {
  const { value, done } = await child.lines.next();
  return done === true ? 'ended' : value;
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Reads the whole journal and compares every byte; resolves to the number of the last entry. */
async function checkJournal(): Promise<number> {
  const journal = await openFileJournal(directory);
  let last = 0;
  for await (const { sequence, bytes } of journal.read(0)) {
    last += 1;
    expect(sequence).toBe(last);
    if (!bytes.equals(entryBytes(sequence))) throw new Error(`entry ${String(sequence)} is not what was appended`);
  }
  await journal.close();
  return last;
}

describe('a process that is killed while it appends', () => {
  it('has lost nothing that was acknowledged, at any of twenty moments', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 20; round += 1) {
      const child = start('appender.ts', directory);
      let acknowledged = Number(await lineOf(child));
      expect(acknowledged).toBeGreaterThan(0);
      const killed = sleep((round * 37) % 150).then(() => kill(child));
      for await (const line of child.lines) acknowledged = Number(line);
      await killed;
      const last = await checkJournal();
      expect([acknowledged, acknowledged + 1]).toContain(last);
    }
    expect((await readdir(directory)).length).toBeGreaterThan(1);
  });
});

describe('a directory', () => {
  it('has one owner, until that one is killed', async () => {
    const first = start('owner.ts', directory);
    expect(await lineOf(first)).toBe('owner');
    await expect(ownDirectory(directory)).rejects.toMatchObject({ failure: { reason: 'conflict' } });
    await kill(first);
    const own = await ownDirectory(directory);
    expect(await lineOf(start('owner.ts', directory))).toBe('conflict');
    await own.release();
    await own.release();
    const next = start('owner.ts', directory);
    expect(await lineOf(next)).toBe('owner');
  });

  it('has one owner when several start at once after one that was killed', { timeout: 60_000 }, async () => {
    for (let round = 0; round < 3; round += 1) {
      const dead = start('owner.ts', directory);
      expect(await lineOf(dead)).toBe('owner');
      await kill(dead);
      const startAt = String(Date.now() + 3000);
      const starters = Array.from({ length: 5 }, () => start('owner.ts', directory, startAt));
      const lines = await Promise.all(starters.map((starter) => lineOf(starter)));
      expect(lines.sort()).toEqual(['conflict', 'conflict', 'conflict', 'conflict', 'owner']);
      for (const starter of starters) if (starter.exitCode === null) await kill(starter);
    }
  });

  it('has one owner among many starters of one process, in a path too long for a socket', async () => {
    const deep = join(directory, 'd'.repeat(100), 'e'.repeat(100));
    for (let round = 0; round < 30; round += 1) {
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => ownDirectory(deep)));
      const owners = results.filter((result) => result.status === 'fulfilled');
      const others = results.filter((result) => result.status === 'rejected');
      expect(owners).toHaveLength(1);
      for (const other of others) expect(other.reason).toMatchObject({ failure: { reason: 'conflict' } });
      await owners[0]?.value.release();
    }
    const names = await readdir(deep);
    expect(names.filter((name) => name.startsWith('.starting-'))).toEqual([]);
    expect(names.length).toBeLessThan(6);
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('slipway-own-'))).toEqual([]);
  });

  it('can be owned after a backup was restored that holds what sockets are not', async () => {
    await writeFile(join(directory, '.owner-0000000000000007.sock'), '');
    const own = await ownDirectory(directory);
    expect(await readdir(directory)).toContain('.owner-0000000000000008.sock');
    await own.release();
  });

  it('that takes no sockets is said to be unusable', async () => {
    await writeFile(join(directory, 'file'), '');
    await expect(ownDirectory(join(directory, 'file'))).rejects.toMatchObject({
      failure: { reason: 'storage-unavailable' },
    });
  });
});
