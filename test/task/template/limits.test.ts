import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultLimits, type TemplateLimits } from '../../../src/task/template/budget.ts';
import { templateFunctions } from '../../../src/task/template/functions/index.ts';
import { renderTemplate, type RenderResult } from '../../../src/task/template/render.ts';

function render(template: string, limits?: Partial<TemplateLimits>, data: unknown = { a: 1, l: [1, 2] }): RenderResult {
  return renderTemplate(template, data, { now: 0, random: () => 0.5, ...(limits === undefined ? {} : { limits }) });
}

function message(template: string, limits?: Partial<TemplateLimits>): string {
  const result = render(template, limits);
  return result.ok ? `ok: ${result.text.length}` : result.error.message;
}

/** Fills 256 KiB, which is what a task file may have. */
const fill = (unit: string): string => unit.repeat(Math.floor((256 * 1024) / unit.length));
const long = (length: number): string => `{{$x := repeat ${length} "a"}}`;

describe('limits', () => {
  it('leave room for a task file that is fields all through', () => {
    expect(message(fill('{{.a}}'))).toMatch(/^ok/);
    expect(message(fill('some text\n'))).toMatch(/^ok/);
    expect(message(fill('{{/* a comment */}}'))).toBe('ok: 0');
  });

  it.each<[name: string, template: string]>([
    ['a loop within a loop', '{{range until 1000}}{{range until 1000}}{{end}}{{end}}'],
    ['a long list', '{{until 100000000}}'],
    ['a long sequence', '{{seq 100000000}}'],
    [
      'branching recursion',
      '{{define "r"}}{{if lt . 40}}{{template "r" (add 1 . | int)}}{{template "r" (add 1 . | int)}}{{end}}{{end}}{{template "r" 0}}',
    ],
    ['a list that doubles', `{{$x := list 1}}${'{{$x = list $x $x}}'.repeat(60)}{{$x}}`],
    [
      'comparing lists that double',
      `{{$x := list 1}}{{$y := list 1}}${'{{$x = list $x $x}}{{$y = list $y $y}}'.repeat(60)}{{deepEqual $x $y}}`,
    ],
    ['a string that doubles', `{{$x := "aaaaaaaa"}}${'{{$x = list $x $x | join ""}}'.repeat(60)}`],
    ['uniq of many', '{{uniq (until 10000)}}'],
    [
      'sorting again and again',
      `{{$x := splitList "" (repeat 20000 "abcde")}}${'{{$_ := sortAlpha $x}}'.repeat(1000)}`,
    ],
    ['upper case again and again', `${long(1_000_000)}${'{{$_ := upper $x}}'.repeat(1000)}`],
    ['hashing again and again', `${long(1_000_000)}${'{{$_ := sha256sum $x}}'.repeat(1000)}`],
    ['a regular expression on much text', `${long(1_000_000)}${'{{regexMatch "(a+)+b" $x}}'.repeat(9)}`],
    ['many regular expressions', '{{regexMatch "[a-z]{1000}" "a"}}'.repeat(5000)],
    [
      'many time zones',
      Intl.supportedValuesOf('timeZone')
        .map((zone) => `{{dateInZone "MST" 0 "${zone}"}}`)
        .join(''),
    ],
  ])('stop %s by the steps it takes', (_name, template) => {
    expect(message(template)).toContain('steps');
  });

  it.each<[name: string, template: string]>([
    ['repeat', '{{repeat 100000000 "a"}}'],
    ['replace', `${long(10_000)}{{replace "a" $x $x}}`],
    ['join', '{{join (repeat 1000 "a") (until 5000)}}'],
    ['indent', '{{indent 100000000 "a"}}'],
    ['wrapWith', `${long(10_000)}{{wrapWith 1 $x $x}}`],
    ['printf with a width', '{{printf "%1000000d%1000000d" 1 1}}'],
    ['printf with a precision', '{{printf "%.9999999f" 1.0}}'],
    ['regexReplaceAll', `${long(10_000)}{{regexReplaceAll "a" $x $x}}`],
    ['toJson', `${long(10_000)}{{toJson (list $x $x $x $x $x $x $x $x $x $x $x) | repeat 10}}`],
    ['output', '{{range until 2000}}{{repeat 1000 "a"}}{{end}}'],
  ])('stop %s by the text it makes', (_name, template) => {
    expect(message(template)).toContain('bytes of text');
  });

  it.each<[name: string, template: string]>([
    ['parentheses', `{{${fill('(')}}}`],
    ['controls', fill('{{if 1}}')],
    ['else if', `{{if 0}}${'{{else if 0}}'.repeat(5000)}{{end}}`],
    ['recursion', '{{define "r"}}{{template "r"}}{{end}}{{template "r"}}'],
    ['a list in a list', '{{$x := list}}{{range until 1000}}{{$x = list $x}}{{end}}{{$x}}'],
    ['a dict in itself, printed', '{{$d := dict}}{{$_ := set $d "a" $d}}{{$d}}'],
    ['a dict in itself, as JSON', '{{$d := dict}}{{$_ := set $d "a" $d}}{{toJson $d}}'],
    ['a dict in itself, copied', '{{$d := dict}}{{$_ := set $d "a" $d}}{{deepCopy $d}}'],
    [
      'dicts in themselves, merged',
      '{{$d := dict}}{{$_ := set $d "a" $d}}{{$e := dict}}{{$_ := set $e "a" $e}}{{merge $d $e}}',
    ],
    [
      'dicts in themselves, compared',
      '{{$d := dict}}{{$_ := set $d "a" $d}}{{$e := dict}}{{$_ := set $e "a" $e}}{{deepEqual $d $e}}',
    ],
  ])('stop %s by depth', (_name, template) => {
    expect(message(template)).toContain('nesting is deeper than');
  });

  it('refuse JSON that is nested too deeply, and long regular expressions', () => {
    expect(message('{{fromJson (repeat 100000 "[")}}')).toBe('ok: 0');
    expect(message('{{mustFromJson (repeat 100000 "[")}}')).toContain('nested too deeply');
    expect(message('{{regexFind (repeat 2000 "a") "a"}}')).toContain('longer than');
    expect(message('{{semverCompare (repeat 300 "1") "1"}}')).toContain('improper constraint');
  });

  it('can be set by the caller, and say where the work was', () => {
    expect(message('{{until 100}}', { maxSteps: 50 })).toContain('more than 50 steps');
    expect(message('aaaaaaaaaa{{.a}}', { maxOutput: 5 })).toContain('more than 5 bytes');
    expect(message('{{((1))}}', { maxDepth: 1 })).toContain('deeper than 1 levels');
    expect(render('{{1}}\n{{range until 99}}{{end}}', { maxSteps: 50 })).toMatchObject({
      error: { line: 2, column: 9 },
    });
  });
});

const pieces = [
  ...[
    '{{',
    '}}',
    '{{-',
    '-}}',
    ' ',
    '\n',
    '(',
    ')',
    '|',
    ':=',
    '=',
    ',',
    '.',
    '$',
    '$x',
    '.a',
    '.l',
    '.x.y',
    '"',
    '`',
    "'",
  ],
  ...['"s"', '`r`', "'c'", '0', '-1', '1.5', '0x1f', '1e9', 'nil', 'true', '/*', '*/', 'text', 'é', '\u{1f600}', '\0'],
  ...['if', 'else', 'end', 'range', 'with', 'define', 'template', 'block', 'break', 'continue', '"t"'],
];
const names = [...templateFunctions.keys()];
const operands = ['nil', 'true', '0', '-1', '3', '2.5', '1e300', '9223372036854775807', '""', '"a"', '"a b"', '"é✓"'];
const values = [
  '"\\xff\\u0000"',
  '.l',
  '.',
  '.nope',
  'list',
  '(dict "a" (list 1 nil))',
  '(list 1 "a" nil)',
  'now',
  '(semver "1.2.3")',
];
const quick = { maxSteps: 5_000, maxOutput: 20_000 };

describe('whatever the template', () => {
  it('rendering ends with a text or an error that has a place in it', () => {
    const template = fc.array(
      fc.oneof(fc.constantFrom(...pieces, ...names), fc.string({ unit: 'binary', maxLength: 3 })),
    );
    fc.assert(
      fc.property(template, (parts) => {
        const source = parts.join('');
        const result = render(source, quick);
        if (result.ok) return;
        const lines = source.split('\n');
        expect(result.error.message).not.toBe('');
        expect(result.error.line).toBeLessThanOrEqual(lines.length);
        expect(result.error.column).toBeLessThanOrEqual((lines[result.error.line - 1] ?? '').length + 1);
      }),
      { numRuns: 3000 },
    );
  });

  it('any function takes or refuses any arguments', () => {
    const args = fc.array(fc.constantFrom(...operands, ...values), { maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...names), args, (name, given) => {
        const result = render(`{{${[name, ...given].join(' ')}}}`, quick);
        expect(result.ok || result.error.message !== '').toBe(true);
      }),
      { numRuns: 6000 },
    );
  });

  it('printf takes any format', () => {
    const format = fc.array(fc.constantFrom(...Array.from('%%%%+-# 0123456789.*[]vTtdqxXobcUsfFeEgGpwé')));
    fc.assert(
      fc.property(format, fc.array(fc.constantFrom(...operands, ...values), { maxLength: 3 }), (parts, args) => {
        const source = `{{printf ${JSON.stringify(parts.join(''))} ${args.join(' ')}}}`;
        expect(typeof render(source, { ...quick, maxSteps: 100_000 }).ok).toBe('boolean');
      }),
      { numRuns: 2000 },
    );
  });

  it('data with odd keys and dates is taken, without what has no name', () => {
    const data = new Map<unknown, unknown>([
      [{ toString: 0 }, 'an object for a key'],
      [() => 0, 'a function for a key'],
      [Symbol('s'), 1],
      [7, new Date(Number.NaN)],
    ]);
    expect(render('{{len .}}', defaultLimits, data)).toEqual({ ok: true, text: '2' });
  });

  it('data of any shape is taken', () => {
    fc.assert(
      fc.property(fc.anything({ withMap: true, withBigInt: true, withDate: true, withSet: true }), (data) => {
        expect(typeof render('{{.}}{{toJson .}}{{range .}}{{.x}}{{end}}', defaultLimits, data).ok).toBe('boolean');
      }),
      { numRuns: 1000 },
    );
  });
});
