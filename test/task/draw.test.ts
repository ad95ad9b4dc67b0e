import { describe, expect, it } from 'vitest';
import { drawDot, drawMermaid, drawText } from '../../src/task/draw-plan.ts';
import { formatPlanJson } from '../../src/task/plan-document.ts';
import { plan, planned } from './rig.ts';

const text = `steps:
  - {id: one, build: "-t a ."}
  - {id: two, cmd: 'app "x"', when: ["-"], retries: 2, detach: true}
  - {id: all, push: [a], when: [one, two]}
  - {id: end, cmd: clean, runOn: always, when: [all]}
`;

describe('a drawn plan', () => {
  it('has stages of steps for people', () => {
    expect(drawText(planned(text), 100)).toBe(
      [
        'task v1.0.0 · 4 steps · 1 network',
        '├─ one  build  at once',
        '│     -t a .',
        '│     (at most 600 s)',
        '├─ two  cmd    at once',
        '│     app "x"',
        '│     (detached, 2 retries, at most 600 s)',
        '│',
        '├─ all  push   after one, two',
        '│     a:latest',
        '│     (at most 600 s)',
        '│',
        '└─ end  cmd    after all, always',
        '      clean',
        '      (at most 600 s)',
        '',
      ].join('\n'),
    );
  });

  it('has nodes and arrows for Graphviz', () => {
    expect(drawDot(planned(text))).toBe(
      [
        'digraph task {',
        '  rankdir=TB;',
        '  node [shape=box];',
        '  s0 [label="one\\nbuild: -t a ."];',
        '  s1 [label="two\\ncmd: app \\"x\\""];',
        '  s2 [label="all\\npush: a:latest"];',
        '  s3 [label="end\\ncmd: clean"];',
        '  s0 -> s2;',
        '  s1 -> s2;',
        '  s2 -> s3 [style=dashed, label="always"];',
        '}',
        '',
      ].join('\n'),
    );
  });

  it('has nodes and arrows for Mermaid', () => {
    expect(drawMermaid(planned(text)).split('\n')).toEqual([
      'flowchart TD',
      '  s0["one<br/>build: -t a ."]',
      '  s1["two<br/>cmd: app #34;x#34;"]',
      '  s2["all<br/>push: a:latest"]',
      '  s3["end<br/>cmd: clean"]',
      '  s0 --> s2',
      '  s1 --> s2',
      '  s2 -. always .-> s3',
      '',
    ]);
  });

  it('is short for a task without steps', () => {
    expect(drawText(planned('steps: []'))).toBe('task v1.0.0 · 0 steps · 1 network\n');
  });
});

describe('a plan for programs', () => {
  it('is the first error, with its place, when there is none', () => {
    expect(JSON.parse(formatPlanJson(plan('steps:\n  - cmd: a\n    timeout: x\n    when: y\n')))).toEqual({
      ok: false,
      error: 'timeout must be a whole number, and this is the text "x"',
      line: 3,
      column: 14,
    });
  });

  it('has no network for steps that are on none of the task', () => {
    const document = JSON.parse(formatPlanJson(plan('networks: [{name: n1}]\nsteps: [{cmd: a}]'))) as {
      steps: unknown[];
    };
    expect(document.steps[0]).toEqual({
      id: 'acb_step_0',
      kind: 'cmd',
      needs: [],
      cmd: 'a',
      timeoutSeconds: 600,
      container: ['--rm', 'a'],
    });
  });
});
