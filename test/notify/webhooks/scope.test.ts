import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInScope, parseScope } from '../../../src/notify/webhooks/scope.ts';
import { anEvent } from './rig.ts';

function isIn(scope: string, more: object): boolean {
  const parsed = parseScope(scope);
  if (parsed === undefined) throw new Error(`${scope} is no scope`);
  return isInScope(parsed, anEvent(more));
}

const repository = fc.stringMatching(/^[a-z0-9]{1,6}(?:[._-][a-z0-9]{1,4}){0,2}(?:\/[a-z0-9]{1,6}){0,2}$/);
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,12}$/);

describe('a scope', () => {
  it.each([
    ['', { repository: 'a/b', tag: 'v1' }, true],
    ['hello-world', { tag: 'latest' }, true],
    ['hello-world', { tag: 'v1' }, false],
    ['hello-world:v1', { tag: 'v1' }, true],
    ['hello-world:v1', { tag: 'V1' }, false],
    ['hello-world:*', { tag: undefined }, true],
    ['hello-world:*', { repository: 'hello-world/more' }, false],
    ['hello-world:v1', { tag: undefined }, false],
    ['team/*:v*', { repository: 'team/a/b', tag: 'v3' }, true],
    ['team/*:v*', { repository: 'team', tag: 'v3' }, false],
    ['*:release-*-final', { tag: 'release-final' }, false],
    ['*:release-*-final', { tag: 'release-1-final' }, true],
    ['hello-world:v1', { kind: 'delete', tag: undefined, tags: ['v0', 'v1'] }, true],
    ['hello-world:v1', { kind: 'delete', tag: undefined }, false],
    ['hello-world:v1', { kind: 'untag', tag: 'v1' }, true],
  ])('%j and %j: %s', (scope, more, expected) => {
    expect(isIn(scope, more)).toBe(expected);
  });

  it.each(['Team', 'a:', ':v1', 'a:b:c', 'a b', '../x', 'a:v1/2', 'a'.repeat(300), `a:${'t'.repeat(200)}`, 'é'])(
    'is refused when it is none: %j',
    (text) => {
      expect(parseScope(text)).toBeUndefined();
    },
  );

  it('without a star is of what it names, and of nothing else', () => {
    fc.assert(
      fc.property(repository, repository, tag, tag, (one, other, name, otherName) => {
        expect(isIn(`${one}:${name}`, { repository: one, tag: name })).toBe(true);
        expect(isIn(`${one}:*`, { repository: one, tag: name })).toBe(true);
        expect(isIn(`${one}:*`, { repository: other, tag: name })).toBe(one === other);
        expect(isIn(`${one}:${name}`, { repository: other, tag: otherName })).toBe(one === other && name === otherName);
        expect(isIn(one, { repository: one, tag: name })).toBe(name === 'latest');
        expect(isIn('', { repository: other, tag: otherName })).toBe(true);
      }),
    );
  });

  it('with stars is of what a regular expression would be of', () => {
    const pattern = fc.stringMatching(/^[ab*][ab*]{0,7}$/);
    fc.assert(
      fc.property(pattern, fc.stringMatching(/^[ab]{1,8}$/), (stars, text) => {
        const expression = new RegExp(`^${stars.replaceAll('*', '.*')}$`);
        expect(isIn(`${stars}:*`, { repository: text })).toBe(expression.test(text));
        expect(isIn(`*:${stars}`, { tag: text })).toBe(expression.test(text));
      }),
    );
  });

  it('is read or refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (text) => {
        const scope = parseScope(text);
        if (scope) isInScope(scope, anEvent());
      }),
    );
  });
});
