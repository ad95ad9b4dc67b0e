import { describe, expect, it } from 'vitest';
import {
  call,
  envFor,
  formatSse,
  goodBuild,
  makeContext,
  runDocument,
  sendError,
  sendEvents,
  sendJson,
  startFakeApi,
  successfulRun,
} from './rig-api.ts';

const lines = Array.from({ length: 40 }, (_, at) => `line ${at + 1}`);

function outputOf(stdout: string): readonly string[] {
  return stdout.split('\n').filter((line) => line.startsWith('line '));
}

describe('following a run', () => {
  it('resumes behind the last event after each lost connection, and loses and repeats no line', async () => {
    const events = successfulRun(40);
    const asked: (string | undefined)[] = [];
    const api = await startFakeApi({
      ...goodBuild(),
      'GET /api/v1/runs/ca1': (_, response) => sendJson(response, runDocument({ status: 'Succeeded' })),
      'GET /api/v1/runs/ca1/events': ({ headers }, response) => {
        const after = Number(headers['last-event-id'] ?? 0);
        asked.push(headers['last-event-id'] as string | undefined);
        const rest = events.filter(({ seq }) => seq > after);
        if (rest.length < 8) {
          sendEvents(response, rest);
          return;
        }
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        const whole = rest.slice(0, 7).map(formatSse).join('');
        // The eighth is cut in the middle: a client that took half of it would lose or repeat it.
        const half = formatSse(rest[7]!).slice(0, 30);
        response.write(`: still here\n\n${whole}${half}`, () => setTimeout(() => response.destroy(), 5));
      },
    });
    const { code, stdout, stderr } = await call(['build'], { env: envFor(api.url), cwd: await makeContext() });
    expect(code).toBe(0);
    expect(outputOf(stdout)).toEqual(lines);
    expect(asked).toEqual([undefined, '7', '14', '21', '28', '35', '42']);
    expect(stderr).toContain('The connection was lost; connecting again …');
  });

  it('drops what a server sends a second time', async () => {
    const events = successfulRun(40);
    let connections = 0;
    const api = await startFakeApi({
      ...goodBuild(),
      'GET /api/v1/runs/ca1': (_, response) => sendJson(response, runDocument({ status: 'Succeeded' })),
      'GET /api/v1/runs/ca1/events': (_, response) => {
        connections += 1;
        if (connections > 1) {
          sendEvents(response, events);
          return;
        }
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const event of events.slice(0, 20)) response.write(formatSse(event));
        response.end();
      },
    });
    const { stdout } = await call(['runs', 'logs', 'ca1', '-f'], { env: envFor(api.url) });
    expect(outputOf(stdout)).toEqual(lines);
  });

  it('waits through a server that is away for a moment', async () => {
    let connections = 0;
    const api = await startFakeApi({
      ...goodBuild(),
      'GET /api/v1/runs/ca1': (_, response) => sendJson(response, runDocument({ status: 'Succeeded' })),
      'GET /api/v1/runs/ca1/events': (_, response) => {
        connections += 1;
        if (connections === 4) sendEvents(response, successfulRun(40));
        else if (connections === 3) response.writeHead(502).end('<html>');
        else sendError(response, 503, { code: 'RedisUnavailable', message: 'Redis does not answer' });
      },
    });
    const { code, stdout } = await call(['runs', 'logs', 'ca1', '--follow'], { env: envFor(api.url) });
    expect(code).toBe(0);
    expect(outputOf(stdout)).toEqual(lines);
  });

  it('does not go on asking when the server says no', async () => {
    const api = await startFakeApi({
      ...goodBuild(),
      'GET /api/v1/runs/ca1/events': (_, response) =>
        sendError(response, 401, { code: 'Unauthorized', message: 'the user name or password is wrong' }),
    });
    const { code, stderr } = await call(['build'], { env: envFor(api.url), cwd: await makeContext() });
    expect(code).toBe(1);
    expect(stderr).toContain('error: the user name or password is wrong');
    expect(api.of('GET /api/v1/runs/ca1/events')).toHaveLength(1);
  });

  it('gives up on a server that stays away, and says how to go on', async () => {
    const api = await startFakeApi({
      ...goodBuild(),
      'GET /api/v1/runs/ca1/events': (_, response) => void response.destroy(),
    });
    const wiring = { backoffMs: [0] };
    const { code, stderr } = await call(['build'], { env: envFor(api.url), cwd: await makeContext(), wiring });
    expect(code).toBe(4);
    expect(stderr).toContain('hint: The run goes on. Follow it again with: slipway runs logs ca1 -f');
  });

  it('prints events as lines of JSON with --json', async () => {
    const events = successfulRun(2);
    const api = await startFakeApi(goodBuild(events));
    const { code, stdout } = await call(['runs', 'logs', 'ca1', '-f', '--json'], { env: envFor(api.url) });
    expect(code).toBe(0);
    const printed: unknown[] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(printed).toEqual(events);
  });
});
