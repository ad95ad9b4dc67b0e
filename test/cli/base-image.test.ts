import { describe, expect, it } from 'vitest';
import { startPatchingRig, family } from '../http/patching-rig.ts';
import { password } from '../http/rig.ts';
import { call, startFakeApi, sendJson } from './rig-api.ts';

async function setUp(tasks = family) {
  const rig = await startPatchingRig(tasks);
  const env = { SLIPWAY_SERVER: rig.url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
  const slipway = (...words: string[]) => call(['base-image', ...words], { env });
  return { ...rig, slipway };
}

describe('slipway base-image list', () => {
  it('shows what stands on what, how old that is, and why something is not rebuilt', async () => {
    const { slipway, world, conductor, end } = await setUp();
    await conductor.told(world.push('base'));
    await end('app');
    await conductor.told(world.push('base'));
    const { code, stdout, stderr } = await slipway('list');
    expect([code, stderr]).toEqual([0, '']);
    const rows = stdout.trimEnd().split('\n');
    const heads = ['TASK', 'IMAGE', 'BUILT', 'BASE', 'TYPE', 'BUILT ON', 'NEWEST', 'STATE'];
    expect(rows[0]?.split(/ {2,}/)).toEqual(heads);
    expect(rows[1]).toMatch(
      /^task-app {2,}r\.io\/app:latest {2,}4 minutes ago {2,}r\.io\/base:latest {2,}runtime {2,}0{12} {2,}0{12} {2,}behind, newest seen 4 minutes ago$/,
    );
    expect(rows[2]).toMatch(/^task-idle .* unknown; not rebuilt by itself: is disabled$/);
    expect(rows).toHaveLength(6);
  });

  it('says of what its base has not changed for that it is current', async () => {
    const { slipway, world, conductor, end } = await setUp([
      { name: 'app', on: ['base'], platforms: ['linux/amd64', 'linux/arm64'] },
    ]);
    await conductor.told(world.pushIndex('base', { 'linux/amd64': 1, 'linux/arm64': 2, 'linux/s390x': 3 }));
    await end('app');
    await conductor.told(world.pushIndex('base', { 'linux/amd64': 1, 'linux/arm64': 2 }));
    expect((await slipway('list')).stdout).toMatch(/ current: unchanged for linux\/amd64 and linux\/arm64$/m);
  });

  it('shows those alone that stand on one image, or are behind', async () => {
    const { slipway } = await setUp();
    const json = await slipway('list', '--image', 'r.io/app', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject([{ task: 'task-web', base: { reference: 'r.io/app:latest' } }]);
    expect(await slipway('list', '--stale')).toMatchObject({
      ...{ code: 0, stdout: '' },
      stderr: 'No image is known to be behind its base.\n',
    });
    expect((await slipway('list', '--image', 'r.io/nothing')).stderr).toBe('Nothing stands on r.io/nothing:latest.\n');
    expect((await slipway('list', '--image', 'base')).stderr).toBe(
      'Nothing stands on docker.io/library/base:latest.\n' +
        "Without a registry, a name is Docker Hub's. In the registry in the box it is r.io/base\n",
    );
  });

  it('reads all pages', async () => {
    const tasks = Array.from({ length: 1300 }, (_, at) => ({ name: `n${String(at).padStart(4, '0')}`, on: ['base'] }));
    const { slipway } = await setUp(tasks);
    expect(JSON.parse((await slipway('list', '--json')).stdout)).toHaveLength(1300);
  });

  it('says which word is wrong', async () => {
    const { slipway } = await setUp();
    const { code, stderr } = await slipway('list', '--image', 'A B', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ error: { reason: 'invalid-request', field: '--image' } });
  });
});

describe('slipway base-image impact', () => {
  it('shows by level when each task starts and how long it takes, and what is not rebuilt', async () => {
    const { slipway } = await setUp();
    const { code, stdout, stderr } = await slipway('impact', 'r.io/base:latest');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(
      [
        'When r.io/base:latest changes, 2 tasks are rebuilt in 2 levels, in about 25s (at most 100 at a time):',
        'LEVEL  TASK      START  TAKES  STANDS ON',
        '1      task-app  +0s    20s    r.io/base:latest',
        '2      task-web  +20s   5s     r.io/app:latest',
        'Not rebuilt:',
        '  task-tool  r.io/base:latest  is only built with it, and its trigger is for runtime bases',
        '  task-idle  r.io/base:latest  is disabled',
        '',
      ].join('\n'),
    );
  });

  it('names circles, waves, tasks that keep failing, and what nobody knows', async () => {
    const trigger = { name: 'base', baseImageTriggerType: 'Runtime', status: 'Enabled', wave: 0 } as const;
    const { slipway } = await setUp([
      { name: 'first', on: ['base'], change: { trigger } },
      { name: 'broken', on: ['base'], change: { failuresInRow: 7 } },
      { name: 'a', on: ['base'], makes: ['a'] },
      { name: 'b', on: ['a', 'c'], makes: ['b'] },
      { name: 'c', on: ['b'], makes: ['c'] },
    ]);
    const { stdout } = await slipway('impact', 'r.io/base:latest');
    expect(stdout).toMatch(/^LEVEL {2}WAVE {2}TASK /m);
    expect(stdout).toMatch(/^1 +0 +task-first +\+0s +\? +r\.io\/base:latest$/m);
    expect(stdout).toMatch(/^1 +9 +task-broken +- .*; not started: its last 7 runs of campaigns failed in a row$/m);
    expect(stdout).toMatch(/^\?: nobody knows yet/m);
    expect(stdout).toMatch(/^In a circle, each rebuilt once: task-b → task-c → task-b$/m);
    const drawn = (await slipway('impact', 'r.io/base:latest', '--mermaid')).stdout;
    expect(drawn).toContain('  t3 --> t4\n  t4 -.-> t3\n');
  });

  it('draws itself for Mermaid', async () => {
    const { slipway } = await setUp();
    expect((await slipway('impact', 'r.io/base:latest', '--mermaid')).stdout).toBe(
      [
        'flowchart LR',
        '  base(["r.io/base:latest"])',
        '  t0["task-app<br/>20s"]',
        '  t1["task-web<br/>5s"]',
        '  base --> t0',
        '  t0 --> t1',
        '  base -.-> n0["task-tool<br/>not rebuilt: is only built with it, and its trigger is for runtime bases"]',
        '  base -.-> n1["task-idle<br/>not rebuilt: is disabled"]',
        '',
      ].join('\n'),
    );
    expect(await slipway('impact', 'r.io/base:latest', '--mermaid', '--json')).toMatchObject({ code: 2, stdout: '' });
  });

  it('is a document with --json', async () => {
    const { slipway } = await setUp();
    expect(JSON.parse((await slipway('impact', 'r.io/base:latest', '--json')).stdout)).toMatchObject({
      tasks: [
        { task: 'task-app', level: 0 },
        { task: 'task-web', level: 1, startMs: 20_000 },
      ],
    });
  });

  it('reminds of the registry in the box when nothing stands on a name without one', async () => {
    const { slipway } = await setUp();
    expect(await slipway('impact', 'app:v1')).toMatchObject({
      ...{ code: 0, stdout: 'No task is rebuilt when docker.io/library/app:v1 changes.\n' },
      stderr: "Without a registry, a name is Docker Hub's. In the registry in the box it is r.io/app:v1\n",
    });
  });

  it('has no control characters of a server in it', async () => {
    const image = { registry: 'r', repository: 'b', tag: 'v', reference: 'r/b:v\u001b]0;x\u0007' };
    const task = { task: 'a"<b>#', level: 0, wave: 9, needs: [], bases: [image], images: [], startMs: 0, endMs: 1 };
    const api = await startFakeApi({
      'GET /api/v1/baseImages/impact': (_, response) =>
        sendJson(response, { image, durationMs: 1, concurrency: 1, tasks: [task], cycles: [], notRebuilt: [] }),
    });
    const env = { SLIPWAY_SERVER: api.url };
    for (const more of [[], ['--mermaid']]) {
      const { stdout } = await call(['base-image', 'impact', 'r/b:v', ...more], { env });
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
      if (more.length > 0) expect(stdout).toContain('["a#quot;#lt;b#gt;#35;<br/>?"]');
    }
  });
});

describe('slipway base-image notify', () => {
  it('tells of an image, and says how many tasks it concerns', async () => {
    const { slipway, published } = await setUp();
    const digest = `sha256:${'a'.repeat(64)}`;
    expect((await slipway('notify', `r.io/base:latest@${digest}`)).stdout).toBe(
      'r.io/base:latest will be compared with aaaaaaaaaaaa.\nIf it has changed, 2 tasks will be rebuilt: slipway campaign list\n',
    );
    expect((await slipway('notify', 'node:20')).stdout).toBe(
      'docker.io/library/node:20 will be compared with what its registry says.\nNo task would be rebuilt for it.\n',
    );
    expect(published).toHaveLength(2);
    expect(await slipway('notify', `node@${digest}`)).toMatchObject({ code: 2 });
  });
});
