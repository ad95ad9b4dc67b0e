import { describe, expect, it } from 'vitest';
import { startPatchingRig } from '../http/patching-rig.ts';
import { password } from '../http/rig.ts';
import { trigger, type TestTask } from '../patch/campaign/world.ts';
import { call } from './rig-api.ts';

async function setUp(tasks: readonly TestTask[]) {
  const rig = await startPatchingRig(tasks);
  const env = { SLIPWAY_SERVER: rig.url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
  return { ...rig, slipway: async (...words: string[]) => (await call(words, { env })).stdout };
}

const numbered: readonly TestTask[] = ['app-10', 'app-2', 'app-1'].map((name) => ({ name, on: ['base'] }));
const found = (text: string): readonly string[] => text.match(/app-\d+(?= {2})/g) ?? [];

describe('tables of tasks', () => {
  it('are in the order in which people count', async () => {
    const { slipway, conductor, world } = await setUp(numbered);
    expect(found(await slipway('base-image', 'list'))).toEqual(['app-1', 'app-2', 'app-10']);
    expect(found(await slipway('base-image', 'impact', 'r.io/base:latest'))).toEqual(['app-1', 'app-2', 'app-10']);
    await conductor.told(world.push('base'));
    expect(found(await slipway('campaign', 'show', 'cp1'))).toEqual(['app-1', 'app-2', 'app-10']);
  });
});

describe('slipway campaign show', () => {
  it('says how many changes wait behind one that people let stand', async () => {
    const { slipway, conductor, world, end } = await setUp([
      { name: 'canary', on: ['base'], change: { trigger: { ...trigger, wave: 0 } } },
      { name: 'app', on: ['base'] },
    ]);
    await conductor.told(world.push('base'));
    await end('canary', 'bad');
    expect(await slipway('campaign', 'show', 'cp1')).not.toContain('Behind it');
    await conductor.told(world.push('base'));
    expect(await slipway('campaign', 'show', 'cp1')).toMatch(
      /^Behind it: +1 change waits until it is resumed or canceled$/m,
    );
    await conductor.told(world.push('base'));
    expect(await slipway('campaign', 'show', 'cp1')).toMatch(
      /^Behind it: +2 changes wait until it is resumed or canceled$/m,
    );
    await slipway('campaign', 'resume', 'cp1');
    expect(await slipway('campaign', 'show', 'cp1')).not.toContain('Behind it');
  });
});

describe('what a task only reads while it is built', () => {
  it('is shown as such before and in a campaign', async () => {
    const { slipway, conductor, world } = await setUp([
      { name: 'app', on: ['base', 'tools'], change: { trigger } },
      { name: 'tools', on: ['base'] },
    ]);
    expect(await slipway('base-image', 'impact', 'r.io/base:latest')).toMatch(
      /^2 +task-app .* r\.io\/base:latest; reads what task-tools makes$/m,
    );
    const drawn = await slipway('base-image', 'impact', 'r.io/base:latest', '--mermaid');
    expect(drawn).toContain('\n  base --> t0\n  base --> t1\n  t0 -. read .-> t1\n');
    const json = JSON.parse(await slipway('base-image', 'impact', 'r.io/base:latest', '--json')) as unknown;
    expect(json).toMatchObject({ tasks: [{}, { needs: ['task-tools'], onlyReads: ['task-tools'] }] });
    await conductor.told(world.push('base'));
    expect(JSON.parse(await slipway('campaign', 'show', 'cp1', '--json'))).toMatchObject({
      tasks: [{ state: 'running' }, { state: 'waiting', onlyReads: ['task-tools'] }],
    });
  });
});
