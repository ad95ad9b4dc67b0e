import { describe, expect, it } from 'vitest';
import { formatDiagnostic } from '../../src/task/diagnostic.ts';
import { errorsOf, plan, planned, warningsOf } from './rig.ts';

describe('the place of a fault', () => {
  it('is found behind comment lines and the alias block', () => {
    const text =
      '# one\nversion: v1.1.0\nalias:\n  values: {a: b}\n# two\nsteps:\n  # three\n  - cmd: $a\n    timeout: x\n';
    expect(errorsOf(text)).toEqual(['9:14 timeout must be a whole number, and this is the text "x"']);
  });

  it('is found behind aliases with several lines', () => {
    const text =
      'version: v1.1.0\nalias:\n  values: {zz: "1\\n\\nx: 2"}\nstepTimeout: $zz\nsteps:\n  - cmd: a\n    timeout: x\n';
    expect(errorsOf(text)).toEqual(['7:14 timeout must be a whole number, and this is the text "x"']);
  });

  it('is found in loops and behind what is left out', () => {
    const text = [
      '{{- /* nothing',
      'of this */ -}}',
      'steps:',
      '{{- if .Values.none }}',
      '  - cmd: gone',
      '{{- end }}',
      '{{- range $i := list 1 2 }}',
      '  - cmd: a{{ $i }}',
      '    timeout: x{{ $i }}',
      '{{- end }}',
      '  - cmd: b',
      '    retries: -1',
    ].join('\n');
    expect(errorsOf(text)).toEqual([
      '9:14 timeout must be a whole number, and this is the text "x1"',
      '9:14 timeout must be a whole number, and this is the text "x2"',
      '12:14 retries must be 0 or more',
    ]);
  });

  it('is that of the line which a value with several lines was put into', () => {
    const text = 'steps:\n  - cmd: a\n    env:\n{{ .Values.lines }}\n    timeout: x\n';
    expect(errorsOf(text, { values: { lines: '      - A=1\n      - B=2\n      - C=3' } })).toEqual([
      '5:14 timeout must be a whole number, and this is the text "x"',
    ]);
  });

  it('has the column in front of and behind what was rendered in its line', () => {
    const text = 'steps: [{cmd: "{{.Values.secret1}}", timeout: x, wehn: [a]}]';
    expect(errorsOf(text)).toEqual(['1:47 timeout must be a whole number, and this is the text "x"']);
    expect(warningsOf(text)).toEqual(['1:50 a step has no property "wehn"; it is ignored']);
  });

  it('is that of the template when this does not render', () => {
    const text = '# c\nsteps:\n  # d\n  - cmd: {{ .Values.a.b }}\n';
    expect(errorsOf(text)[0]).toMatch(/^4:\d+ .*nil pointer/);
  });

  it('of steps is kept in the plan', () => {
    const text = '# c\nsteps:\n  - cmd: a\n\n  # d\n  - id: bb\n    cmd: b\n';
    expect(planned(text).steps.map(({ line }) => line)).toEqual([3, 6]);
  });
});

describe('a diagnostic for people', () => {
  it('has place, message, source line, caret and hint', () => {
    const result = plan('steps:\n\n  - cmd: a\n    timeout: "5"\n', { file: 'my/task.yaml' });
    const [error] = result.ok ? [] : result.errors;
    expect(formatDiagnostic(error!, { color: false })).toBe(
      [
        'my/task.yaml:4:14: error: timeout must be a whole number, and this is the text "5"',
        '  4 |     timeout: "5"',
        '    |              ^',
        '    hint: remove the quotes',
      ].join('\n'),
    );
    expect(formatDiagnostic(error!, { color: true })).toContain('\u001b[31merror:\u001b[0m');
  });

  it('shows no more of a long line than is needed, and none of its control characters', () => {
    const diagnostic = { severity: 'error', code: 'x', message: 'm', file: 'f', line: 1, column: 500 } as const;
    const shown = formatDiagnostic(
      { ...diagnostic, source: `${'a'.repeat(499)}B\u001b[2J${'c'.repeat(900)}` },
      { color: false },
    );
    expect(shown.split('\n')[1]?.length).toBeLessThan(180);
    expect(shown).not.toContain('\u001b');
  });
});

describe('what comes from outside', () => {
  it.each(['a b', 'x"y', 'a\nb', '{{.Values}}', '$(id)', "it's", '-f', 'a;b'])(
    'cannot change the task: branch %j',
    (branch) => {
      const run = { id: 'run1', registry: 'r', startedAt: new Date(0), branch };
      expect(errorsOf('steps: []', { run })[0]).toContain("the run's branch has characters");
    },
  );

  it.each(['main', 'feature/x-1', 'v1.2.3+b', 'grün', 'dependabot/npm_and_yarn/@a/b'])(
    'may be a branch like %s',
    (branch) => {
      const run = { id: 'run1', registry: 'r', startedAt: new Date(0), branch };
      expect(planned('steps: [{cmd: "a {{.Run.Branch}}"}]', { run }).steps[0]).toMatchObject({ arguments: [branch] });
    },
  );
});

describe('what templates see', () => {
  it.each([
    ['{{.Run.ID}} {{.Build.ID}}', 'run1 run1'],
    ['{{.Run.Date}}', '20260304-050607z'],
    ['{{.Run.OS}}/{{.Run.Architecture}} {{.Run.TaskName}}', 'linux/amd64 sample'],
    ['{{.Run.Commit}}{{.Values.none}}x', 'x'],
    ['{{.ValuesJSON}}', '{"a":"<b","n":1}'],
  ])('%s', (text, expected) => {
    const values = text.includes('ValuesJSON') ? { n: 1, a: '<b' } : {};
    const [step] = planned(`steps:\n  - cmd: |\n      ${text}`, { values }).steps;
    const shown = expected.replace('<', '\\u003c');
    expect(step?.kind === 'cmd' && step.cmd.trim().replace(/^'|'$/g, '')).toBe(shown);
  });
});
