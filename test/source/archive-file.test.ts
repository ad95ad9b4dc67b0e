import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readArchiveFile } from '../../src/source/archive-file.ts';
import { filterArchive, openFiltered } from '../../src/source/filter-archive.ts';
import { tarOf } from '../rig/contexts.ts';

const streamOf = (bytes: Buffer): Readable => Readable.from([bytes.subarray(0, 700), bytes.subarray(700)]);

describe('a file of an archive', () => {
  it.each([
    ['acb.yaml', 'acb.yaml'],
    ['./acb.yaml', 'acb.yaml'],
    ['acb.yaml', './acb.yaml'],
    ['dir/acb.yaml', 'dir//acb.yaml'],
  ])('%s is found as %s, in a tar and in a tar.gz', async (name, wanted) => {
    const tar = await tarOf({ other: 'no', [name]: 'text é', last: 'no' });
    expect(await readArchiveFile(streamOf(tar), wanted, 1000)).toBe('text é');
    expect(await readArchiveFile(Readable.from([gzipSync(tar)]), wanted, 1000)).toBe('text é');
  });

  it('is undefined when there is none, also in an empty archive', async () => {
    expect(await readArchiveFile(streamOf(await tarOf({ a: 'a' })), 'b', 10)).toBeUndefined();
    expect(await readArchiveFile(Readable.from([]), 'b', 10)).toBeUndefined();
  });

  it('is refused when it is too large', async () => {
    await expect(readArchiveFile(streamOf(await tarOf({ a: 'x'.repeat(11) })), 'a', 10)).rejects.toThrow('at most 10');
  });

  it('fails with the stream', async () => {
    const broken = new Readable({ read: () => broken.destroy(new Error('cut off')) });
    await expect(readArchiveFile(broken, 'a', 10)).rejects.toThrow('cut off');
  });
});

describe('an archive filtered by its own .dockerignore', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'slipway-filter-'));
  });
  afterEach(async () => {
    expect(await readdir(directory)).toEqual([]);
    await rm(directory, { recursive: true });
  });

  async function namesIn(tar: Buffer): Promise<string[]> {
    const entries = extract();
    entries.end(tar);
    const names: string[] = [];
    for await (const entry of entries) {
      names.push(entry.header.name);
      entry.resume();
    }
    return names;
  }

  /** What stays, in whichever way the archive is read: once or twice, plain or packed. */
  async function namesAfter(files: Readonly<Record<string, string>>, dockerfile = 'Dockerfile'): Promise<string[]> {
    const tar = await tarOf(files);
    const once = await filterArchive(streamOf(tar), dockerfile, directory);
    const names = await namesIn(await buffer(once));
    const packed = gzipSync(tar);
    const others = [
      await filterArchive(streamOf(packed), dockerfile, directory),
      await openFiltered(() => Promise.resolve(streamOf(tar)), dockerfile),
      await openFiltered(() => Promise.resolve(streamOf(packed)), dockerfile),
    ];
    for (const other of others) {
      const bytes = await buffer(other);
      expect(await namesIn(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes)).toEqual(names);
    }
    return names;
  }

  it('loses what the rules name, wherever they stand in it', async () => {
    const files = { 'a/x': '1', 'a/keep': '2', b: '3', '.dockerignore': 'a\n!a/keep\n', Dockerfile: 'FROM x' };
    expect(await namesAfter(files)).toEqual(['a/keep', 'b', '.dockerignore', 'Dockerfile']);
  });

  it('keeps its Dockerfile and ignore file whatever the rules say', async () => {
    expect(await namesAfter({ '.dockerignore': '*\n', Dockerfile: 'FROM x', a: '1' })).toEqual([
      '.dockerignore',
      'Dockerfile',
    ]);
  });

  it('goes by the ignore file of its Dockerfile first', async () => {
    const files = { 'D.dockerignore': 'a\n', '.dockerignore': 'b\n', D: 'FROM x', a: '1', b: '2' };
    expect(await namesAfter(files, 'D')).toEqual(['D.dockerignore', '.dockerignore', 'D', 'b']);
  });

  it('stays as it is without one', async () => {
    expect(await namesAfter({ a: '1', b: '2' })).toEqual(['a', 'b']);
  });

  it('is not opened a second time when its ignore file is malformed', async () => {
    const tar = await tarOf({ '.dockerignore': '[', a: '1' });
    let opened = 0;
    const open = (): Promise<Readable> => {
      opened += 1;
      return Promise.resolve(streamOf(tar));
    };
    await expect(openFiltered(open)).rejects.toMatchObject({ failure: { reason: 'invalid-context' } });
    expect(opened).toBe(1);
  });
});
