import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { findContext } from '../../src/cli/context.ts';
import type { CliIo } from '../../src/cli/io.ts';
import { Captured, makeContext, makeFolder } from './rig-api.ts';

function makeIo(cwd: string, isTTY = false): CliIo {
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const [stdout, stderr] = [new Captured(false), new Captured(false)];
  return { stdin, stdout, stderr, env: {}, cwd, clock: { now: () => 0 }, onInterrupt: () => () => undefined };
}

describe('findContext', () => {
  it('packs a folder, compressed where that is wanted, and the same each time', async () => {
    const cwd = await makeContext();
    const open = async (compress: boolean): Promise<Buffer> => {
      const context = await findContext(makeIo(cwd), '.', { compress });
      if (context.kind !== 'archive') throw new Error('no archive');
      return buffer(await context.open(new AbortController().signal, () => undefined));
    };
    const plain = await open(false);
    expect(gunzipSync(await open(true)).equals(plain)).toBe(true);
  });

  it('measures what goes in, and not what .dockerignore keeps out', async () => {
    const cwd = await makeContext();
    await writeFile(join(cwd, 'big.txt'), Buffer.alloc(10_000));
    await mkdir(join(cwd, '.git'));
    await writeFile(join(cwd, '.git', 'pack'), Buffer.alloc(10_000));
    await writeFile(join(cwd, 'b'), Buffer.alloc(1000));
    const context = await findContext(makeIo(cwd), '.', { compress: false });
    const bytes = context.kind === 'archive' ? await context.measure?.(new AbortController().signal) : undefined;
    expect(bytes).toBe('FROM scratch\nCOPY a /a\n'.length + '*.txt\nnode_modules\n'.length + 1 + 1000);
  });

  it('takes an archive file as it is, and a folder before a URL of the same spelling', async () => {
    const cwd = await makeFolder();
    await writeFile(join(cwd, 'ctx.tar.gz'), 'bytes');
    const archive = await findContext(makeIo(cwd), 'ctx.tar.gz', { compress: false, file: 'D' });
    expect(archive).toMatchObject({ kind: 'archive', dockerFilePath: 'D', isRepeatable: true });
    await mkdir(join(cwd, 'github.com', 'owner'), { recursive: true });
    await writeFile(join(cwd, 'github.com', 'owner', 'Dockerfile'), 'FROM scratch\n');
    expect(await findContext(makeIo(cwd), 'github.com/owner', { compress: false })).toMatchObject({ kind: 'archive' });
    expect(await findContext(makeIo(cwd), 'github.com/owner/app', { compress: false })).toMatchObject({
      kind: 'remote',
    });
    expect(await findContext(makeIo(cwd), 'git@host:owner/app.git', { compress: false })).toMatchObject({
      kind: 'remote',
    });
  });

  it('does not wait for a person to type an archive', async () => {
    const reading = findContext(makeIo(await makeFolder(), true), '-', { compress: false });
    await expect(reading).rejects.toThrow('which is a terminal');
  });
});
