import { describe, expect, it } from 'vitest';
import { createBudget } from '../../src/dockerfile/budget.ts';
import { substitute } from '../../src/dockerfile/substitution.ts';

const variables: Record<string, string> = { A: 'foo-bar-baz', V: '1.2.3', E: '', P: 'a/b', S: 'a*b', É: 'x' };

function expand(word: string, { escape = '\\', limit = 10_000 } = {}): string {
  const valueOf = (name: string): string | undefined => (Object.hasOwn(variables, name) ? variables[name] : undefined);
  return substitute(word, { valueOf, escape, budget: createBudget(limit) });
}

describe('a word of a Dockerfile', () => {
  it.each([
    ['$A', 'foo-bar-baz'],
    ['${A}x', 'foo-bar-bazx'],
    ['$Ax', ''],
    ['$É', 'x'],
    ['$', '$'],
    ['$.x', '$.x'],
    ['$1x', 'x'],
    ['$@x', 'x'],
    ['\\$A', '$A'],
    ['\\\\', '\\'],
    ['a\\', 'a'],
    ["'$A'", '$A'],
    ['"$A"', 'foo-bar-baz'],
    ['"\\$A \\" \\x \\\\"', '$A " \\x \\'],
    ['a\'b\'"c"', 'abc'],
    ['${N:-x}', 'x'],
    ['${N-x}', 'x'],
    ['${E:-x}', 'x'],
    ['${E-x}', ''],
    ['${A:-x}', 'foo-bar-baz'],
    ['${N:+x}', ''],
    ['${E:+x}', ''],
    ['${E+x}', 'x'],
    ['${A:+x}', 'x'],
    ['${N:-${M:-${V}}}', '1.2.3'],
    ['${N:-"a}b"}', 'a}b'],
    ["${N:-'$A'}", '$A'],
    ['${V:?no}', '1.2.3'],
    ['${E?no}', ''],
    ['${A#*-}', 'bar-baz'],
    ['${A##*-}', 'baz'],
    ['${A%-*}', 'foo-bar'],
    ['${A%%-*}', 'foo'],
    ['${A#fo?}', '-bar-baz'],
    ['${A#x}', 'foo-bar-baz'],
    ['${A#}', 'foo-bar-baz'],
    ['${A##*}', ''],
    ['${A%**z}', 'foo-bar-ba'],
    ['${V%.*}', '1.2'],
    ['${V#*.}', '2.3'],
    ['${S#a\\*}', 'b'],
    ['${S#a\\?}', 'a*b'],
    ['${N#x}', ''],
    ['${A/-/_}', 'foo_bar-baz'],
    ['${A//-/_}', 'foo_bar_baz'],
    ['${A//ba?/}', 'foo--'],
    ['${A/b*/X}', 'foo-X'],
    ['${P/\\//-}', 'a-b'],
    ['${A/nope/x}', 'foo-bar-baz'],
    ['${A/o/$V}', 'f1.2.3o-bar-baz'],
    ['${N/x/y}', ''],
    ['${A//*/x}', 'x'],
  ])('%s is %j', (word, expected) => {
    expect(expand(word)).toBe(expected);
  });

  it('knows the other escape character', () => {
    expect(expand('`$A\\', { escape: '`' })).toBe('$A\\');
  });

  it.each([
    ['${A', 'not closed'],
    ['${A:', 'not closed'],
    ['${A=x}', 'not closed'],
    ['${A:#x}', 'not closed'],
    ['${A:-x', 'closing }'],
    ['${A/x}', 'closing /'],
    ['${}', 'no name'],
    ['${{A}}', 'no name'],
    ["'a", "closing '"],
    ['"a', 'closing "'],
    ['${N:?why}', 'must have'],
    ['${E:?why}', 'must have'],
    ['${A#\\x}', 'pattern'],
    ['${A#\\}', 'closing }'],
    ['${A:-'.repeat(100), 'deeply'],
  ])('%s makes no sense', (word, why) => {
    expect(() => expand(word)).toThrow(why);
  });

  it('may not cost more than it is worth', () => {
    expect(() => expand('$A'.repeat(100), { limit: 100 })).toThrow('worked out');
    expect(() => expand(`\${A##${'*a'.repeat(100)}}`, { limit: 200 })).toThrow('worked out');
  });
});
