import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { afterAll, describe, expect, it } from 'vitest';
import { listLibraries, packRootFs, parseLibraries, type RootEntry } from '../../src/host/root-fs.ts';
import { createFakeTools } from './fakes.ts';

describe('parseLibraries', () => {
  it('reads libraries and the loader, and skips what is no file or was not found', () => {
    const text = [
      '\tlinux-vdso.so.1 (0x00007fd7c25e4000)',
      '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fd7c201e000)',
      '\tlibgone.so => not found',
      '\t/lib64/ld-linux-x86-64.so.2 (0x00007fd7c25e6000)',
    ].join('\n');
    expect(parseLibraries(text)).toEqual(['/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2']);
  });

  it('finds none for a static program, and says what it could not look at', async () => {
    const fixed = createFakeTools({ answer: () => ({ code: 1, stderr: 'not a dynamic executable' }) });
    expect(await listLibraries(fixed.commands, '/bin/busybox')).toEqual([]);
    const broken = createFakeTools({ answer: () => ({ code: 1, stderr: 'No such file' }) });
    await expect(listLibraries(broken.commands, '/x')).rejects.toThrow('No such file');
  });
});

describe('packRootFs', () => {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-root-'));
  const source = join(directory, 'program');
  writeFileSync(source, 'x'.repeat(100_000));
  afterAll(() => rmSync(directory, { recursive: true }));

  const entries: readonly RootEntry[] = [
    { kind: 'file', path: '/usr/local/bin/program', source, mode: 0o755 },
    { kind: 'link', path: '/bin', target: 'usr/bin' },
    { kind: 'text', path: '/etc/group', text: 'root:x:0:\n' },
    { kind: 'directory', path: '/tmp', mode: 0o1777 },
  ];

  it('gives the same bytes for the same files, in whatever order', async () => {
    const first = await buffer(packRootFs(entries));
    expect((await buffer(packRootFs(entries.toReversed()))).equals(first)).toBe(true);
  });

  it('holds every parent directory before what is in it, owned by root', async () => {
    const names: string[] = [];
    const reader = extract();
    packRootFs(entries).pipe(reader);
    for await (const entry of reader) {
      names.push(entry.header.name);
      expect([entry.header.uid, entry.header.gid, entry.header.mtime.getTime()]).toEqual([0, 0, 0]);
      entry.resume();
    }
    const parents = ['usr', 'usr/local', 'usr/local/bin', 'usr/local/bin/program'];
    expect(names.map((name) => name.replace(/\/$/, ''))).toEqual(['bin', 'etc', 'etc/group', 'tmp', ...parents]);
  });

  it('fails when a file is gone', async () => {
    const gone = packRootFs([{ kind: 'file', path: '/x', source: join(directory, 'gone') }]);
    await expect(buffer(gone)).rejects.toThrow('ENOENT');
  });
});
