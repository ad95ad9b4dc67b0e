import pico from 'picocolors';
import { describe, expect, it } from 'vitest';
import { formatTasks } from '../../src/cli/campaign-task-view.ts';
import { describeEnd } from '../../src/cli/campaign-view.ts';
import type { CampaignTaskView } from '../../src/cli/patching-types.ts';
import { startPatchingRig } from '../http/patching-rig.ts';
import { password } from '../http/rig.ts';
import { call, Captured, sendError, sendJson, startFakeApi, type CallOptions } from './rig-api.ts';

async function setUp() {
  const rig = await startPatchingRig();
  const env = { SLIPWAY_SERVER: rig.url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
  const slipwayWith = (options: CallOptions, ...words: string[]) =>
    call(['campaign', ...words], { env, wiring: { pollMs: 5 }, ...options });
  const slipway = (...words: string[]) => slipwayWith({}, ...words);
  const begin = () => rig.conductor.told(rig.world.push('base'));
  return { ...rig, slipway, slipwayWith, begin };
}

async function shown(output: Captured, text: string): Promise<void> {
  const deadline = Date.now() + 3000;
  while (!output.text.includes(text)) {
    if (Date.now() > deadline) throw new Error(`"${text}" did not come; there is: ${output.text}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function capture(isTTY = false) {
  return { stdout: new Captured(isTTY), stderr: new Captured(isTTY) };
}

const aTask = { level: 0, needs: [], tries: 1, after: [], wave: 9 } as const;

describe('the tasks of a campaign', () => {
  const lines = (...tasks: CampaignTaskView[]) => formatTasks(tasks, pico.createColors(false), 0);

  it('take a line each, also when the reason has several', () => {
    const because = 'step build failed; its last lines:\n  one\n  two';
    expect(lines({ ...aTask, task: 'app', state: 'failed', runId: 'ca1', because })).toEqual([
      '  ✗  app  failed  ca1  -  step build failed; its last lines: one two',
    ]);
  });

  it('leave a line to the end of the campaign too', () => {
    const because = 'canary of wave 1 failed: no; its last lines:\n  one; 1 failed';
    const times = { createTime: '2026-11-21T09:00:00.000Z', finishTime: '2026-11-21T09:00:02.000Z' } as const;
    const campaign = {
      ...times,
      id: 'cp1',
      status: 'Canceled',
      because,
      updates: [],
      cycles: [],
      waitsFor: [],
    } as const;
    const policy = { concurrency: 1, retries: 0, retryBudget: 0, breakerAfter: 1 };
    expect(describeEnd({ ...campaign, policy, counts: {} }, pico.createColors(false), 0)).toBe(
      'Campaign cp1 Canceled after 2s: canary of wave 1 failed: no; its last lines: one; 1 failed',
    );
  });

  it('say their wave where there are several', () => {
    const [first, last] = lines(
      { ...aTask, task: 'canary', wave: 1, state: 'failed', because: 'bad' },
      { ...aTask, tries: 0, task: 'web', state: 'waiting' },
    );
    expect(first).toBe('  ✗  canary  wave 1  failed   -  -  bad');
    expect(last).toBe('  ○  web     wave 9  waiting  -  -');
  });

  it('say when one that has failed is tried again', () => {
    const waits = { ...aTask, task: 'app', state: 'waiting', tries: 1, notBefore: '1970-01-01T00:00:10.000Z' } as const;
    const at = (now: number) => formatTasks([waits], pico.createColors(false), now);
    expect(at(200)).toEqual(['  ○  app  waiting  -  -  again in 10s, after 1 try']);
    expect(at(8_500)).toEqual(['  ○  app  waiting  -  -  again in 2s, after 1 try']);
    expect(at(10_000)).toEqual(['  ○  app  waiting  -  -  again, after 1 try']);
  });

  it('are at work only when a worker has them', () => {
    const running = { ...aTask, task: 'app', state: 'running', runId: 'ca1' } as const;
    expect(lines({ ...running, runStatus: 'Queued' })).toEqual(['  ●  app  queued  ca1  -']);
    expect(lines({ ...running, runStatus: 'Running' })).toEqual(['  ●  app  running  ca1  -']);
  });
});

describe('slipway campaign', () => {
  it('lists campaigns', async () => {
    const { slipway, begin, end } = await setUp();
    expect(await slipway('list')).toMatchObject({ code: 0, stdout: '', stderr: 'There are no campaigns.\n' });
    await begin();
    await end('app');
    const [head, line] = (await slipway('list')).stdout.split('\n');
    expect(head?.split(/ {2,}/)).toEqual(['CAMPAIGN', 'STATUS', 'BASE', 'CREATED', 'DURATION', 'TASKS']);
    expect(line).toMatch(/^cp1 +Running +r\.io\/base:latest +4 minutes ago +5m0s +1 rebuilt, 1 running$/);
    expect(JSON.parse((await slipway('list', '--json', '--top', '1')).stdout)).toMatchObject([{ id: 'cp1' }]);
  });

  it('shows one with its tasks by level', async () => {
    const { slipway, begin, end, world } = await setUp();
    await begin();
    world.begin(world.runOf('app'));
    const { stdout } = await slipway('show', 'cp1');
    expect(stdout).toMatch(
      /^Campaign: +cp1\nStatus: +Running\nBase: +r\.io\/base:latest is 0{12}: told by registry at /,
    );
    expect(stdout).toMatch(/^Left: +about 25s$/m);
    expect(stdout).toMatch(
      /\nLevel 1\n {2}● {2}task-app {2}running {2}r1 +5m0s\nLevel 2\n {2}○ {2}task-web {2}waiting {2}- +-\n$/,
    );
    expect((await slipway('pause', 'cp1')).code).toBe(0);
    expect((await slipway('show', 'cp1')).stdout).toMatch(/^Left: +about 25s once it is resumed$/m);
    await slipway('resume', 'cp1');
    await end('app', 'bad');
    const after = (await slipway('show', 'cp1')).stdout;
    expect(after).toMatch(/^Status: +Failed\nWhy: +1 failed, 1 stand on one that failed$/m);
    expect(after).toMatch(/^ {2}✗ {2}task-web {2}blocked {2}- +- +task-app failed$/m);
    expect(JSON.parse((await slipway('show', 'cp1', '--json')).stdout)).toMatchObject({ id: 'cp1', status: 'Failed' });
  });

  it.each([
    ['new', 0, 'Succeeded after 2s: 2 rebuilt'],
    ['bad', 1, 'Failed after 2s: 1 rebuilt, 1 failed'],
  ] as const)('follows one in plain lines to its end: %s', async (how, code, last) => {
    const { slipwayWith, begin, end } = await setUp();
    await begin();
    const outputs = capture();
    const done = slipwayWith({ outputs }, 'show', 'cp1', '--follow');
    await shown(outputs.stdout, 'task-app: queued, run r1\n');
    await end('app');
    await shown(outputs.stdout, 'task-app: rebuilt, run r1 in 1s\n');
    await end('web', how);
    expect((await done).code).toBe(code);
    const { text } = outputs.stdout;
    expect(text).toMatch(/^Campaign cp1 is Running\ntask-app: queued, run r1\ntask-app: rebuilt/);
    expect(text.endsWith(`Campaign cp1 ${last}\n`)).toBe(true);
    expect(text).not.toContain('\u001b');
    expect(text.match(/task-web: queued/g)).toHaveLength(1);
  });

  it('shows on a terminal how it stands below what has happened, and takes that away at the end', async () => {
    const { slipwayWith, begin, end } = await setUp();
    await begin();
    const outputs = capture(true);
    const done = slipwayWith({ outputs }, 'show', 'cp1', '-f');
    await shown(outputs.stdout, 'Campaign cp1 Running: 1 running, 1 waiting; about 25s left');
    await end('app');
    await end('web', 'same');
    expect((await done).code).toBe(0);
    const tail = outputs.stdout.text.split('\u001b[J').at(-1) ?? '';
    expect(tail).toMatch(/task-web: rebuilt|task-web: unchanged/);
    expect(tail).toMatch(/Campaign cp1 .*Succeeded.* after /);
  });

  it('gives the whole document at the end of --follow --json, and nothing else on stdout', async () => {
    const { slipwayWith, begin, end } = await setUp();
    await begin();
    await end('app');
    await end('web');
    const { stdout, stderr } = await slipwayWith({}, 'show', 'cp1', '--follow', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ id: 'cp1', status: 'Succeeded', tasks: [{}, {}] });
    expect(stderr).toContain('Campaign cp1 Succeeded');
  });

  it('is left alone by Ctrl-C', async () => {
    const { slipwayWith, begin } = await setUp();
    await begin();
    const outputs = capture();
    let press: (() => void) | undefined;
    const done = slipwayWith({ outputs, onListening: (listener) => (press = listener) }, 'show', 'cp1', '--follow');
    await shown(outputs.stdout, 'queued');
    press?.();
    expect(await done).toMatchObject({ code: 130, stderr: expect.stringContaining('The campaign goes on.') as string });
  });

  it('stops following one that is held, which is no success', async () => {
    const { slipway, world, conductor, end } = await setUp();
    const trigger = { name: 'base', baseImageTriggerType: 'Runtime', status: 'Enabled', wave: 1 } as const;
    await world.define({ name: 'canary', on: ['base'], change: { trigger } });
    await conductor.told(world.push('base'));
    await end('canary', 'bad');
    const { code, stdout, stderr } = await slipway('show', 'cp1', '--follow');
    expect(code).toBe(1);
    expect(stdout).toMatch(/Campaign cp1 Held after .*: task-canary of wave 1 failed/);
    expect(stderr).toContain('slipway campaign resume cp1');
  });

  it('goes on following when the server is away for a moment', async () => {
    const campaign = (status: string): object => ({
      name: 'cp1',
      properties: {
        ...{ status, createTime: '2026-11-21T09:00:00.000Z', finishTime: '2026-11-21T09:01:00.000Z' },
        ...{ updates: [], cycles: [], waitsFor: [], counts: {}, tasks: [], policy: {} },
      },
    });
    let calls = 0;
    const api = await startFakeApi({
      'GET /api/v1/campaigns/cp1': (_, response) => {
        calls += 1;
        if (calls === 2 || calls === 3)
          sendError(response, 503, { code: 'RedisUnavailable', message: 'Redis is away' });
        else sendJson(response, campaign(calls > 3 ? 'Succeeded' : 'Running'));
      },
    });
    const { code, stderr } = await call(['campaign', 'show', 'cp1', '--follow'], {
      ...{ env: { SLIPWAY_SERVER: api.url }, wiring: { pollMs: 1 } },
    });
    expect([code, calls]).toEqual([0, 4]);
    expect(stderr).toBe('The connection to the server was lost; trying again.\n');
  });

  it('is paused, resumed, canceled and retried', async () => {
    const { slipway, begin, end } = await setUp();
    await begin();
    expect((await slipway('pause', 'cp1')).stdout).toMatch(/^Campaign cp1 is paused: /);
    expect((await slipway('resume', 'cp1')).stdout).toBe('Campaign cp1 goes on: Running.\n');
    expect((await slipway('cancel', 'cp1')).stdout).toBe(
      'Campaign cp1 is being canceled: it is over when the run that is at work has ended.\n',
    );
    await end('app', 'canceled');
    expect((await slipway('retry', 'cp1', '--json')).stdout).toContain('"status": "Running"');
    expect(await slipway('retry', 'cp1')).toMatchObject({
      ...{ code: 1, stdout: '' },
      stderr: 'error: campaign cp1 cannot be retried: it is Running, and has not come to its end\n',
    });
  });

  it('is rolled back when that is confirmed', async () => {
    const { slipway, begin, end, world } = await setUp();
    world.set('app');
    await begin();
    await end('app');
    await end('web', 'bad');
    expect(await slipway('rollback', 'cp1')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('-y says yes') as string,
    });
    expect(world.returned).toEqual([]);
    expect(await slipway('rollback', 'cp1', '--yes')).toMatchObject({
      ...{ code: 0, stdout: 'Campaign cp1 is rolled back.\n' },
    });
    expect(world.returned).toHaveLength(1);
  });

  it.each([
    [['show', 'cp9'], 3, 'campaign cp9 does not exist'],
    [['pause', 'cp9'], 3, 'there is no campaign cp9'],
    [['show', 'ca1'], 2, '"ca1" is no campaign\'s id'],
    [['cancel', '../x'], 2, '"../x" is no campaign\'s id'],
    [['rollback', 'x', '-y'], 2, '"x" is no campaign\'s id'],
    [['list', '--top', '0'], 2, '--top must be a whole number from 1 to 1000'],
    [['show'], 2, "missing required argument 'id'"],
    [['stop', 'cp1'], 2, "unknown command 'stop'"],
  ])('says what is wrong with %j', async (words, code, message) => {
    const { slipway } = await setUp();
    const result = await slipway(...words);
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toContain(message);
  });
});
