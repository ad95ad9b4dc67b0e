import { buffer } from 'node:stream/consumers';
import { PassThrough, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { changeArchive } from '../../src/runner/docker/context-archive.ts';
import { packFiles } from './rig.ts';

async function read(tar: Readable): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const entries = extract();
  tar.on('error', (error) => entries.destroy(error)).pipe(entries);
  for await (const entry of entries) {
    files[entry.header.name] = entry.header.type === 'link' ? `→${entry.header.linkname}` : String(await buffer(entry));
    entry.resume();
  }
  return files;
}

const files = { 'src/a': '1', 'src/deep/b': '2', 'srcs/c': '3', d: '4' };

describe('a changed archive', () => {
  it('has only what is in its folder, with paths from there', async () => {
    expect(await read(await changeArchive(packFiles(files), { folder: 'src' }))).toEqual({ a: '1', 'deep/b': '2' });
  });

  it('is read from gzip too', async () => {
    const packed = packFiles(files).pipe(createGzip());
    expect(await read(await changeArchive(packed, { folder: 'src/deep' }))).toEqual({ b: '2' });
  });

  it('has the file that was added', async () => {
    const add = { name: 'Dockerfile.other', text: 'FROM x' };
    const changed = await read(await changeArchive(packFiles({ './a': '1' }), { folder: '', add }));
    expect(changed).toEqual({ a: '1', 'Dockerfile.other': 'FROM x' });
  });

  it('has long names and names beyond ASCII', async () => {
    const name = `${'ä'.repeat(90)}/${'x'.repeat(120)}`;
    expect(await read(await changeArchive(packFiles({ [`in/${name}`]: '1' }), { folder: 'in' }))).toEqual({
      [name]: '1',
    });
  });

  it('keeps hard links inside the folder, and breaks at one that leads out', async () => {
    const tar = (linkname: string): Readable => {
      const archive = pack();
      archive.entry({ name: 'src/a' }, 'x');
      archive.entry({ name: 'src/l', type: 'link', linkname });
      archive.finalize();
      return archive.pipe(new PassThrough());
    };
    expect(await read(await changeArchive(tar('src/a'), { folder: 'src' }))).toEqual({ a: 'x', l: '→a' });
    await expect(read(await changeArchive(tar('d'), { folder: 'src' }))).rejects.toThrow('outside the context');
  });

  it('breaks where its folder is not there, and where its source does', async () => {
    await expect(read(await changeArchive(packFiles(files), { folder: 'no' }))).rejects.toThrow('no folder no');
    const broken = Readable.from([Buffer.from('this is no archive'.repeat(100))], { objectMode: false });
    await expect(read(await changeArchive(broken, { folder: 'src' }))).rejects.toThrow();
  });
});
