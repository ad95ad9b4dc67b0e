import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pico from 'picocolors';
import { describe, expect, it } from 'vitest';
import { createStepBoard } from '../../src/cli/step-board.ts';
import type { SequencedEvent } from '../../src/domain/event.ts';
import { until } from '../http/rig.ts';
import { call, Captured, envFor, formatSse, goodBuild, makeFolder, startFakeApi, type CallOptions } from './rig-api.ts';
import { parallelRun } from './rig-steps.ts';

const plain = pico.createColors(false);
const events = parallelRun();

/** What stands on a terminal after all that was written to it, as far as this program moves its cursor. */
function showTerminal(text: string): readonly string[] {
  const lines = [''];
  for (const part of text.split(/(\r?\u001b\[\d+A\u001b\[J|\u001b\[[0-9;]*m|\u001b\[2K|\n|\r)/)) {
    const up = /\u001b\[(\d+)A\u001b\[J/.exec(part)?.[1];
    if (up !== undefined) {
      lines.length -= Number(up) + 1;
      lines.push('');
    } else if (part === '\n') lines.push('');
    else if (part === '\r' || part === '\u001b[2K') lines[lines.length - 1] = '';
    else if (!part.startsWith('\u001b')) lines[lines.length - 1] += part;
  }
  return lines;
}

async function run(shown: readonly SequencedEvent[], more: CallOptions = {}) {
  const api = await startFakeApi(goodBuild(shown));
  const cwd = await makeFolder();
  await writeFile(join(cwd, 'acb.yaml'), 'steps: []\n');
  return call(['run', ...(more.env?.['JSON'] === undefined ? [] : ['--json'])], {
    isTTY: true,
    cwd,
    ...more,
    env: envFor(api.url, more.env),
  });
}

describe('slipway run on a terminal', () => {
  it('leaves the log whole, and the steps below it once', async () => {
    const { stdout } = await run(events);
    expect(stdout).toContain('\u001b[4A\u001b[J');
    const shown = showTerminal(stdout);
    expect(shown.slice(0, 6)).toEqual([
      'Queued a run with ID: ca1',
      'Started on worker w1',
      'Step a started',
      'Step second started',
      'a      | one',
      'second | two',
    ]);
    const from = shown.findIndex((line) => line.startsWith('Run ID: ca1 failed'));
    expect(shown.slice(from + 1, from + 5)).toEqual([
      'Steps: 1 done, 1 failed, 1 skipped',
      '  ✓  a       done 5s',
      '  ✗  second  failed (exit code 3) 6s',
      '  -  last    skipped',
    ]);
    expect(shown.filter((line) => line.startsWith('Steps:'))).toHaveLength(1);
    expect(shown[from + 5]).toMatch(/^Image: /);
  });

  it('shows while they go on which steps run and which wait', async () => {
    const outputs = { stdout: new Captured(true), stderr: new Captured(true) };
    let end: () => void = () => undefined;
    const routes = goodBuild(events);
    routes['GET /api/v1/runs/ca1/events'] = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(events.slice(0, 7).map(formatSse).join(''));
      end = () => void response.end(events.slice(7).map(formatSse).join(''));
    };
    const api = await startFakeApi(routes);
    const cwd = await makeFolder();
    await writeFile(join(cwd, 'acb.yaml'), 'steps: []\n');
    const running = call(['run'], { env: envFor(api.url), cwd, outputs });
    const isBack = (): boolean => showTerminal(outputs.stdout.text).slice(-5)[0] === 'Steps: 2 running, 1 waiting';
    await until(() => outputs.stdout.text.includes('two') && isBack());
    expect(showTerminal(outputs.stdout.text).slice(-6)).toEqual([
      'second | two',
      'Steps: 2 running, 1 waiting',
      '  ●  a       0s',
      '  ●  second  0s',
      '  ○  last    waiting',
      '',
    ]);
    end();
    expect(showTerminal((await running).stdout)).toContain('Steps: 1 done, 1 failed, 1 skipped');
  });

  it.each([
    ['a pipe', { isTTY: false }],
    ['a terminal that cannot move its cursor', { env: { TERM: 'dumb' } }],
  ])('shows nothing of it in %s', async (_, options) => {
    const { stdout, stderr } = await run(events, options);
    expect(stdout + stderr).not.toContain('Steps:');
    expect(stdout + stderr).not.toMatch(/\u001b\[\d*[AJ]/);
  });

  it('has no colours with NO_COLOR, and moves the cursor all the same', async () => {
    const { stdout } = await run(events, { env: { NO_COLOR: '1' } });
    expect(stdout).not.toMatch(/\u001b\[[0-9;]*m/);
    expect(stdout).toContain('Steps: 2 running, 1 waiting');
  });

  it('keeps stdout to the result with --json', async () => {
    const { stdout, stderr } = await run(events, { env: { JSON: '1' } });
    expect(JSON.parse(stdout)).toMatchObject({ runId: 'ca1' });
    expect(stderr).toContain('Steps: 2 running, 1 waiting');
  });

  it('takes the steps away when Ctrl-C ends the following', async () => {
    let press: () => void = () => undefined;
    const routes = goodBuild(events);
    routes['GET /api/v1/runs/ca1/events'] = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(events.slice(0, 5).map(formatSse).join(''));
      setTimeout(press, 50);
    };
    const api = await startFakeApi(routes);
    const cwd = await makeFolder();
    await writeFile(join(cwd, 'acb.yaml'), 'steps: []\n');
    const onListening = (listener: () => void): void => void (press = listener);
    const { code, stdout, stderr } = await call(['run'], { env: envFor(api.url), cwd, isTTY: true, onListening });
    expect(code).toBe(130);
    expect(showTerminal(stdout).filter((line) => line.startsWith('Steps:'))).toEqual([]);
    expect(stderr).toContain('run ca1 goes on');
  });
});

describe('the board of steps', () => {
  const numbered = (count: number): SequencedEvent[] => {
    const steps = Array.from({ length: count }, (_, at) => ({ id: `s${at}` as never, kind: 'cmd' as const }));
    return [{ kind: 'run-planned', steps, seq: 1, at: '2026-11-21T09:00:00.000Z' }];
  };
  const start = (id: string): SequencedEvent => ({
    kind: 'step-started',
    step: id as never,
    seq: 2,
    at: '2026-11-21T09:00:00.000Z',
  });

  it('shows what runs when there is no room for all, in the order of the task', () => {
    const board = createStepBoard();
    for (const event of [...numbered(20), start('s18'), start('s3')]) board.apply(event, 0);
    expect(board.draw(12_500, 3, plain)).toEqual([
      'Steps: 2 running, 18 waiting',
      '  ○  s0   waiting',
      '  ●  s3   12s',
      '  ●  s18  12s',
    ]);
  });

  it('knows the steps again when a second worker plans the run', () => {
    const board = createStepBoard();
    for (const event of [...numbered(2), start('s0')]) board.apply(event, 0);
    const ended = { kind: 'step-ended', step: 's0' as never, outcome: { kind: 'timed-out', afterMs: 1000 } } as const;
    board.apply({ ...ended, seq: 3, at: '2026-11-21T09:01:30.000Z' }, 0);
    for (const event of numbered(2)) board.apply(event, 0);
    expect(board.draw(0, 9, plain)).toEqual([
      'Steps: 1 failed, 1 waiting',
      '  ✗  s0  timed-out 1m30s',
      '  ○  s1  waiting',
    ]);
  });

  it('tells a step that was stopped from one that failed', () => {
    const board = createStepBoard();
    for (const event of [...numbered(1), start('s0')]) board.apply(event, 0);
    const outcome = { kind: 'canceled', reason: 's1 failed' } as const;
    board.apply({ kind: 'step-ended', step: 's0' as never, outcome, seq: 3, at: '2026-11-21T09:00:02.000Z' }, 0);
    expect(board.draw(0, 9, plain)).toEqual(['Steps: 1 canceled', '  -  s0  canceled 2s']);
  });

  it('takes no control characters from the names of steps', () => {
    const board = createStepBoard();
    const steps = [{ id: 'a\u001b[2Jb' as never, kind: 'cmd' as const }];
    board.apply({ kind: 'run-planned', steps, seq: 1, at: '2026-11-21T09:00:00.000Z' }, 0);
    expect(board.draw(0, 9, plain)[1]).toBe('  ○  ab  waiting');
  });
});
