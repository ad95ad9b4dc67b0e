import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { FailureError } from '../../src/domain/failure.ts';
import { inspectArchive } from '../../src/source/inspect.ts';
import type { ContextLimits } from '../../src/source/ports.ts';
import { endOfArchive } from '../../src/source/tar-writer.ts';
import { archive, file, gzipped, member, paxRecord, rawMember, streamOf, testLimits, withChecksum } from './tar-rig.ts';

function inspect(bytes: Buffer, limits: Partial<ContextLimits> = {}, size?: number): ReturnType<typeof inspectArchive> {
  return inspectArchive(streamOf(bytes, size), { ...testLimits, ...limits });
}

async function expectRefusal(bytes: Buffer, words: string, reason = 'invalid-context'): Promise<void> {
  await expect(inspect(bytes)).rejects.toMatchObject({
    failure: { reason, message: expect.stringContaining(words) as string },
  });
}

/** With a wrong checksum at the end. */
function damage(bytes: Buffer): Buffer {
  return bytes.fill(0x55, bytes.length - 8);
}

const good = archive(member('directory', 'src'), file('src/a.txt', 'hello'), file('Dockerfile', 'FROM x'));

describe('inspectArchive, on archives that are fine', () => {
  it.each([1, 7, 512, 65_536])('reads a tar and a tar.gz that arrive %i bytes at a time', async (size) => {
    for (const bytes of [good, gzipped(good)]) {
      const inspection = await inspect(bytes, {}, size);
      expect(inspection).toMatchObject({ entries: 3, packedBytes: bytes.length, unpackedBytes: good.length });
      expect(inspection.hasFile('./src/a.txt')).toBe(true);
      expect(inspection.hasFile('Dockerfile')).toBe(true);
      expect(inspection.hasFile('src')).toBe(false);
      expect(inspection.hasFile('nope')).toBe(false);
    }
  });

  it('says how the archive is compressed', async () => {
    expect((await inspect(good)).compression).toBe('none');
    expect((await inspect(gzipped(good))).compression).toBe('gzip');
  });

  it.each(['', '/', './', '.'])('takes a root directory named %j, as az sends it', async (name) => {
    const inspection = await inspect(archive(rawMember('5', name), file('a')));
    expect(inspection.hasFile('a')).toBe(true);
  });

  it('reads what tar-stream writes: long names, unicode, links', async () => {
    const tar = pack();
    const long = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'ü'.repeat(60)}`;
    tar.entry({ name: long }, 'x');
    tar.entry({ name: 'link', type: 'symlink', linkname: long });
    tar.entry({ name: 'hard', type: 'link', linkname: long });
    tar.finalize();
    const inspection = await inspectArchive(tar.pipe(new PassThrough()), testLimits);
    expect(inspection.hasFile(long)).toBe(true);
    expect(inspection.hasFile('link')).toBe(true);
  });

  it('takes GNU long names, a global header with a comment as git writes it, and zeros after the end', async () => {
    const long = `a/${'b'.repeat(200)}`;
    const bytes = archive(
      rawMember('g', 'pax_global_header', { data: paxRecord('comment', 'f00') }),
      rawMember('L', '././@LongLink', { data: `${long}\0` }),
      file('a/cut'),
      Buffer.alloc(10_240),
    );
    expect((await inspect(bytes)).hasFile(long)).toBe(true);
  });

  it.each([
    ['a/link', 'b'],
    ['a/link', '../b'],
    ['a/b/link', '../../c/./d'],
    ['link', '.'],
    ['link', 'dir/../other'],
    ['link', '...'],
  ])('takes the symbolic link %s to %s', async (name, target) => {
    expect((await inspect(archive(member('directory', 'dir'), member('symlink', name, target)))).hasFile(name)).toBe(
      true,
    );
  });

  it('takes a file that occurs twice', async () => {
    expect((await inspect(archive(file('a', '1'), file('./a', '2')))).entries).toBe(2);
  });
});

describe('inspectArchive, on archives that are not', () => {
  it.each([
    ['nothing at all', Buffer.alloc(0), 'not one byte'],
    ['text', Buffer.from('FROM scratch\n'.repeat(100)), 'neither a tar nor a gzip'],
    ['a zip', Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(1000, 1)]), 'neither a tar nor a gzip'],
    ['one byte', Buffer.from([0x1f]), 'neither a tar nor a gzip'],
    ['zeros', Buffer.alloc(10_240), 'the archive is empty'],
    ['gzip of text', gzipped(Buffer.from('x'.repeat(2000))), 'header in it is damaged'],
    [
      'gzip that breaks off',
      gzipped(Buffer.concat([good, Buffer.alloc(9999, 7)])).subarray(0, 60),
      'ends in the middle',
    ],
    ['damaged gzip', damage(gzipped(good)), 'compression is damaged'],
    ['a tar without its end', good.subarray(0, good.length - 1024), 'ends in the middle'],
    ['a tar cut in a file', good.subarray(0, 1024 + 3), 'ends in the middle'],
    ['a tar cut in a header', good.subarray(0, 700), 'ends in the middle'],
    [
      'a header behind a block of zeros',
      Buffer.concat([file('a'), Buffer.alloc(512), file('b'), endOfArchive]),
      'damaged',
    ],
  ])('refuses %s', async (_, bytes, words) => {
    await expectRefusal(bytes, words);
  });

  it.each([
    ['an absolute name', file('/etc/passwd'), 'absolute name'],
    ['a name with ..', file('a/../../b'), '".."'],
    ['..', rawMember('5', '..'), '".."'],
    ['a name with a control character', file('a\u001b[2Jb'), 'control characters'],
    ['the root as a file', file('.'), 'is the root, but no directory'],
    ['a character device', rawMember('3', 'null'), 'device or a pipe'],
    ['a block device', rawMember('4', 'disk'), 'device or a pipe'],
    ['a pipe', rawMember('6', 'pipe'), 'device or a pipe'],
    ['a sparse file', rawMember('S', 'sparse'), 'type that is not supported'],
    ['an unknown type', rawMember('Z', 'odd'), 'type that is not supported'],
    ['an absolute link', member('symlink', 'l', '/etc/passwd'), 'link out of the archive'],
    ['a link out', member('symlink', 'a/l', '../../x'), 'link out of the archive'],
    ['a link out by a detour', member('symlink', 'l', 'a/../../x'), 'link out of the archive'],
    ['an empty link', member('symlink', 'l', ''), 'link out of the archive'],
    ['a hard link to nothing', rawMember('1', 'l', { linkName: 'nothing' }), 'no earlier file'],
    ['a hard link out', rawMember('1', 'l', { linkName: '../../etc/passwd' }), '".."'],
    ['an absolute hard link', rawMember('1', 'l', { linkName: '/etc/passwd' }), 'absolute'],
    ['a negative size', withChecksum(Buffer.concat([rawMember('0', 'a').fill(0xff, 124, 136)])), 'damaged'],
    ['a directory with data', rawMember('0', 'dir/', { data: 'x' }), 'has data'],
    ['a pax header that is none', rawMember('x', 'p', { data: 'nonsense' }), 'damaged'],
    [
      'a pax size that is none',
      Buffer.concat([rawMember('x', 'p', { data: paxRecord('size', '-1') }), file('a')]),
      'size',
    ],
    ['a GNU sparse map', rawMember('x', 'p', { data: paxRecord('GNU.sparse.major', '1') }), 'sparse'],
    ['an enormous pax header', rawMember('x', 'p', { size: 1e9 }), 'larger than 1 MiB'],
    ['a global header that renames', rawMember('g', 'p', { data: paxRecord('path', 'safe') }), 'renames every entry'],
  ])('refuses %s', async (_, bytes, words) => {
    await expectRefusal(archive(bytes), words);
  });

  it.each([
    ['an entry through a link', [member('symlink', 'l', 'd'), file('l/x')], 'behind the symbolic link'],
    ['a link where a directory was', [file('d/x'), member('symlink', 'd', '.')], 'occurs twice'],
    ['a file where a link was', [member('symlink', 'l', 'd'), file('l')], 'occurs twice'],
    ['a file in a file', [file('a'), file('a/b')], 'which is a file'],
    ['a hard link to a link', [member('symlink', 'l', 'd'), rawMember('1', 'h', { linkName: 'l' })], 'no earlier file'],
    [
      'a link through a link',
      [member('symlink', 'd/up', '..'), member('symlink', 'd/l', 'up/../x')],
      'through another link',
    ],
    [
      'a link through a later link',
      [member('symlink', 'd/l', 'up/../x'), member('symlink', 'd/up', '..')],
      'through another',
    ],
    [
      'two long names for one entry',
      [rawMember('x', 'p', { data: paxRecord('path', 'safe') }), rawMember('L', 'n', { data: '../evil' }), file('a')],
      'two long names',
    ],
  ])('refuses %s', async (_, members, words) => {
    await expectRefusal(archive(...members), words);
  });

  it('finds what hides behind a pax name', async () => {
    const header = rawMember('x', 'p', { data: paxRecord('path', '../evil') });
    await expectRefusal(archive(header, file('innocent')), '"../evil"');
  });

  it('refuses too many entries, too many bytes, and too many unpacked', async () => {
    const many = archive(...Array.from({ length: 11 }, (_, index) => file(String(index))));
    await expect(inspect(many, { maxEntries: 10 })).rejects.toMatchObject({ failure: { reason: 'too-large' } });
    await expect(inspect(good, { maxBytes: 2000 })).rejects.toMatchObject({ failure: { reason: 'too-large' } });
    await expect(inspect(gzipped(good), { maxUnpackedBytes: 2000 })).rejects.toMatchObject({
      failure: { reason: 'too-large' },
    });
  });

  it('stops at a bomb long before its end', async () => {
    const bomb = gzipped(archive(rawMember('0', 'zeros', { data: Buffer.alloc(80 * 1024 * 1024) })));
    await expect(inspect(bomb)).rejects.toMatchObject({
      failure: { reason: 'invalid-context', message: expect.stringContaining('more than 100 times') as string },
    });
  });

  it('never ends in anything but a verdict, whatever bytes are changed', async () => {
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), fc.boolean(), async (changes, isZipped) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        await inspect(isZipped ? gzipped(bytes) : bytes).catch((error: unknown) =>
          expect(error).toBeInstanceOf(FailureError),
        );
      }),
    );
  });
});

describe('inspectArchive, beside the stream', () => {
  it('rejects with the reason of the signal and destroys the stream', async () => {
    const stream = new PassThrough();
    const controller = new AbortController();
    const work = inspectArchive(stream, testLimits, controller.signal);
    stream.write(good.subarray(0, 700));
    controller.abort(new Error('canceled'));
    await expect(work).rejects.toThrow('canceled');
    expect(stream.destroyed).toBe(true);
  });

  it('passes on the error of a stream that breaks', async () => {
    for (const bytes of [good, gzipped(good)]) {
      const stream = new PassThrough();
      const work = inspectArchive(stream, testLimits);
      stream.write(bytes.subarray(0, 60));
      setImmediate(() => stream.destroy(new Error('the client went away')));
      await expect(work).rejects.toThrow('the client went away');
    }
  });

  it('destroys the stream when it refuses', async () => {
    const stream = new PassThrough();
    stream.write(Buffer.alloc(1024, 65));
    await expect(inspectArchive(stream, testLimits)).rejects.toBeInstanceOf(FailureError);
    expect(stream.destroyed).toBe(true);
  });
});
