import { describe, expect, it } from 'vitest';
import { readShellLine } from '../../src/task/shell/words.ts';
import { readValues } from '../../src/task/values.ts';
import { errorsOf, planned, warningsOf } from './rig.ts';

const substitutionsOf = (text: string): readonly string[] | string => {
  const read = readShellLine(text, () => undefined);
  return read.ok ? read.line.substitutions.map((one) => one.text) : read.fault.message;
};

describe('a substitution', () => {
  it.each([
    ['$(a (b) c)', ['a (b) c']],
    ["$(a ')' b)", ["a ')' b"]],
    ['$(a ")" b)', ['a ")" b']],
    ['$(a "\\")" b)', ['a "\\")" b']],
    ['$(a \\) b)', ['a \\) b']],
    ['$(a "$(b ")")" c)', ['a "$(b ")")" c']],
    ['"$(a)" $(b)', ['a', 'b']],
    ['`a \\` b`', ['a \\` b']],
    ["'$(a)'", []],
  ])('%s ends where a shell ends it', (text, inner) => expect(substitutionsOf(text)).toEqual(inner));

  it.each([
    ['$(a', '$( is not closed'],
    ["$(a 'b)", 'a single quote is not closed'],
    ['$(a "b)', 'a double quote is not closed'],
    ['`a', 'a backtick is not closed'],
    [`${'"$('.repeat(20)}a${')"'.repeat(20)}`, '$(…) is nested too deeply'],
  ])('%s is refused', (text, message) => expect(substitutionsOf(text)).toBe(message));

  it('may only run what every image has, whatever it is wrapped in', () => {
    const task = (cmd: string): string => `steps: [{cmd: ${JSON.stringify(cmd)}}]`;
    expect(planned(task('app $(A=1 date)')).steps[0]).toMatchObject({ shell: { script: '$(A=1 date)' } });
    expect(planned(task('app x; ! true')).steps[0]).toMatchObject({ shell: { script: 'x; ! true' } });
    expect(errorsOf(task('app $(curl x)'))).toEqual([
      '1:15 cmd has "curl" outside quotes, which the original runs on its own host, not in the container',
    ]);
    expect(errorsOf(task('app $(for i in 1; do x; done)'))[0]).toContain('outside quotes');
  });
});

describe('a volume by flag', () => {
  it('is one of the run when the task declares none of that name', () => {
    const text = "steps: [{cmd: '-v cache:/c app'}]";
    expect(planned(text).steps[0]).toMatchObject({ volumeMounts: [{ volume: 'cache', path: '/c' }] });
    expect(warningsOf(text)).toEqual(['1:15 volume "cache" is made for this run alone']);
  });

  it('is none without a name', () => {
    const text = "steps: [{cmd: '-v /data app'}]";
    expect(planned(text).steps[0]).toMatchObject({ volumeMounts: [] });
    expect(warningsOf(text)).toEqual(['1:15 -v /data makes a volume of its own, which ends with the step']);
  });
});

describe('a declared volume', () => {
  const volumes = (text: string): string => `volumes: ${text}\nsteps: []`;

  it.each([
    ['[{name: v, secret: {f: [a]}}]', '1:33 the content of "f" must be a text in Base64, and this is a list'],
    ['[{name: v, secret: {f: YQ==}}, {name: v, secret: {f: YQ==}}]', '1:48 there is a volume "v" already'],
  ])('is refused: %s', (text, message) => expect(errorsOf(volumes(text))).toContain(message));

  it('is looked at twice when its content is no Base64, or its place no absolute path', () => {
    expect(warningsOf(volumes('[{name: v, secret: {f: "no!"}}]'))).toContain('1:33 the content of "f" is no Base64');
    const step = 'volumeMounts: [{name: v, mountPath: run}]';
    expect(warningsOf(`volumes: [{name: v, secret: {f: YQ==}}]\nsteps: [{cmd: a, ${step}}]`)).toEqual([
      '2:54 a mountPath begins with "/"',
    ]);
    expect(errorsOf('steps: [{cmd: a, volumeMounts: [x]}]')[0]).toContain('an item of volumeMounts must be a map');
  });
});

describe('a text that cannot be read', () => {
  it('is an alias block whose template has a fault, told at its line', () => {
    expect(errorsOf('version: v1.1.0\nalias:\n  values:\n    a: "{{nope}}"\nsteps: []')).toEqual([
      '4:11 function "nope" not defined',
    ]);
  });

  it('is a file of values that is too large', () => {
    expect(readValues(`a: ${'x'.repeat(256 * 1024)}`)).toMatchObject({
      ok: false,
      errors: [{ message: 'a values file has at most 256 KiB' }],
    });
  });

  it('is taken as it stands in env, with a warning', () => {
    const text = `env: ["A='x"]\nsteps: [{cmd: a}]`;
    expect(planned(text).steps[0]).toMatchObject({ env: [{ name: 'A', value: "'x" }] });
    expect(warningsOf(text)).toEqual([
      '1:7 a single quote is not closed in this value of env; it is taken as it stands',
    ]);
    expect(warningsOf(`env: ["A=$B"]\nsteps: [{cmd: a}]`)).toEqual([
      '1:7 a $ in a value of env stays as it is; the original fills it in from its own host',
    ]);
  });
});
