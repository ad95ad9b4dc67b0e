import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailureError } from '../../src/domain/failure.ts';
import { parseSourceLocation } from '../../src/source/location.ts';
import { maskLocation, splitToken } from '../../src/source/location-secret.ts';

const git = { kind: 'git' };

describe('parseSourceLocation', () => {
  it.each([
    ['source/202611210000/0b1c.tar.gz', { kind: 'upload', relativePath: 'source/202611210000/0b1c.tar.gz' }],
    ['https://h.test/a.git', { ...git, transport: 'https', url: 'https://h.test/a.git', host: 'h.test' }],
    ['http://h.test:81/a.git', { ...git, transport: 'http', url: 'http://h.test:81/a.git', host: 'h.test', port: 81 }],
    ['https://h.test/a.git#main', { ref: 'main' }],
    ['https://h.test/a.git#feature/x:src/app/', { ref: 'feature/x', folder: 'src/app' }],
    ['https://h.test/a.git#:app', { folder: 'app' }],
    ['https://h.test/a.git#main:.', { ref: 'main' }],
    ['https://h.test/a.git#pull/12/head', { ref: 'pull/12/head' }],
    ['https://h.test/a.git#1a2b3c4', { ref: '1a2b3c4' }],
    ['https://PAT@h.test/a.git', { url: 'https://h.test/a.git', token: 'PAT' }],
    ['https://me:P%40T@h.test/a.git', { url: 'https://h.test/a.git', user: 'me', token: 'P@T' }],
    ['https://me:********@h.test/a.git', { url: 'https://h.test/a.git', user: 'me' }],
    ['https://github.com/o/r', { ...git, url: 'https://github.com/o/r' }],
    ['github.com/o/r#v1:x', { ...git, url: 'https://github.com/o/r', ref: 'v1', folder: 'x' }],
    ['https://dev.azure.com/o/p/_git/r', { ...git, url: 'https://dev.azure.com/o/p/_git/r' }],
    ['https://o@dev.azure.com/o/p/_git/r#main', { ...git, user: 'o', ref: 'main' }],
    [
      'git@h.test:o/r.git#v1',
      { ...git, transport: 'ssh', url: 'git@h.test:o/r.git', host: 'h.test', user: 'git', ref: 'v1' },
    ],
    [
      'ssh://git@h.test:2222/o/r.git',
      { transport: 'ssh', url: 'ssh://git@h.test:2222/o/r.git', port: 2222, user: 'git' },
    ],
    ['ssh://h.test/o/r', { transport: 'ssh', url: 'ssh://git@h.test/o/r', user: 'git' }],
    ['https://h.test/a.tar.gz', { kind: 'tarball', url: 'https://h.test/a.tar.gz' }],
    ['https://github.com/o/r/archive/main.tar.gz', { kind: 'tarball' }],
    ['https://u:p@h.test/a.tgz?x=1', { kind: 'tarball', url: 'https://h.test/a.tgz?x=1', user: 'u', token: 'p' }],
  ])('reads %s', (text, expected) => {
    const location = parseSourceLocation(text);
    expect(location).toMatchObject(expected);
    if (text.includes('********') || text.startsWith('https://o@')) expect(location).not.toHaveProperty('token');
  });

  it.each([
    ['', 'empty'],
    [' https://h.test/a.git', 'space'],
    ['https://h.test/a.git\n', 'control character'],
    ['https://h.test/a\u0000.git', 'control character'],
    ['-u', 'option'],
    ['--upload-pack=touch /tmp/x', 'space'],
    ['--upload-pack=x', 'option'],
    ['.', 'local paths'],
    ['/srv/app', 'local paths'],
    ['../app.git', 'local paths'],
    ['C:\\app', 'backslash'],
    ['app.git', 'local paths'],
    ['file:///srv/app.git', 'file:// is not among'],
    ['git://h.test/a.git', 'git:// is not among'],
    ['ext::sh', 'local paths'],
    ['ftp://h.test/a.tar', 'ftp:// is not among'],
    ['https:///a.git', 'no complete URL'],
    ['https://', 'no complete URL'],
    ['https://h.test/a.git?x=1', 'no query'],
    ['http://PAT@h.test/a.git', 'never sent over http'],
    ['http://u:p@h.test/a.tgz', 'never sent over http'],
    ['https://h.test/a.git#-x', 'starts with "-"'],
    ['https://h.test/a.git#a..b', 'no valid git ref'],
    ['https://h.test/a.git#a//b', 'no valid git ref'],
    ['https://h.test/a.git#a.lock', 'no valid git ref'],
    ['https://h.test/a.git#a^b', 'characters'],
    ['https://h.test/a.git#$(id)', 'characters'],
    ['https://h.test/a.git#main:../x', 'leaves the repository'],
    ['https://h.test/a.git#main:a/../../x', 'leaves the repository'],
    ['https://h.test/a.git#main:-x', 'starts with "-"'],
    ['https://h.test/a.git#main:.git/hooks', 'inside .git'],
    ['https://h.test/a.git#main:a:b', 'colon'],
    ['https://h.test/a.tgz#main', 'ends in .git'],
    ['ssh://-oProxyCommand=x/a.git', 'host'],
    ['ssh://u:p@h.test/a.git', 'password'],
    ['ssh://-x@h.test/a.git', 'user'],
    ['ssh://h.test/a;id', 'characters'],
    ['git@h.test:-x', 'characters'],
    ['git@h.test:a/../../b', 'characters'],
    ['git@-x:a.git', 'local paths'],
    ['source/../../etc/passwd', 'local paths'],
    ['source/', 'local paths'],
    [`https://h.test/${'a'.repeat(2100)}.git`, 'longer than'],
  ])('refuses %j', (text, why) => {
    try {
      parseSourceLocation(text);
    } catch (error) {
      expect(error).toMatchObject({ failure: { reason: 'invalid-request', field: 'sourceLocation' } });
      expect((error as Error).message).toContain(why);
      return;
    }
    expect.unreachable('it was accepted');
  });

  it('never lets an option, a control character or a token into what git is given', () => {
    const pieces = fc.constantFrom(
      'https://',
      'ssh://',
      'git@',
      'github.com/',
      '-',
      '..',
      '/',
      ':',
      '#',
      '@',
      '.git',
      'a',
      '\n',
      ' ',
      '%2d',
      '\\',
      's3cr3t',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const location = parseOrUndefined(parts.join(''));
        if (location?.kind !== 'git') return;
        expect(location.url).toMatch(/^(?:https?:\/\/|ssh:\/\/|[A-Za-z0-9])/);
        expect(`${location.url}${location.ref ?? ''}${location.folder ?? ''}`).not.toMatch(/[\s\u0000-\u001f\\]/);
        expect(location.ref ?? 'x').not.toMatch(/^-|\.\./);
        expect(location.folder ?? 'x').not.toMatch(/(?:^|\/)(?:-|\.\.(?:\/|$))/);
        if (location.token !== undefined && location.token !== 'a')
          expect(location.url).not.toContain(`${location.token}@`);
      }),
      { numRuns: 2000 },
    );
  });

  it('throws nothing but a FailureError, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseOrUndefined(text)));
  });
});

function parseOrUndefined(text: string): ReturnType<typeof parseSourceLocation> | undefined {
  try {
    return parseSourceLocation(text);
  } catch (error) {
    expect(error).toBeInstanceOf(FailureError);
    return undefined;
  }
}

describe('maskLocation', () => {
  it.each([
    ['https://PAT@h.test/a.git#x', 'https://********@h.test/a.git#x'],
    ['https://me:PAT@h.test/a.git', 'https://me:********@h.test/a.git'],
    ['fatal: https://me:P:A@T@h.test/a failed', 'fatal: https://me:********@h.test/a failed'],
    ['https://h.test/a.tgz?sv=1&sig=abc%3D&x=2', 'https://h.test/a.tgz?sv=1&sig=********&x=2'],
    ['https://h.test/a?X-Amz-Signature=abc', 'https://h.test/a?X-Amz-Signature=********'],
    ['ssh://git@h.test/a.git', 'ssh://git@h.test/a.git'],
    ['git@h.test:a.git', 'git@h.test:a.git'],
    ['https://h.test/a@b.git', 'https://h.test/a@b.git'],
    ['source/1/2.tar.gz', 'source/1/2.tar.gz'],
  ])('%s becomes %s', (text, masked) => {
    expect(maskLocation(text)).toBe(masked);
  });
});

describe('splitToken', () => {
  it.each([
    ['https://PAT@h.test/a.git#x:y', { location: 'https://********@h.test/a.git#x:y', token: 'PAT' }],
    ['https://me:P%40T@h.test/a.git', { location: 'https://me:********@h.test/a.git', token: 'P@T' }],
    ['https://h.test/a.git', { location: 'https://h.test/a.git' }],
    ['git@h.test:a.git', { location: 'git@h.test:a.git' }],
    ['https://o@dev.azure.com/o/p/_git/r', { location: 'https://o@dev.azure.com/o/p/_git/r' }],
  ])('%s', (text, expected) => {
    expect(splitToken(text)).toEqual(expected);
    expect(parseSourceLocation(splitToken(text).location)).not.toHaveProperty('token');
  });
});
