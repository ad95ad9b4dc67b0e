import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDependencies } from '../../src/dockerfile/dependencies.ts';

const pieces = fc.constantFrom(
  ...[
    'FROM ',
    'a',
    ' AS x',
    '\n',
    ' \\\n',
    '# syntax=',
    '# escape=`\n',
    'ARG A=',
    '$A',
    '${A',
    ':-',
    '}',
    '#',
    '%',
    '/',
  ],
  ...[
    '"',
    "'",
    '`',
    '\\',
    'COPY --from=',
    'RUN --mount=from=',
    'ONBUILD ',
    '<<E',
    '\nE\n',
    '*',
    '?',
    ',',
    '=',
    '0',
    '@',
    '\r',
  ],
);
const texts = fc.oneof(
  fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
);

const size = 256 * 1024;
const fill = (piece: (at: number) => string): string => {
  const parts: string[] = [];
  for (let length = 0, at = 0; length < size; at += 1) {
    parts.push(piece(at));
    length += parts.at(-1)?.length ?? 1;
  }
  return parts.join('');
};

describe('a Dockerfile that means no good', () => {
  it('never makes the reader throw', () => {
    fc.assert(
      fc.property(texts, fc.option(texts, { nil: undefined }), (text, target) => {
        const found = readDependencies(text, { arguments: { A: 'b' }, ...(target !== undefined && { target }) });
        for (const { why } of found.unresolved) expect(why).not.toContain('internal');
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['stages that stand on each other', fill((at) => (at === 0 ? 'FROM a AS s0\n' : `FROM s${at - 1} AS s${at}\n`))],
    ['stages of one name', fill(() => 'FROM x AS x\n')],
    ['stages that copy from all before', `FROM a\n${fill((at) => `FROM a\nCOPY --from=${at} / /\n`)}`],
    [
      'triggers for many children',
      `FROM a AS x\n${fill((at) => (at < 20_000 ? 'ONBUILD COPY --from=b / /\n' : 'FROM x AS x\n'))}`,
    ],
    ['doubling arguments', `${fill((at) => `ARG A${at + 1}=$A${at}$A${at}\n`)}FROM $A9`.replace('$A0$A0', 'xx')],
    ['a long argument used often', `ARG A=${'x'.repeat(size / 2)}\n${fill(() => 'ARG B=$A$A\n')}FROM $B`],
    ['greedy patterns', `ARG A=${'a'.repeat(2000)}\n${fill(() => `ARG B=\${A##${'*a'.repeat(400)}b}\n`)}FROM $B`],
    ['replacing patterns', `ARG A=${'a'.repeat(2000)}\n${fill(() => 'ARG B=${A//*a*b/x}\n')}FROM $B`],
    ['open braces', `FROM ${fill(() => '${A:-')}`],
    ['braces in an argument', `ARG A=${fill(() => '${A:-')}\nFROM $A`],
    ['continuation lines', `FROM a\nRUN ${fill(() => 'x \\\n')}`],
    ['comments between them', `FROM a\nRUN x \\\n${fill(() => '#\n')}`],
    ['spaces', `FROM a\nRUN ${fill(() => ' ')}\\ x`],
    ['a directive of spaces', `# syntax=a${fill(() => ' ')}b`],
    ['heredocs', `FROM a\nRUN ${fill(() => '<<A ')}`],
    ['JSON', `FROM a\nRUN ${fill(() => '[')} <<E`],
    ['mounts', `FROM a\nRUN ${fill((at) => `--mount=from=i${at} `)}`],
    ['fields of a mount', `FROM a\nRUN --mount=${fill(() => ',"a"')} x`],
    ['open quotes', `FROM a\nRUN --mount=${fill(() => ',"')} x`],
    ['images', fill((at) => `FROM i${at}\n`)],
  ])('takes time in proportion to its size: %s', (_, text) => {
    const begin = performance.now();
    readDependencies(text, { arguments: {} });
    expect(performance.now() - begin).toBeLessThan(3000);
  });
});
