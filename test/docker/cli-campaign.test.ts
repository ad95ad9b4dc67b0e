import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../cli/rig-api.ts';
import { plantTree, type TreeImage } from '../rig/image-tree.ts';
import { eventually, startInstallation, type Installation } from '../rig/installation.ts';
import { ended, getLog, removeImages, schedule, upload } from '../rig/quick-build.ts';

const tree: readonly TreeImage[] = [
  { name: 'runtime', on: ['base'] },
  { name: 'web-app', on: ['runtime'] },
  { name: 'mailer', on: ['runtime'] },
];

let slipway: Installation;
let planted: Awaited<ReturnType<typeof plantTree>> | undefined;

beforeAll(async () => {
  slipway = await startInstallation({ env: { SLIPWAY_EGRESS_ALLOW: '127.0.0.1' } });
}, 90_000);
afterAll(async () => {
  await removeImages(slipway);
  await planted?.close();
  await slipway.stop();
}, 90_000);

function cli(...words: string[]) {
  return call(words, { env: slipway.cliEnv, wiring: { pollMs: 100 } });
}

async function pushBase(version: string): Promise<void> {
  const files = { Dockerfile: 'FROM busybox:latest\nCOPY seen /seen\n', seen: `${version}\n` };
  const request = { sourceLocation: await upload(slipway, files), imageNames: ['base:v1'], isPushEnabled: true };
  const { runId } = (await schedule(slipway, request)).properties;
  expect((await ended(slipway, runId)).properties.status, await getLog(slipway, runId)).toBe('Succeeded');
}

describe('base images and campaigns on the command line', () => {
  it('show what stands on what before anything was built, follow what a push rebuilds, and show that it is current', async () => {
    await pushBase('one');
    planted = await plantTree(slipway, tree);
    const base = `${slipway.registryHost}/base:v1`;
    const impact = await eventually('the impact of the base', 60_000, async () => {
      const { stdout } = await cli('base-image', 'impact', base);
      return stdout.includes('3 tasks are rebuilt in 2 levels') ? stdout : undefined;
    });
    expect(impact).toMatch(/^1 +runtime .*\n2 +mailer .*\n2 +web-app /m);
    expect((await cli('base-image', 'impact', base, '--mermaid')).stdout).toContain('base --> t0\n');
    expect((await cli('base-image', 'list')).stdout).toMatch(/runtime .* unknown\n/);

    await pushBase('two');
    await eventually('a campaign', 20_000, async () =>
      (await cli('campaign', 'list')).stdout.includes('cp1') ? true : undefined,
    );
    const followed = await cli('campaign', 'show', 'cp1', '--follow');
    expect([followed.code, followed.stderr]).toEqual([0, '']);
    expect(followed.stdout).toMatch(/^runtime: rebuilt, run \w+ in [\d.]+s$/m);
    expect(followed.stdout).toMatch(/Campaign cp1 Succeeded after [\d.]+s: 3 rebuilt\n$/);
    const shown = (await cli('campaign', 'show', 'cp1')).stdout;
    expect(shown).toMatch(/Level 1\n {2}✓ {2}runtime +rebuilt .*\nLevel 2\n {2}✓ {2}mailer .*\n {2}✓ {2}web-app /);
    const list = await cli('base-image', 'list');
    expect(list.stdout.match(/ current\n/g)).toHaveLength(3);
    expect((await cli('base-image', 'list', '--stale')).stdout).toBe('');

    const run = /web-app +rebuilt +(\w+)/.exec(shown)?.[1] ?? '';
    expect((await cli('runs', 'show', run)).stdout).toMatch(/^Cause: +changed base image .*, campaign cp1/m);
  }, 240_000);

  it('notify of what has not changed without effect', async () => {
    const told = await cli('base-image', 'notify', `${slipway.registryHost}/base:v1`);
    expect([told.code, told.stderr]).toEqual([0, '']);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(JSON.parse((await cli('campaign', 'list', '--json')).stdout)).toHaveLength(1);
  }, 60_000);
});
