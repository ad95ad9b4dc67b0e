import { describe, expect, it } from 'vitest';
import { renderTemplate, type RenderResult } from '../../../src/task/template/render.ts';

const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const options = { now, random: () => 0.5 };
const data = {
  Run: { ID: 'cf1', Registry: 'r.example.com', Commit: '' },
  Values: { name: 'app', secret: 's3cret', none: null, list: ['a', 'b'], count: 3 },
};

function render(template: string, values: unknown = data): RenderResult {
  return renderTemplate(template, values, options);
}

function text(template: string, values: unknown = data): string {
  const result = render(template, values);
  if (!result.ok) throw new Error(`${template}: ${result.error.message}`);
  return result.text;
}

function fault(template: string, values: unknown = data): Extract<RenderResult, { ok: false }>['error'] {
  const result = render(template, values);
  if (result.ok) throw new Error(`${template} gave ${result.text}`);
  return result.error;
}

describe('a task file as a template', () => {
  it('fills in values and leaves all other text as it is', () => {
    expect(text('- build: -t {{.Run.Registry}}/{{ .Values.name }}:{{.Run.ID}} .\n')).toBe(
      '- build: -t r.example.com/app:cf1 .\n',
    );
    expect(text('{ not: "a template", $x }} ')).toBe('{ not: "a template", $x }} ');
  });

  it('gives nothing for what is missing, null, or written as the mark of a missing value', () => {
    expect(text('[{{.Values.nope}}{{.Nope}}{{.Values.none}}<no value>]')).toBe('[]');
  });

  it('gives an empty base64 for a missing value, where Sprig itself would refuse', () => {
    expect(text('[{{.Values.nope | b64enc}}{{b64enc .Values.none}}]{{.Values.secret | b64enc}}')).toBe('[]czNjcmV0');
  });

  it('keeps the characters of all planes, and shows bytes that are no text as U+FFFD', () => {
    expect(text('é✓😀{{"é✓😀" | upper}}{{"\\xff"}}')).toBe('é✓😀É✓😀\ufffd');
  });
});

describe('data', () => {
  it('has whole numbers as int, others as float64, objects and Maps as maps, lists as lists', () => {
    const values = { i: 3, f: 1.5, big: 2n ** 62n, m: new Map([[1, 'x']]), l: [1, [2]], t: true, u: undefined };
    expect(text('{{range $k, $v := .}}{{$k}} {{typeOf $v}};{{end}}', values)).toBe(
      'big int;f float64;i int;l []interface {};m map[string]interface {};t bool;u <nil>;',
    );
    expect(text('{{.m}} {{.l}} {{.big}}', values)).toBe('map[1:x] [1 [2]] 4611686018427387904');
  });

  it('is not changed by set', () => {
    const values = { a: { b: 1 } };
    expect(text('{{$_ := set .a "b" 2}}{{.a.b}}', values)).toBe('2');
    expect(values).toEqual({ a: { b: 1 } });
  });

  it('may have keys that JavaScript gives a meaning to', () => {
    const values = JSON.parse('{"__proto__": {"x": 1}, "constructor": "c"}') as unknown;
    expect(text('{{.__proto__.x}} {{.constructor}} {{.toString}}|{{hasKey . "valueOf"}}', values)).toBe('1 c |false');
  });

  it('that holds itself, is too deep or too large is an error', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    expect(fault('x', cyclic).message).toContain('deeper than');
    expect(fault('x', Array(200_000).fill(1)).message).toContain('more than 100000 values');
  });

  it('that is used in many places is taken once', () => {
    const shared = { x: 1 };
    let wide: unknown[] = [shared];
    for (let level = 0; level < 30; level++) wide = [wide, wide];
    expect(render('ok', { wide })).toEqual({ ok: true, text: 'ok' });
  });
});

describe('an error', () => {
  it.each<[template: string, line: number, column: number, message: string]>([
    ['a\nb {{.Values.nope.x}}', 2, 17, 'nil pointer evaluating interface {}.x'],
    ['{{upper 1}}', 1, 9, 'expected string; found 1'],
    ['\n\n{{ .Values.name | nope }}', 3, 19, 'function "nope" not defined'],
    ['{{if true}}\n  x', 2, 4, 'unexpected EOF'],
    ['x {{ .Values.name', 1, 3, 'unclosed action'],
    ['{{index .Values.list 9}}', 1, 3, 'error calling index: index out of range: 9'],
    ['{{define "a\\q"}}{{end}}', 1, 10, 'invalid syntax'],
    ['{{template "nope"}}', 1, 3, 'template "nope" not defined'],
    ['{{fail "no\nway"}}', 1, 8, 'unterminated quoted string'],
    ['{{fail "not today"}}', 1, 3, 'error calling fail: not today'],
  ])('in %j stands at %i:%i: %s', (template, line, column, message) => {
    expect(fault(template)).toMatchObject({ line, column, message });
  });

  it.each<[template: string, hint: string]>([
    ['{{uper "a"}}', 'Did you mean upper?'],
    ['{{Values.name}}', 'A value is written with a dot'],
    ['{{$name := 1}}{{$nane}}', 'Did you mean $name?'],
    ['{{$x}}', 'Declare it first'],
    ['{{$x=1}}', 'Put a space before ='],
    ['{{.Values.my-name}}', 'use index'],
    ['{{.Values.a.b}}', 'missing'],
    ['{{.Values.nope | upper}}', 'default'],
    ['{{upper .Values.count}}', 'toString'],
    ['{{repeat (add 1 1) "a"}}', 'with int'],
    ['{{eq 1 1.0}}', 'float64'],
    ['{{.Values.name "x"}}', 'Only functions take arguments'],
    ['{{range 3}}{{end}}', 'until'],
    ['{{regexFind "(?=a)" "a"}}', 'RE2'],
    ['{{1+2i}}', 'complex'],
  ])('in %j says what to do: %s', (template, hint) => {
    expect(fault(template).hint).toContain(hint);
  });

  it('holds no hint where there is none to give', () => {
    expect(fault('{{end}}')).toEqual({ line: 1, column: 3, message: 'unexpected {{end}}' });
  });
});

describe('functions that would reach outside', () => {
  it.each(['env "HOME"', 'expandenv "$HOME"', 'getHostByName "localhost"', 'genPrivateKey "rsa"', 'genCA "a" 1'])(
    '%s is refused with a reason and another way',
    (call) => {
      const { message, hint } = fault(`{{${call}}}`);
      expect(message).toContain('templates cannot');
      expect(hint).toContain('secret');
    },
  );
});

describe('time', () => {
  it('is the one that was handed in, in UTC', () => {
    expect(text('{{now | date "20060102-150405z"}} {{now | unixEpoch}}')).toBe('20260102-030405z 1767323045');
    expect(text('{{date "15:04:05.000 MST" now}}')).toBe('03:04:05.678 UTC');
    expect(text('{{now.Year}} {{now.Month}} {{now.Weekday}} {{now}}')).toBe(
      '2026 January Friday 2026-01-02 03:04:05.678 +0000 UTC',
    );
  });

  it('stands for a date that is none', () => {
    expect(text('{{date "2006-01-02" "x"}} {{htmlDate nil}}')).toBe('2026-01-02 2026-01-02');
  });

  it('is what ago counts from', () => {
    expect(
      text('{{ago 1767319445}} {{now | date_modify "-90s" | ago}} {{durationRound (now | dateModify "-50h")}}'),
    ).toBe('1h0m1s 1m30s 2d');
  });

  it('out of range is an error', () => {
    expect(fault('{{date "2006" 9223372036854775807}}').message).toContain('out of range');
  });
});

describe('random functions', () => {
  it('draw from the source that was handed in', () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const draw = (template: string): string => {
      const result = renderTemplate(template, {}, { now, random });
      return result.ok ? result.text : result.error.message;
    };
    expect(draw('{{uuidv4}}')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(draw('{{randAlphaNum 20}}')).toMatch(/^[A-Za-z0-9]{20}$/);
    expect(draw('{{randAlpha 20}}')).toMatch(/^[A-Za-z]{20}$/);
    expect(draw('{{randNumeric 20}}')).toMatch(/^[0-9]{20}$/);
    expect(draw('{{randAscii 20}}')).toMatch(/^[ -~]{20}$/);
    expect(Number(draw('{{randInt 5 8}}'))).toBeOneOf([5, 6, 7]);
    expect(Array.from(draw('{{shuffle "abcdé"}}')).sort().join('')).toBe('abcdé');
    expect(draw('{{randAlpha -1}}')).toBe('');
    expect(draw('{{randInt 5 5}}')).toContain('invalid argument');
  });

  it('give the same for the same draws, at both ends of the range', () => {
    for (const value of [0, 1 - 2 ** -53]) {
      const render = (): RenderResult =>
        renderTemplate('{{uuidv4}}{{randAscii 9}}{{shuffle "abc"}}', {}, { now, random: () => value });
      expect(render()).toEqual(render());
      expect(render().ok).toBe(true);
    }
  });
});

describe('where the releases of Sprig differ', () => {
  it('reads numbers in decimal, as 2.22 does', () => {
    expect(text('{{int "010"}} {{int "0x10"}} {{int "1.0"}} {{toDecimal "010"}}')).toBe('10 0 0 8');
  });

  it('lets a caret keep the major version alone, as 2.22 does', () => {
    expect(text('{{semverCompare "^0.2.3" "0.9.0"}} {{semverCompare "^0.2.3" "1.0.0"}}')).toBe('true false');
  });

  it('has useful functions of later releases', () => {
    expect(text('{{get (dict "a" 1) "a"}} {{seq 3}} {{regexQuoteMeta "a.b"}} {{sha512sum "" | trunc 8}}')).toBe(
      '1 1 2 3 a\\.b cf83e135',
    );
  });

  it('hands out the keys and values of dicts sorted, where Go has them in any order', () => {
    expect(text('{{keys (dict "b" 1 "a" 2)}} {{values (dict "b" 1 "a" 2)}}')).toBe('[a b] [2 1]');
  });

  it('lets mergeOverwrite put a dict in the place of another value', () => {
    expect(text('{{mergeOverwrite (dict "a" 1) (dict "a" (dict "b" 2))}}')).toBe('map[a:map[b:2]]');
  });
});
