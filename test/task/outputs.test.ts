import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  findOutputs,
  formatOutput,
  isOutputName,
  outputPlaceholder,
  replaceOutputs,
} from '../../src/domain/output-reference.ts';
import { drawText } from '../../src/task/draw-plan.ts';
import { formatPlanJson } from '../../src/task/plan-document.ts';
import { errorsOf, plan, planned, run, warningsOf } from './rig.ts';

const tag = outputPlaceholder({ step: 'a', name: 'tag' });

/** A step `a` that gives outputs, and what else a test is about. */
const after = (steps: string): string => `version: v1.1.0\nsteps:\n  - {id: a, cmd: tool}\n${steps}`;

describe('a placeholder', () => {
  const name = fc
    .string({ minLength: 1, maxLength: 20, unit: 'binary' })
    .filter((text) => Buffer.from(text).toString() === text);

  it('says which output it stands for, whatever stands beside it, in characters that mean nothing', () => {
    fc.assert(
      fc.property(name, name, fc.stringMatching(/^[a-zA-Z0-9._-]{0,9}$/), (step, output, around) => {
        const word = outputPlaceholder({ step, name: output });
        expect(word).toMatch(/^[a-zA-Z0-9._]+$/);
        expect(findOutputs(around + word + around + word)).toEqual([
          { step, name: output },
          { step, name: output },
        ]);
      }),
    );
  });

  it('gives way to a value, which is not looked at again', () => {
    const other = outputPlaceholder({ step: 'b', name: 'x' });
    expect(replaceOutputs(`${tag}-${tag}`, () => other)).toBe(`${other}-${other}`);
    expect(replaceOutputs('$&', () => 'x')).toBe('$&');
    expect(replaceOutputs(tag, () => '$& $1')).toBe('$& $1');
  });

  it.each(['slipway.output.a.end', 'slipway.output..b.end', 'slipway.output.a_2g.b.end', 'slipway.output.a.b'])(
    'is not what looks nearly like one: %s',
    (text) => expect(findOutputs(text)).toEqual([]),
  );

  it('is shown as people write it', () => {
    expect(formatOutput({ step: 'a', name: 'tag' })).toBe('{{.Outputs.a.tag}}');
    expect(formatOutput({ step: 'my-step', name: 'tag' })).toBe('{{index .Outputs "my-step" "tag"}}');
  });

  it.each([
    ['tag', true],
    ['_a-B9', true],
    ['9a', false],
    ['', false],
    ['a b', false],
    ['a'.repeat(64), true],
    ['a'.repeat(65), false],
  ])('has a name of an output: %s %s', (text, isName) => expect(isOutputName(text)).toBe(isName));
});

describe('.Outputs in a template', () => {
  it.each([
    ['{{.Outputs.a.tag}}', tag],
    ['{{ .Outputs.a.tag -}}', tag],
    ['{{$.Outputs.a.tag}}', tag],
    ['{{(.Outputs.a).tag}}', tag],
    ['{{index .Outputs "a" "tag"}}', tag],
    ['{{index $.Outputs "a" "tag"}}', tag],
    ['{{$all := .Outputs.a}}{{$all.tag}}', tag],
    ['{{$t := .Outputs.a.tag}}x{{$t}}y', `x${tag}y`],
    ['{{with .Run}}{{$.Outputs.a.tag}}{{end}}', tag],
    ['{{define "t"}}<{{.}}>{{end}}{{template "t" .Outputs.a.tag}}', `<${tag}>`],
  ])('%s stands for the value', (text, expected) => {
    expect(planned(after(`  - cmd: 'tool ${text}'`)).steps[1]).toMatchObject({ cmd: `tool ${expected}` });
  });

  it.each([
    '{{.Outputs.a.tag | upper}}',
    '{{printf "%s" .Outputs.a.tag}}',
    '{{.Outputs.a.tag | default "x"}}',
    '{{or .Outputs.a.tag "x"}}',
    '{{if .Outputs.a.tag}}x{{end}}',
    '{{with .Outputs.a.tag}}x{{end}}',
    '{{if eq .Outputs.a.tag "x"}}x{{end}}',
    '{{range .Outputs.a}}x{{end}}',
    '{{len .Outputs}}',
    '{{index .Outputs .Outputs.a.tag "x"}}',
    '{{index .Values .Outputs.a.tag}}',
    '{{$t := .Outputs.a.tag}}{{$t | quote}}',
  ])('%s is refused, for the value is not known', (text) => {
    const [message] = errorsOf(after(`  - cmd: 'tool ${text}'`));
    expect(message).toContain('outputs are known only when the steps run');
  });

  it.each([
    ['{{.Outputs}}', '4:18 .Outputs is not the name of an output'],
    ['{{.Outputs.a}}', '4:18 .Outputs.a is not the name of an output'],
    ['{{.Outputs.a.b.c}}', "4:30 can't evaluate field c in type interface {}"],
    ['{{index .Outputs "a" "b c"}}', '4:18 "b c" is no name of an output'],
    ['{{index .Outputs "" "b"}}', '4:18 "b" is no name of an output'],
    ['{{index .Outputs 1 "b"}}', '4:18 index takes .Outputs, the id of a step and the name of an output'],
    ['{{index .Outputs "a" "b" "c"}}', '4:18 index takes .Outputs, the id of a step and the name of an output'],
  ])('%s is no output', (text, message) => {
    expect(errorsOf(after(`  - cmd: 'tool ${text}'`))).toEqual([message]);
  });

  it('is not among the data, so that all of it looks as it did', () => {
    expect(planned('steps: [{cmd: \'tool {{keys . | sortAlpha | join ","}}\'}]').steps[0]).toMatchObject({
      arguments: ['Build,Run,RunJSON,Secrets,Values,ValuesJSON'],
    });
    expect(planned('steps: [{cmd: \'tool {{index .Run "ID"}}{{.Values.Outputs}}\'}]').steps[0]).toMatchObject({
      arguments: ['run1'],
    });
  });

  it('works in aliases', () => {
    const text = `version: v1.1.0\nalias:\n  values:\n    image: app:{{.Outputs.a.tag}}\nsteps: [{id: a, cmd: x}, {cmd: $image}, {cmd: image}]`;
    expect(planned(text).steps.slice(1)).toMatchObject([
      { image: `app:${tag}`, reads: [{ step: 'a', name: 'tag' }] },
      { image: `app:${tag}`, reads: [{ step: 'a', name: 'tag' }] },
    ]);
  });

  it('is not let in by a branch', () => {
    expect(errorsOf(after(''), { run: { ...run, branch: tag } })).toEqual([
      "1:1 the run's branch has characters that could change what the task does",
    ]);
  });
});

describe('a step that reads outputs', () => {
  it('is noted, and so is the one that gives them; others have no trace of it', () => {
    const { steps } = planned(after(`  - {cmd: "x {{.Outputs.a.tag}}", env: ["A={{.Outputs.a.b}}"]}\n  - cmd: y`));
    expect(steps[0]?.outputs).toEqual(['tag', 'b']);
    expect(steps[1]?.reads).toEqual([
      { step: 'a', name: 'tag' },
      { step: 'a', name: 'b' },
    ]);
    expect(steps[2]).not.toHaveProperty('reads');
    expect(steps[2]).not.toHaveProperty('outputs');
  });

  it('may be any kind of step, and have them in its working directory, user, limits and ports', () => {
    const text = after(`  - build: -t app:{{.Outputs.a.tag}} --build-arg V={{.Outputs.a.tag}} .
  - push: ["app:{{.Outputs.a.tag}}", "{{.Outputs.a.image}}"]
  - {cmd: x, workingDirectory: "{{.Outputs.a.b}}", user: "{{.Outputs.a.b}}", cpus: "{{.Outputs.a.b}}"}
  - {cmd: x, entryPoint: "{{.Outputs.a.b}}", memory: "{{.Outputs.a.b}}", ports: ["{{.Outputs.a.b}}"], expose: ["{{.Outputs.a.b}}"]}`);
    expect(planned(text).steps.map(({ reads }) => reads?.length)).toEqual([undefined, 1, 2, 1, 1]);
    expect(warningsOf(text)).toEqual([]);
    expect(planned(text).steps[2]).toMatchObject({
      images: [`app:${tag}`, outputPlaceholder({ step: 'a', name: 'image' })],
    });
  });

  it('may read what a push gives', () => {
    const text =
      'steps: [{id: p, push: [a]}, {cmd: "x {{.Outputs.p.digest}} {{.Outputs.p.digests}} {{.Outputs.p.image}}"}]';
    expect(planned(text).steps[0]?.outputs).toEqual(['digest', 'digests', 'image']);
  });

  it('may stand far below', () => {
    const text = after(
      `  - {id: b, cmd: x}\n  - {id: c, cmd: x, when: [a]}\n  - {cmd: "x {{.Outputs.a.b}}", when: [b, c]}`,
    );
    expect(planned(text).steps[3]?.reads).toHaveLength(1);
  });

  it.each([
    ['- {cmd: "x {{.Outputs.nope.b}}"}', '4:14 {{.Outputs.nope.b}}: there is no step "nope"'],
    ['- {id: b, cmd: "x {{.Outputs.b.c}}"}', '4:21 {{.Outputs.b.c}}: step "b" cannot read its own outputs'],
    [
      '- {id: b, when: ["-"], cmd: "x {{.Outputs.a.c}}"}',
      '4:34 {{.Outputs.a.c}}: step "b" does not wait for step "a", and so cannot read its outputs',
    ],
    [
      '- {id: b, cmd: "x {{.Outputs.c.d}}"}\n  - {id: c, cmd: x}',
      '4:21 {{.Outputs.c.d}}: step "b" does not wait for step "c", and so cannot read its outputs',
    ],
    [
      '- {id: b, build: .}\n  - {cmd: "x {{.Outputs.b.digest}}"}',
      '5:14 {{.Outputs.b.digest}}: step "b" is a build, and has no outputs',
    ],
    [
      '- {id: b, push: [x]}\n  - {cmd: "x {{.Outputs.b.tag}}"}',
      '5:14 {{.Outputs.b.tag}}: step "b" is a push, and has no output "tag"',
    ],
    [
      '- {id: b, cmd: x, detach: true}\n  - {cmd: "x {{.Outputs.b.tag}}"}',
      '5:14 {{.Outputs.b.tag}}: step "b" is detached, and has no outputs',
    ],
    ['- {cmd: x, timeout: "{{.Outputs.a.b}}"}', '4:23 an output cannot stand in "timeout"'],
    ['- {id: "{{.Outputs.a.b}}", cmd: x}', '4:10 an output cannot stand in "id"'],
    ['- {when: ["{{.Outputs.a.b}}"], cmd: x}', '4:12 an output cannot stand in "when"'],
    [
      '- {volumeMounts: [{name: v, mountPath: "{{.Outputs.a.b}}"}], cmd: x}',
      '4:20 an output cannot stand in "volumeMounts"',
    ],
    ['- {cmd: "x"}\nenv: ["A={{.Outputs.a.b}}"]', '5:6 an output cannot stand in "env"'],
    ['- {cmd: "x"}\nnetworks: [{name: "{{.Outputs.a.b}}"}]', '5:11 an output cannot stand in "networks"'],
    ['- {cmd: "--network {{.Outputs.a.b}} x"}', '4:11 an output cannot stand in --network'],
    ['- {cmd: "--privileged --mount type=bind,src={{.Outputs.a.b}} x"}', '4:11 an output cannot stand in --mount'],
    ['- {build: "--secret id={{.Outputs.a.b}} ."}', '4:13 an output cannot stand in --secret'],
  ])('is refused when it cannot have them: %s', (steps, message) => {
    expect(errorsOf(after(`  ${steps}`))).toEqual([message]);
  });

  it('finds the place in a text of several lines', () => {
    const text = after('  - cmd: >\n      x y\n      {{.Outputs.b.c}}');
    expect(errorsOf(text)).toEqual(['6:7 {{.Outputs.b.c}}: there is no step "b"']);
  });

  it('is told what is meant by a name that is nearly right', () => {
    const result = plan('steps: [{id: version, cmd: x}, {cmd: "x {{.Outputs.verison.tag}}"}]');
    expect(result).toMatchObject({ ok: false, errors: [{ code: 'output', hint: 'did you mean "version"?' }] });
  });

  it('is drawn as it was written', () => {
    const text = after('  - cmd: x {{.Outputs.a.tag}}');
    expect(drawText(planned(text))).toContain('x {{.Outputs.a.tag}}');
    expect(formatPlanJson(plan(text))).toContain(tag);
  });
});

describe('a script with outputs', () => {
  const script = (cmd: string) => planned(after(`  - cmd: ${JSON.stringify(cmd)}`)).steps[1];
  const variable = { name: 'SLIPWAY_VALUE_1', value: tag };

  it.each([
    ["bash -c 'echo {{.Outputs.a.tag}}'", ['-c', 'echo "${SLIPWAY_VALUE_1}"']],
    ["busybox sh -ec 'echo {{.Outputs.a.tag}}'", ['sh', '-ec', 'echo "${SLIPWAY_VALUE_1}"']],
    [
      "busybox env A=1 /bin/sh -c 'echo {{.Outputs.a.tag}}'",
      ['env', 'A=1', '/bin/sh', '-c', 'echo "${SLIPWAY_VALUE_1}"'],
    ],
    ["--entrypoint /bin/sh app -c 'echo {{.Outputs.a.tag}}'", ['-c', 'echo "${SLIPWAY_VALUE_1}"']],
  ])('reads them as variables: %s', (cmd, words) => {
    expect(script(cmd)).toMatchObject({ arguments: words, env: [variable] });
  });

  it('reads them as variables in what a shell does for a line', () => {
    expect(script('busybox echo {{.Outputs.a.tag}} | tee x')).toMatchObject({
      shell: { script: 'echo "${SLIPWAY_VALUE_1}" | tee x' },
      env: [variable],
    });
  });

  it('leaves other words as they are', () => {
    expect(script('app tool -c {{.Outputs.a.tag}}')).toMatchObject({ arguments: ['tool', '-c', tag], env: [] });
    expect(script('bash -c "echo x" {{.Outputs.a.tag}}')).toMatchObject({ arguments: ['-c', 'echo x', tag], env: [] });
  });

  it('is refused where a value would be a part of it', () => {
    const message = '4:10 an output cannot stand in a script with eval';
    expect(errorsOf(after(`  - cmd: bash -c 'eval {{.Outputs.a.tag}}'`))).toEqual([message]);
    expect(errorsOf(after(`  - cmd: busybox echo x | tee {{.Outputs.a.tag}} && eval x`))).toContain(message);
  });

  it('is warned of in other languages', () => {
    const warning = '4:10 the value of an output becomes a part of this program, whatever is in it';
    expect(warningsOf(after(`  - cmd: python -c 'print("{{.Outputs.a.tag}}")'`))).toEqual([warning]);
    expect(warningsOf(after(`  - cmd: python -c 'print(1)' {{.Outputs.a.tag}}`))).toEqual([]);
    expect(warningsOf(after(`  - cmd: gcc -c {{.Outputs.a.tag}}`))).toEqual([]);
  });
});
