import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import type { ArchiveContext } from '../../src/cli/context.ts';
import { openDirectory } from '../../src/cli/context.ts';
import { openLocalContext } from '../../src/cli/local-context.ts';
import type { Context } from '../../src/source/ports.ts';
import { makeFolder } from './rig-api.ts';

const limits = { maxBytes: 1e6, maxUnpackedBytes: 1e6, maxEntries: 100, maxRatio: 100, timeoutMs: 1000 };

async function open(archive: ArchiveContext): Promise<Context> {
  const signal = new AbortController().signal;
  return openLocalContext(archive, { description: 'here', tempRoot: await makeFolder(), limits, signal });
}

async function tarOf(files: Record<string, string>): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  tar.finalize();
  return buffer(tar);
}

describe('a folder as a local context', () => {
  it('is packed anew each time it is read', async () => {
    const root = await makeFolder();
    await writeFile(join(root, 'a'), 'one');
    const context = await open(openDirectory(root, { gzip: false }));
    const first = await buffer(await context.open());
    await writeFile(join(root, 'a'), 'two');
    const second = await buffer(await context.open());
    expect([first.includes('one'), second.includes('two')]).toEqual([true, true]);
    expect(context.description).toBe('here');
  });

  it('has the files that a packed one has, and no others', async () => {
    const root = await makeFolder();
    await mkdir(join(root, 'sub'));
    await writeFile(join(root, 'sub', 'a.yaml'), 'text');
    await writeFile(join(root, 'secret'), 'no');
    await writeFile(join(root, '.dockerignore'), 'secret\n');
    await symlink('/etc/hostname', join(root, 'link'));
    const context = await open(openDirectory(root, { gzip: false }));
    expect(await context.readFile('sub/a.yaml', 100)).toBe('text');
    expect(await context.readFile('./sub/../sub/a.yaml', 100)).toBe('text');
    for (const name of [
      'secret',
      'link',
      'sub',
      'none',
      '../etc/hostname',
      '/etc/hostname',
      '../../../../etc/hostname',
    ])
      expect(await context.readFile(name, 100)).toBeUndefined();
    await expect(context.readFile('sub/a.yaml', 3)).rejects.toThrow('sub/a.yaml has 4 bytes; at most 3 are read');
  });
});

describe('an archive as a local context', () => {
  const repeatable = (bytes: Buffer, isRepeatable: boolean): ArchiveContext => {
    const once = Readable.from([bytes], { objectMode: false });
    return { kind: 'archive', isRepeatable, open: async () => (isRepeatable ? Readable.from([bytes]) : once) };
  };

  it.each([true, false])('may be read more than once (from a file: %s)', async (isRepeatable) => {
    const bytes = await tarOf({ 'acb.yaml': 'steps: []' });
    const context = await open(repeatable(bytes, isRepeatable));
    expect(await context.readFile('acb.yaml', 100)).toBe('steps: []');
    expect(await buffer(await context.open())).toEqual(bytes);
    expect(await context.readFile('none', 100)).toBeUndefined();
  });

  it('is refused when it leads out of the workspace or is none', async () => {
    const bad = await tarOf({ '../escape': 'x' });
    await expect(open(repeatable(bad, false))).rejects.toMatchObject({ failure: { reason: 'invalid-context' } });
    await expect(open(repeatable(Buffer.from('no tar'), true))).rejects.toMatchObject({
      failure: { reason: 'invalid-context' },
    });
  });
});
