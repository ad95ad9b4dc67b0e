import { describe, expect, it } from 'vitest';
import { readSetValues, readValues } from '../../src/task/values.ts';
import { errorsOf, planned, warningsOf } from './rig.ts';

describe('YAML as the reference reads it', () => {
  it.each([
    ['a: yes', true],
    ['a: off', false],
    ['a: "yes"', 'yes'],
    ['a: 010', 8],
    ['a: 0x1F', 31],
    ['a: 0b11', 3],
    ['a: 08', 8],
    ['a: 1_000', 1000],
    ['a: 1.50', 1.5],
    ['a: 1e3', 1000],
    ['a: .5', 0.5],
    ['a: -7', -7],
    ['a: ~', null],
    ['a:', null],
    ['a: null', null],
    ['a: 2020-01-02', '2020-01-02'],
    ['a: 1.2.3', '1.2.3'],
    ['a: !!str 5', '5'],
    ['a: |\n  x\n  y\n', 'x\ny\n'],
    ['a: >-\n  x\n  y\n', 'x y'],
    ['a: [1, x]', [1, 'x']],
    ['a: {b: {c: 1}}', { b: { c: 1 } }],
  ])('%j', (text, value) => {
    expect(readValues(text)).toEqual({ ok: true, values: { a: value } });
  });

  it('takes the first document only', () => {
    expect(readValues('---\na: 1\n---\nb: [')).toEqual({ ok: true, values: { a: 1 } });
  });

  it('takes keys as text, whatever they look like', () => {
    expect(readValues('on: 1\n5: 2')).toEqual({ ok: true, values: { on: 1, 5: 2 } });
  });

  it('follows anchors and merge keys', () => {
    const text =
      'x: &x {timeout: 7, retries: 1}\nsteps:\n  - <<: *x\n    cmd: a\n    retries: 2\n  - {<<: *x, cmd: b}\n';
    expect(planned(text).steps).toMatchObject([
      { timeoutSeconds: 7, attempts: { retries: 2 } },
      { timeoutSeconds: 7, attempts: { retries: 1 } },
    ]);
  });

  it('lets a merge override what stands before it, as the reference does, and warns', () => {
    const text = 'x: &x {timeout: 7}\nsteps:\n  - cmd: a\n    timeout: 5\n    <<: *x\n';
    expect(planned(text).steps[0]?.timeoutSeconds).toBe(7);
    expect(warningsOf(text)).toContain('5:5 this merge overrides "timeout" above');
  });

  it('lets the last of equal keys count, and warns', () => {
    const text = 'steps: [{cmd: a, cmd: b}]';
    expect(planned(text).steps[0]).toMatchObject({ image: 'b' });
    expect(warningsOf(text)).toEqual(['1:18 "cmd" stands here for the second time; the last one counts']);
  });

  it('has no keys of objects in it', () => {
    const read = readValues('__proto__: {x: 1}\nconstructor: 2');
    expect(read.ok && Object.getPrototypeOf(read.values)).toBe(Object.prototype);
    expect(warningsOf('steps: [{cmd: a, __proto__: b, toString: c}]')).toHaveLength(2);
  });

  it.each([
    [
      'steps: [',
      '1:9 this is no valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['steps:\n\t- cmd: a', '2:1 this is no valid YAML: tabs are not allowed as indentation'],
    ['steps: [*a]', '1:9 *a refers to an anchor that is not defined above'],
    ['steps: &a [*a]', '1:12 the anchor &a contains itself'],
    ['[a]: b', '1:1 a list cannot be a key'],
    ['- a', '1:1 a task must be a map of properties, and this is a list'],
    ['---', '1:1 this file has no task in it'],
    ['', '1:1 nothing is left of this file after rendering'],
  ])('refuses %j', (text, message) => {
    expect(errorsOf(text)[0]).toBe(message);
  });

  it.each([
    ['stepTimeout: "30"', '1:14 stepTimeout must be a whole number, and this is the text "30"'],
    ['stepTimeout: true', '1:14 stepTimeout must be a whole number, and this is the boolean true'],
    ['workingDirectory: [a]', '1:19 workingDirectory must be a text, and this is a list'],
    ['env: A=1', '1:6 env must be a list, and this is the text "A=1"'],
    ['version: 1.1.0', '1:10 there is no version "1.1.0" of the task language'],
    ['version: v2', '1:10 there is no version "v2" of the task language'],
  ])('checks types: %s', (text, message) => {
    expect(errorsOf(`${text}\nsteps: [{cmd: a}]`)).toEqual([message]);
  });

  it('removes comment lines everywhere, also inside blocks', () => {
    const text = 'steps:\n  - cmd: >\n      app a\n      # not here\n      b\n# end\n';
    expect(planned(text).steps[0]).toMatchObject({ arguments: ['a', 'b'] });
  });

  it('takes files with a byte order mark and the line ends of Windows', () => {
    expect(planned('\ufeffversion: v1.1.0\r\nsteps:\r\n  - cmd: bash\r\n').steps[0]).toMatchObject({
      image: 'mcr.microsoft.com/acr/bash:2ff604c',
    });
  });
});

describe('values', () => {
  it('must be a map', () => {
    expect(readValues('- a', 'v.yaml')).toMatchObject({
      ok: false,
      errors: [{ file: 'v.yaml', line: 1, column: 1, source: '- a' }],
    });
    expect(readValues('')).toEqual({ ok: true, values: {} });
    expect(readValues('a: [')).toMatchObject({ ok: false, errors: [{ line: 1 }] });
  });

  it('of --set are texts, cut at the first =', () => {
    expect(readSetValues(['a=1,b=2', 'c=d=e', 'a=3', 'x.y='])).toEqual({ values: { a: '3', c: 'd=e', 'x.y': '' } });
    expect(readSetValues(['a'])).toEqual({ wrong: 'a' });
    expect(readSetValues(['=a'])).toEqual({ wrong: '=a' });
  });
});
