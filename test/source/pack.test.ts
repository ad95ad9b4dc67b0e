import { execFile } from 'node:child_process';
import { chmod, link, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inspectArchive } from '../../src/source/inspect.ts';
import { packDirectory, type PackOptions } from '../../src/source/pack.ts';
import { streamOf, testLimits } from './tar-rig.ts';

let root = '';

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'pack-test-'));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), content);
  }
}

async function packed(options: Partial<PackOptions> = {}): Promise<Buffer> {
  const { stream } = await packDirectory(root, { kind: 'upload', ...options });
  return buffer(stream);
}

interface Member extends Header {
  readonly content: string;
}

/** What an independent reader sees in the archive. */
async function unpack(bytes: Buffer): Promise<Member[]> {
  const members: Member[] = [];
  const tar = extract();
  tar.end(bytes);
  for await (const entry of tar) {
    const content = await buffer(entry);
    members.push({ ...entry.header, content: content.toString() });
  }
  return members;
}

async function namesIn(options: Partial<PackOptions> = {}): Promise<string[]> {
  return (await unpack(await packed(options))).map(({ name }) => name);
}

describe('packDirectory', () => {
  it('writes sorted names, contents, modes, times, and owner 0', async () => {
    await write({ 'b.txt': 'two', 'a/x.sh': 'one', Z: '' });
    await chmod(path.join(root, 'a/x.sh'), 0o755);
    await utimes(path.join(root, 'b.txt'), 1_700_000_000, 1_700_000_000);
    const members = await unpack(await packed());
    expect(members.map(({ name }) => name)).toEqual(['Z', 'a/', 'a/x.sh', 'b.txt']);
    expect(members[2]).toMatchObject({ mode: 0o755, uid: 0, gid: 0, content: 'one', type: 'file' });
    expect(members[3]).toMatchObject({ content: 'two', mtime: new Date(1_700_000_000_000) });
  });

  it('gives the same bytes for the same tree, and the same archive in gzip', async () => {
    await write({ a: '1', 'b/c': '2' });
    const bytes = await packed();
    expect(await packed()).toEqual(bytes);
    expect(gunzipSync(await packed({ gzip: true }))).toEqual(bytes);
  });

  it('is read by tar(1) and passes the inspector, long and foreign names, large files and links included', async () => {
    const long = `${'d'.repeat(120)}/${'f'.repeat(150)}`;
    await write({ [long]: 'long', 'ünï/ç': 'x', big: 'y'.repeat(700_000) });
    await symlink(long, path.join(root, 'link'));
    await link(path.join(root, 'big'), path.join(root, 'hard'));
    const bytes = await packed();
    const inspection = await inspectArchive(streamOf(bytes), testLimits);
    expect([long, 'ünï/ç', 'big', 'hard', 'link'].filter((name) => !inspection.hasFile(name))).toEqual([]);
    const target = path.join(root, 'out');
    await mkdir(target);
    await writeFile(path.join(root, 'x.tar'), bytes);
    await promisify(execFile)('tar', ['-xf', path.join(root, 'x.tar'), '-C', target]);
    const { stdout } = await promisify(execFile)('diff', ['-r', path.join(root, 'big'), path.join(target, 'hard')]);
    expect(stdout).toBe('');
    const members = await unpack(bytes);
    expect(members.find(({ name }) => name === long)?.content).toBe('long');
    expect(members.find(({ name }) => name === 'link')).toMatchObject({ type: 'symlink', linkname: long });
  });

  it('honours .dockerignore, with exceptions, and always sends the Dockerfile and the ignore file', async () => {
    await write({
      '.dockerignore': '**\n!src/**/*.ts\n',
      'docker/Dockerfile': 'FROM x',
      'src/a/b.ts': '',
      'src/a/b.js': '',
      'node_modules/m/i.js': '',
    });
    expect(await namesIn({ dockerfile: 'docker/Dockerfile' })).toEqual([
      '.dockerignore',
      'docker/Dockerfile',
      'src/a/b.ts',
    ]);
  });

  it('prefers the ignore file of the Dockerfile', async () => {
    await write({ '.dockerignore': 'b', 'x.Dockerfile': '', 'x.Dockerfile.dockerignore': 'a', a: '', b: '' });
    const { ignoreFile, stream } = await packDirectory(root, { kind: 'upload', dockerfile: 'x.Dockerfile' });
    stream.destroy();
    expect(ignoreFile).toBe('x.Dockerfile.dockerignore');
    expect(await namesIn({ dockerfile: 'x.Dockerfile' })).not.toContain('a');
    expect(await namesIn({ dockerfile: 'x.Dockerfile' })).toContain('b');
  });

  it('does not open a directory that is wholly ignored', async () => {
    await write({ '.dockerignore': 'locked\n!other\n', 'locked/a/b': '', other: '' });
    const seen: string[] = [];
    await packed({ onProgress: ({ entries }) => seen.push(String(entries)) });
    expect(await namesIn()).toEqual(['.dockerignore', 'other']);
    expect(seen).toEqual(['1', '2']);
  });

  it('leaves out version-control directories: at the root for uploads, .git everywhere for git', async () => {
    await write({ '.git/HEAD': '', '.hg/x': '', 'sub/.git/HEAD': '', 'sub/.hg/x': '', '.gitignore': '' });
    expect(await namesIn()).toEqual(['.gitignore', 'sub/', 'sub/.git/', 'sub/.git/HEAD', 'sub/.hg/', 'sub/.hg/x']);
    expect(await namesIn({ kind: 'git' })).toEqual(['.gitignore', '.hg/', '.hg/x', 'sub/', 'sub/.hg/', 'sub/.hg/x']);
  });

  it('keeps links as links, and never reads through one', async () => {
    await write({ 'real/file': 'x' });
    await symlink('real', path.join(root, 'alias'));
    expect(await namesIn()).toEqual(['alias', 'real/', 'real/file']);
  });

  it('refuses a link out of an upload by name, and leaves it to the engine in a git context', async () => {
    await symlink('/etc/passwd', path.join(root, 'evil'));
    await expect(packed()).rejects.toMatchObject({
      failure: { reason: 'invalid-context', message: expect.stringContaining('evil') as string },
    });
    expect((await unpack(await packed({ kind: 'git' })))[0]).toMatchObject({
      type: 'symlink',
      linkname: '/etc/passwd',
    });
  });

  it('leaves out sockets', async () => {
    await write({ a: '' });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path.join(root, 'socket'), resolve));
    expect(await namesIn()).toEqual(['a']);
    server.close();
  });

  it('puts extra files first', async () => {
    await write({ a: '' });
    const extra = [{ name: 'abc_Dockerfile', content: Buffer.from('FROM x') }];
    expect((await unpack(await packed({ extra })))[0]).toMatchObject({ name: 'abc_Dockerfile', content: 'FROM x' });
  });

  it.each([
    [{ dockerfile: 'nope' }, 'invalid-request', 'dockerFilePath'],
    [{ dockerfile: '../x' }, 'invalid-request', 'dockerFilePath'],
    [{ dockerfile: 'dir' }, 'invalid-request', 'dockerFilePath'],
    [{ dockerfile: 'outside' }, 'invalid-request', 'dockerFilePath'],
  ])('refuses %o', async (options, reason, field) => {
    await mkdir(path.join(root, 'dir'));
    await symlink('/etc/hostname', path.join(root, 'outside'));
    await expect(packed(options)).rejects.toMatchObject({ failure: { reason, field } });
  });

  it('refuses a directory that is none', async () => {
    await write({ a: '' });
    for (const name of ['nope', 'a']) {
      await expect(packDirectory(path.join(root, name), { kind: 'upload' })).rejects.toMatchObject({
        failure: { reason: 'invalid-request', field: 'sourceLocation' },
      });
    }
  });

  it('names the line of a malformed .dockerignore, and reads none through a link out', async () => {
    await write({ '.dockerignore': 'a\n[' });
    await expect(packed()).rejects.toThrow('.dockerignore line 2');
    await rm(path.join(root, '.dockerignore'));
    await symlink('/etc/passwd', path.join(root, '.dockerignore'));
    const { ignoreFile, stream } = await packDirectory(root, { kind: 'git' });
    stream.destroy();
    expect(ignoreFile).toBeUndefined();
  });

  it('keeps to its bounds', async () => {
    await write({ a: 'x'.repeat(100), b: 'x' });
    await expect(packed({ maxBytes: 100 })).rejects.toMatchObject({ failure: { reason: 'too-large' } });
    await expect(packed({ maxEntries: 1 })).rejects.toMatchObject({ failure: { reason: 'too-large' } });
    await expect(packed({ maxEntries: 1, gzip: true })).rejects.toMatchObject({ failure: { reason: 'too-large' } });
  });

  it('stops when the signal aborts', async () => {
    await write({ a: '1' });
    const controller = new AbortController();
    const { stream } = await packDirectory(root, { kind: 'upload', signal: controller.signal });
    controller.abort(new Error('canceled'));
    await expect(buffer(stream)).rejects.toThrow('canceled');
  });
});
