import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { needsShell } from '../../src/task/shell/commands.ts';
import { quoteWord, readShellLine } from '../../src/task/shell/words.ts';

const variables = new Map([
  ['A', 'one'],
  ['TWO', 'b c'],
  ['EMPTY', ''],
]);

function wordsOf(text: string): readonly string[] | string {
  const read = readShellLine(text, (name) => variables.get(name));
  if (!read.ok) return read.fault.message;
  return read.line.tokens.filter(({ kind }) => kind === 'word').map(({ text: word }) => word);
}

/** What a real shell makes of a line: its words, each on a line of its own. */
function askShell(text: string): readonly string[] {
  const env = Object.fromEntries(variables);
  const output = execFileSync('/bin/sh', ['-fc', `printf '%s\\0' ${text} end`], { env, encoding: 'utf8' });
  return output.split('\0').slice(0, -2);
}

const lines = [
  'a b  c',
  '  a\tb ',
  `'a b' "c d" e\\ f`,
  `a'b'"c"d`,
  `"a\\"b" 'a\\b' "a\\b" a\\b`,
  `"" '' x`,
  '$A "$A" \'$A\' \\$A x$A',
  '$TWO "$TWO" x${TWO}y',
  '$EMPTY "$EMPTY" a$EMPTY',
  '$NONE ${NONE:-d} ${A:-d} ${A:+s} ${EMPTY:-e} ${EMPTY-e}',
  '"${NONE:-a b}" ${NONE-x}',
  'a$ $% "$"',
  'a\\\nb',
  'a=b --c=d "e=f g"',
  'x # comment',
  'x#y "# no"',
  '{a} [b] *.txt ~ !',
  '$? $# "$?"',
];

describe('the words of a command line', () => {
  it.each(lines)('are those that a shell makes of %j', (line) => {
    // A comment would swallow what the question to the shell ends with.
    const asked = line.replace(/ #.*$/, '');
    expect(wordsOf(line)).toEqual(askShell(asked));
  });

  it.each([
    [`a 'b`, 'a single quote is not closed'],
    ['a "b', 'a double quote is not closed'],
    ['a $(b', '$( is not closed'],
    ['a `b', 'a backtick is not closed'],
    ['a ${b', 'this form of ${…} is not supported'],
    ['a ${b%c}', 'this form of ${…} is not supported'],
  ])('%j is no line: %s', (line, message) => {
    expect(wordsOf(line)).toBe(message);
  });

  it.each(['a | b', 'a > b', 'a; b', 'a && b', 'a $(b)', 'a "`b`"', 'a\nb', 'a 2>&1', '(a)', 'a &'])(
    '%j needs a shell',
    (line) => {
      const read = readShellLine(line, () => undefined);
      expect(read.ok && needsShell(read.line)).toBe(true);
    },
  );

  it.each([`a '|' ">" \\; '&&' '$(b)'`, 'a\n', 'a $B', 'a *'])('%j needs none', (line) => {
    const read = readShellLine(line, () => undefined);
    expect(read.ok && needsShell(read.line)).toBe(false);
  });

  it('come back from quoting as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (words) => {
        expect(wordsOf(words.map(quoteWord).join(' '))).toEqual(words);
      }),
    );
  });

  it('never throws, whatever the line', () => {
    const piece = fc.constantFrom('$', '(', ')', '{', '}', '"', "'", '\\', '`', '|', ' ', '\n', 'a', '#', '<', '1');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        expect(() => wordsOf(pieces.join(''))).not.toThrow();
      }),
    );
  });
});
