import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../cli/rig-api.ts';
import { tarOf } from '../rig/contexts.ts';
import { eventually, startInstallation, type Installation } from '../rig/installation.ts';
import { ended, getLog, removeImages, schedule, upload } from '../rig/quick-build.ts';

let slipway: Installation;
let context: string;
const server = createServer((_, response) => {
  const file = `ARG NODE=v1\nFROM ${slipway.registryHost}/node:\${NODE}\nRUN cat /seen\n`;
  void tarOf({ Dockerfile: file }).then((bytes) => response.end(bytes));
});

beforeAll(async () => {
  slipway = await startInstallation({ env: { SLIPWAY_EGRESS_ALLOW: '127.0.0.1' } });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/app.tar`;
}, 90_000);
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await removeImages(slipway);
  await slipway.stop();
}, 90_000);

function cli(...words: string[]) {
  return call(words, { env: slipway.cliEnv, wiring: { pollMs: 100 } });
}

async function pushNode(tag: string): Promise<void> {
  const files = { Dockerfile: 'FROM busybox:latest\nCOPY seen /seen\n', seen: `seen ${tag}\n` };
  const request = { sourceLocation: await upload(slipway, files), imageNames: [`node:${tag}`], isPushEnabled: true };
  const { runId } = (await schedule(slipway, request)).properties;
  expect((await ended(slipway, runId)).properties.status, await getLog(slipway, runId)).toBe('Succeeded');
}

/** Runs it, and gives the tag of the base that the build has seen. */
async function seenBy(...words: string[]): Promise<string | undefined> {
  const { stdout, code, stderr } = await cli(...words);
  expect(code, stderr + stdout).toBe(0);
  return /seen (v\d+)/.exec(stdout)?.[1];
}

/** Waits until the list of bases says so: a moment after a run's end. */
function listed(line: RegExp): Promise<true> {
  return eventually(`${String(line)} in the list`, 20_000, async () =>
    line.test((await cli('base-image', 'list')).stdout) ? true : undefined,
  );
}

describe('a task that follows tags', () => {
  it('is told that a pattern changes nothing', async () => {
    await pushNode('v1');
    const pattern = `${slipway.registryHost}/node:v*`;
    const made = ['task', 'create', 'wrong', '--context', context, '-t', 'wrong:v1', '-f', 'Dockerfile'];
    await cli(...made, '--follow-base-tag', `${pattern}=WRONG`);
    expect((await cli('task', 'show', 'wrong')).stdout).toContain('no FROM takes its tag from WRONG');
  }, 120_000);

  it('stays on the newest after a campaign: by hand, again and after a change, unless told otherwise', async () => {
    const pattern = `${slipway.registryHost}/node:v*`;
    const made = ['task', 'create', 'greet', '--context', context, '-t', 'greet:v1', '-f', 'Dockerfile', '--no-cache'];
    const { code, stdout, stderr } = await cli(...made, '--follow-base-tag', `${pattern}=NODE`);
    expect([code, stdout], stderr).toEqual([0, expect.not.stringContaining('no FROM')]);
    expect(await seenBy('task', 'run', 'greet')).toBe('v1');

    await pushNode('v10');
    await eventually('the campaign', 60_000, async () =>
      /cp1 .*Succeeded/.test((await cli('campaign', 'list')).stdout) ? true : undefined,
    );
    expect(await seenBy('task', 'run', 'greet')).toBe('v10');
    await listed(/greet .*\/node:v10 .* current/);
    expect(await seenBy('task', 'run', 'greet', '--arg', 'NODE=v1')).toBe('v1');
    expect(await seenBy('task', 'run', 'greet')).toBe('v10');
    const first = /^(\w+) .*\s*$/.exec(
      (await cli('runs', 'list', '--task', 'greet')).stdout.trim().split('\n').at(-1) ?? '',
    );
    expect(await seenBy('runs', 'rerun', first?.[1] ?? '')).toBe('v10');

    await cli('task', 'update', 'greet', '--timeout', '900', '--arg', 'OTHER=1');
    expect(await seenBy('task', 'run', 'greet')).toBe('v10');
    await listed(/greet .*\/node:v10 .* current/);
  }, 240_000);
});
