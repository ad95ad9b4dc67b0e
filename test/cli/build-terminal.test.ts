import { describe, expect, it } from 'vitest';
import { call, envFor, goodBuild, makeContext, number, startFakeApi, successfulRun } from './rig-api.ts';

describe('slipway build on a terminal', () => {
  it('shows the upload and colours, which a pipe does not get', async () => {
    const api = await startFakeApi(goodBuild());
    const cwd = await makeContext();
    const terminal = await call(['build'], { env: envFor(api.url), cwd, isTTY: true });
    expect(terminal.stderr).toMatch(/Uploaded the context: [\d.]+ (?:B|KiB)/);
    expect(terminal.stdout).toContain('\u001b[32mRun ID: ca1 was successful');
    const pipe = await call(['build'], { env: envFor(api.url), cwd });
    expect(pipe.stdout + pipe.stderr).not.toContain('\u001b');
  });

  it.each([
    ['NO_COLOR', ['build'], { NO_COLOR: '1' }],
    ['--no-color', ['build', '--no-color'], {}],
    ['TERM=dumb', ['build'], { TERM: 'dumb' }],
  ])('has no colours with %s', async (_, words, more) => {
    const api = await startFakeApi(goodBuild());
    const { stdout } = await call(words, { env: envFor(api.url, more), cwd: await makeContext(), isTTY: true });
    expect(stdout).not.toContain('\u001b');
  });

  it('lets a build colour its lines but not move the cursor or set titles', async () => {
    const text = '\u001b[31mred\u001b[0m \u001b[2J\u001b]0;title\u0007\rclean\u0008';
    const events = number([
      { kind: 'run-queued' },
      { kind: 'output', stream: 'stdout', text },
      { kind: 'run-ended', status: 'Succeeded' },
    ]);
    const api = await startFakeApi(goodBuild(events));
    const cwd = await makeContext();
    const terminal = await call(['build'], { env: envFor(api.url), cwd, isTTY: true });
    expect(terminal.stdout).toContain('\u001b[31mred\u001b[0m clean\u001b[0m\n');
    const pipe = await call(['build'], { env: envFor(api.url), cwd });
    expect(pipe.stdout).toContain('\nred clean\n');
  });
});

describe('slipway build and Ctrl-C', () => {
  it('stops following, says how to follow again and how to cancel, and exits with 130', async () => {
    let press: () => void = () => undefined;
    const api = await startFakeApi({
      ...goodBuild(),
      'GET /api/v1/runs/ca1/events': (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`id: 1\nevent: run-queued\ndata: ${JSON.stringify(successfulRun()[0])}\n\n`);
        setTimeout(press, 30);
      },
    });
    const options = {
      env: envFor(api.url),
      cwd: await makeContext(),
      onListening: (listener: () => void) => void (press = listener),
    };
    const { code, stdout, stderr } = await call(['build'], options);
    expect(code).toBe(130);
    expect(stdout).toBe('Queued a run with ID: ca1\n');
    expect(stderr).toContain('run ca1 goes on');
    expect(stderr).toContain('slipway runs logs ca1 -f');
    expect(stderr).toContain('slipway runs cancel ca1');
    expect(api.of('POST /api/v1/runs/ca1/cancel')).toHaveLength(0);
  });

  it('submits nothing when it comes during the upload', async () => {
    let press: () => void = () => undefined;
    const api = await startFakeApi({
      ...goodBuild(),
      'PUT /uploads/source/202611210900/x.tar.gz': () => press(),
    });
    const options = {
      env: envFor(api.url),
      cwd: await makeContext(),
      onListening: (listener: () => void) => void (press = listener),
    };
    const { code, stderr } = await call(['build'], options);
    expect(code).toBe(130);
    expect(stderr).toBe('Stopped before anything was submitted.\n');
    expect(api.of('POST /api/v1/scheduleRun')).toHaveLength(0);
  });
});
