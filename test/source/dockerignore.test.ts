import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDockerignore, type IgnoreRules, type IgnoreState } from '../../src/source/dockerignore.ts';
import { compileGlob, matchesGlob } from '../../src/domain/glob.ts';

/** Judges a path as the walk does: from the root down. */
function isIgnored(rules: IgnoreRules, path: string): boolean {
  const parts = path.split('/');
  let state: IgnoreState | undefined;
  for (const index of parts.keys()) state = rules.judge(parts.slice(0, index + 1).join('/'), state);
  return state?.isIgnored === true;
}

describe('parseDockerignore', () => {
  it.each([
    ['*/temp*', 'somedir/temporary.txt', true],
    ['*/temp*', 'temporary.txt', false],
    ['*/*/temp*', 'a/b/temporary.txt', true],
    ['temp?', 'tempa', true],
    ['temp?', 'temp', false],
    ['temp?', 'temp/', false],
    ['**/*.go', 'a.go', true],
    ['**/*.go', 'a/b/c.go', true],
    ['**/*.go', 'a/b/c.gox', false],
    ['a/**', 'a', false],
    ['a/**', 'a/b/c', true],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['a/**/z', 'a/xz', false],
    ['**', 'anything/at/all', true],
    ['*.md\n!README.md', 'README.md', false],
    ['*.md\n!README*.md\nREADME-secret.md', 'README-secret.md', true],
    ['*.md\nREADME-secret.md\n!README*.md', 'README-secret.md', false],
    ['node_modules', 'node_modules/a/b.js', true],
    ['node_modules', 'sub/node_modules/b.js', false],
    ['**/node_modules', 'sub/node_modules/b.js', true],
    ['/foo/bar', 'foo/bar', true],
    ['foo/bar/', 'foo/bar/x', true],
    ['./foo//bar', 'foo/bar', true],
    ['a/../b', 'b', true],
    ['# comment\n\n  b  ', 'b', true],
    ['# comment', '# comment', false],
    ['\\#x', '#x', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['[a-c]x', 'bx', true],
    ['[a-c]x', 'dx', false],
    ['[^a-c]x', 'dx', true],
    ['a+b(c)|d', 'a+b(c)|d', true],
    ['a+b', 'aab', false],
    ['dir\n!dir/keep', 'dir/keep', false],
    ['dir\n!dir/keep', 'dir/other', true],
    ['*\n!src', 'src/a/b', false],
    ['*\n!src/**/*.ts', 'src/a/b.ts', false],
    ['*\n!src/**/*.ts', 'src/a/b.js', true],
    ['! x\n', 'x', false],
    ['A', 'a', false],
    ['\uFEFFa\r\nb\r\n', 'a', true],
    ['a\r\nb\r\n', 'b', true],
  ])('%j and %s: ignored is %s', (text, path, expected) => {
    expect(isIgnored(parseDockerignore(text), path)).toBe(expected);
  });

  it.each([
    ['a\n[b', '.dockerignore line 2'],
    ['a\\', 'line 1'],
    ['!', '"!" stands alone'],
    ['[]a', 'no valid pattern'],
    ['x'.repeat(2000), 'longer than'],
    ['x\n'.repeat(6000), 'more than'],
  ])('refuses a malformed file, naming the line', (text, words) => {
    expect(() => parseDockerignore(text)).toThrow(words);
  });

  it.each([
    ['dir\n!dir/keep', 'dir', true],
    ['dir\n!other/keep', 'dir', false],
    ['*\n!src', 'node_modules', false],
    ['*\n!*/keep', 'node_modules', true],
    ['*\n!**/keep', 'node_modules', true],
    ['*\n!a/b/c', 'a/b', true],
    ['*\n!a/b/c', 'a/x', false],
    ['*\n!a', 'a/b', true],
    ['*', 'a', false],
  ])('%j: an exception may lie below %s: %s', (text, directory, expected) => {
    expect(parseDockerignore(text).canHoldException(directory)).toBe(expected);
  });

  it('agrees with the reference implementation on plain patterns', () => {
    const require = createRequire(import.meta.url);
    const reference = require('@balena/dockerignore') as (options: object) => {
      add(text: string): { ignores(path: string): boolean };
    };
    const segment = fc.constantFrom('a', 'b', 'ab', '*', 'a*', '*b', '?', '**', '[ab]');
    const line = fc.tuple(fc.boolean(), fc.array(segment, { minLength: 1, maxLength: 4 }));
    const file = fc.array(line, { maxLength: 4 });
    const path = fc.array(fc.constantFrom('a', 'b', 'ab', 'ba'), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(file, path, (lines, names) => {
        const text = lines.map(([isException, parts]) => `${isException ? '!' : ''}${parts.join('/')}`).join('\n');
        const expected = reference({ ignorecase: false }).add(text).ignores(names.join('/'));
        expect(isIgnored(parseDockerignore(text), names.join('/')), text).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it('never prunes a directory that holds something an exception brings back', () => {
    const segment = fc.constantFrom('a', 'b', '*', '?', 'a*', '**');
    const line = fc.tuple(fc.boolean(), fc.array(segment, { minLength: 1, maxLength: 3 }));
    const path = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 4 }), path, (lines, names) => {
        const text = lines.map(([isException, parts]) => `${isException ? '!' : ''}${parts.join('/')}`).join('\n');
        const rules = parseDockerignore(text);
        if (isIgnored(rules, names.join('/'))) return;
        for (let depth = 1; depth < names.length; depth += 1) {
          const directory = names.slice(0, depth).join('/');
          if (isIgnored(rules, directory)) expect(rules.canHoldException(directory), `${text} ${directory}`).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('matchesGlob', () => {
  it('takes a pattern that stalls backtracking matchers in its stride', () => {
    const glob = compileGlob(`${'**/a*'.repeat(50)}b`);
    const started = performance.now();
    expect(glob !== undefined && matchesGlob(glob, 'a/'.repeat(500))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
