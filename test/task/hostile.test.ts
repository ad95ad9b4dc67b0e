import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDiagnostic } from '../../src/task/diagnostic.ts';
import { formatPlanJson } from '../../src/task/plan-document.ts';
import { listAliasSources, listSecrets } from '../../src/task/plan-task.ts';
import { stepKeys, taskKeys } from '../../src/task/keys.ts';
import { errorsOf, plan, render, run, values } from './rig.ts';

const size = 256 * 1024 - 100;
const fill = (piece: string, head = ''): string => head + piece.repeat(Math.floor((size - head.length) / piece.length));

const hostile: Readonly<Record<string, string>> = {
  'open brackets': fill('['),
  'open braces': fill('{a: '),
  'nested lists': fill('- '),
  'nested keys': fill('? '),
  'deep blocks': Array.from({ length: 700 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  'many keys': fill('aa: b\n'),
  'many aliases': fill('*a,', 'a: &a [x]\nsteps: ['),
  'many merges': fill('  <<: *a\n', 'a: &a {x: 1}\nb:\n'),
  'alias bomb': `a: &a [x,x,x,x,x,x,x,x,x]\n${'b c d e f g h i j'
    .split(' ')
    .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[at]!}`).join()}]`)
    .join('\n')}\nsteps: *j`,
  'many variables': fill('$a ', 'steps:\n  - cmd: app '),
  substitutions: fill('"$(', "steps:\n  - cmd: 'app "),
  'many flags': fill('-e A=1 ', 'steps:\n  - cmd: '),
  'many separators': fill(';a ', 'steps:\n  - cmd: app '),
  'many alias marks': fill('$$', 'version: v1.1.0\nsteps: []\nx: "'),
  'near aliases': fill('$Rgistry ', 'version: v1.1.0\nsteps: []\nx: "'),
  'blank lines': fill('\n'),
  'empty steps': fill('-\n', 'steps:\n'),
  'many templates': fill('{{.Run.ID}}', 'steps: []\nx: "'),
};

describe('a hostile file', () => {
  it.each(Object.entries(hostile))('of %s has an end', (_name, text) => {
    const result = plan(text);
    const found = result.ok ? result.warnings : [...result.errors, ...result.warnings];
    expect(found.length).toBeLessThan(500);
    for (const one of found) expect(formatDiagnostic(one, { color: false }).length).toBeLessThan(2000);
  });

  it('is refused at the place where it has too many pieces', () => {
    const text = `steps:\n${'  - cmd: a\n'.repeat(10)}`;
    expect(errorsOf(text, { limits: { tokens: 40 } })).toEqual(['5:8 the file has more than 40 pieces of YAML']);
    expect(plan(text, { limits: { tokens: 200 } }).ok).toBe(true);
  });

  it('is refused when it is too large', () => {
    expect(errorsOf(`# ${'x'.repeat(256 * 1024)}\nsteps: []`)).toEqual(['1:1 a task file has at most 256 KiB']);
    expect(errorsOf(`# ${'ü'.repeat(128 * 1024)}\nsteps: []`)).toEqual(['1:1 a task file has at most 256 KiB']);
  });
});

const words = [
  ...Object.keys(taskKeys),
  ...Object.keys(stepKeys),
  'v1.1.0',
  'bash',
  '-t',
  'a/b:1',
  '.',
  '"-"',
  'true',
  '5',
  'alias',
  'values',
  '$ID',
  '$a',
  'name',
];
const marks = [
  '\n',
  '\n  ',
  '\n  - ',
  '\n    ',
  ': ',
  ', ',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '|',
  '>',
  '&a ',
  '*a ',
  '<<: ',
  '{{',
  '}}',
  '{{.Run.ID}}',
  '{{- if ',
  '{{ end }}',
  '#',
  '\t',
  '\\',
  '\u0000',
  'é',
  '😀',
  '\r\n',
  '---\n',
  '!!',
  '@',
  '`',
  '%',
];

const soup = fc
  .array(fc.oneof(fc.constantFrom(...words), fc.constantFrom(...marks), fc.string({ maxLength: 5 })), { maxLength: 80 })
  .map((pieces) => pieces.join(''));

const scalar = fc.oneof(
  fc.constantFrom('a', 'yes', 5, -1, null, true, 1.5, '', '-', 'a b', '$(x)', '{{.Run.ID}}'),
  fc.string({ maxLength: 8 }),
);
const node = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('name', 'id', 'x', 'secret'), scalar, { maxKeys: 3 }),
);
const step = fc.dictionary(fc.constantFrom(...Object.keys(stepKeys)), node, { maxKeys: 6 });
const task = fc.record(
  {
    version: fc.constantFrom('v1.0.0', 'v1.1.0', 'x', 1),
    steps: fc.oneof(node, fc.array(step, { maxLength: 5 })),
    env: node,
    networks: fc.array(node),
    volumes: fc.array(node),
    secrets: fc.array(node),
    alias: node,
    stepTimeout: node,
  },
  { requiredKeys: [] },
);

describe('no text', () => {
  it.each([
    ['of pieces of the language', soup],
    ['of any characters', fc.string({ unit: 'binary', maxLength: 200 })],
    ['with values of wrong types', task.map((one) => JSON.stringify(one, null, 1))],
  ])('%s makes planning throw', (_name, texts) => {
    fc.assert(
      fc.property(texts, fc.constantFrom('', 'version: v1.1.0\n'), (text, head) => {
        const result = plan(head + text);
        const lines = (head + text).split(/\r\n|\n|\r/).length;
        for (const { line, column } of result.ok ? result.warnings : [...result.errors, ...result.warnings]) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines);
          expect(column).toBeGreaterThanOrEqual(1);
        }
        if (!result.ok) expect(result.errors.length).toBeGreaterThan(0);
        expect(JSON.parse(formatPlanJson(result))).toHaveProperty('ok', result.ok);
        listSecrets(head + text, { run, values, render });
        listAliasSources(head + text, { run, values, render });
      }),
      { numRuns: 300 },
    );
  });
});
